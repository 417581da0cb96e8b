import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PaymentStatus, paymentStatuses, preapprovalStatuses } from './gateway.ts'
import { mandateStatusOf, type OurPaymentStatus, paymentStatusOf } from './normalize.ts'

const table: Record<PaymentStatus, [OurPaymentStatus | null, boolean]> = {
  approved: ['approved', false],
  pending: ['pending', false],
  in_process: ['pending', false],
  authorized: ['pending', false],
  rejected: ['rejected', false],
  cancelled: ['rejected', false],
  in_mediation: ['approved', true],
  refunded: ['refunded', false],
  charged_back: ['refunded', false],
  unknown: [null, false],
}
for (const theirs of [...paymentStatuses, 'unknown' as const]) {
  const [status, disputed] = table[theirs]
  test(`a payment that is ${theirs} is ${status}${disputed ? ' and disputed' : ''}`, () => {
    assert.deepEqual(paymentStatusOf(theirs), { status, disputed })
  })
}

test('a mandate has the status of its preapproval, unknown included', () => {
  for (const status of [...preapprovalStatuses, 'unknown' as const]) assert.equal(mandateStatusOf(status), status)
})
