import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { settle } from './settlement.ts'

const mandate = (collectC: bigint, ackedC: bigint | null, paidC: bigint) =>
  settle({ kind: 'mandate', collectC, ackedC, paidC })
const once = (collectC: bigint, paidC: bigint) => settle({ kind: 'one_off', collectC, paidC })

test('the expected charge covers its invoice and leaves nothing', () => {
  const even = { covered: true, unexpected: false, entry: null }
  assert.deepEqual(mandate(65_000n, 65_000n, 65_000n), even)
  assert.deepEqual(once(65_000n, 65_000n), even)
})

test('where our new amount did not reach MercadoPago the customer has paid, and the difference waits', () => {
  assert.deepEqual(mandate(90_500n, 65_000n, 65_000n), {
    covered: true,
    unexpected: false,
    entry: { kind: 'undercharge', amountC: -25_500n },
  })
  assert.deepEqual(mandate(43_000n, 65_000n, 65_000n), {
    covered: true,
    unexpected: false,
    entry: { kind: 'overpayment', amountC: 22_000n },
  })
})

test('where the new amount reached it and only the answer was lost, the invoice is paid as it is', () => {
  const even = { covered: true, unexpected: false, entry: null }
  assert.deepEqual(mandate(90_500n, 65_000n, 90_500n), even)
  assert.deepEqual(mandate(43_000n, 65_000n, 43_000n), even)
  assert.deepEqual(mandate(65_000n, null, 65_000n), even)
})

test('an amount that nobody asked for is looked at; below both it does not cover', () => {
  assert.deepEqual(mandate(90_500n, 65_000n, 64_999n), {
    covered: false,
    unexpected: true,
    entry: { kind: 'incomplete_payment', amountC: 64_999n },
  })
  assert.deepEqual(mandate(90_500n, 65_000n, 70_000n), {
    covered: true,
    unexpected: true,
    entry: { kind: 'undercharge', amountC: -20_500n },
  })
  assert.deepEqual(mandate(65_000n, 65_000n, 65_001n), {
    covered: true,
    unexpected: true,
    entry: { kind: 'overpayment', amountC: 1n },
  })
  assert.deepEqual(mandate(65_000n, null, 60_000n), {
    covered: false,
    unexpected: true,
    entry: { kind: 'incomplete_payment', amountC: 60_000n },
  })
})

test('a payment made once must be enough: less is credit whole, more is credit for what is over', () => {
  assert.deepEqual(once(65_000n, 64_999n), {
    covered: false,
    unexpected: false,
    entry: { kind: 'incomplete_payment', amountC: 64_999n },
  })
  assert.deepEqual(once(65_000n, 70_000n), {
    covered: true,
    unexpected: false,
    entry: { kind: 'overpayment', amountC: 5_000n },
  })
})

test('a payment of nothing writes nothing', () => {
  assert.deepEqual(once(65_000n, 0n), { covered: false, unexpected: false, entry: null })
})

test('no centavo is lost: what was paid is in the invoice or in the balance', () => {
  const amounts = fc.bigInt({ min: 0n, max: 20_000_000n })
  fc.assert(
    fc.property(amounts, amounts, amounts, fc.boolean(), (collectC, ackedC, paidC, byCard) => {
      const { covered, entry } = byCard ? mandate(collectC, ackedC, paidC) : once(collectC, paidC)
      assert.equal((covered ? collectC : 0n) + (entry?.amountC ?? 0n), paidC)
      if (entry?.kind === 'undercharge') assert.ok(entry.amountC < 0n)
      else if (entry) assert.ok(entry.amountC > 0n)
    }),
  )
})
