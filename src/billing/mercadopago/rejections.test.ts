import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Rejection, rejectionOf } from './rejections.ts'

const cambiar: Rejection = { remedio: 'cambiar_tarjeta', seReintenta: false }
const fondos: Rejection = { remedio: 'fondos_o_banco', seReintenta: true }
const neutral: Rejection = { remedio: 'neutral', seReintenta: false }

const cases: [string | null, Rejection][] = [
  ['cc_rejected_high_risk', cambiar],
  ['cc_rejected_blacklist', cambiar],
  ['cc_rejected_other_reason', cambiar],
  ['cc_rejected_card_disabled', cambiar],
  ['cc_rejected_max_attempts', cambiar],
  ['cc_rejected_bad_filled_card_number', cambiar],
  ['cc_rejected_bad_filled_security_code', cambiar],
  ['cc_rejected_bad_filled_date', cambiar],
  ['cc_rejected_insufficient_amount', fondos],
  ['cc_rejected_call_for_authorize', fondos],
  ['cc_rejected_new_reason_of_next_year', neutral],
  ['constructor', neutral],
  ['', neutral],
  [null, neutral],
]
for (const [detail, expected] of cases) {
  test(`${detail || '(nothing)'} asks for ${expected.remedio}`, () => assert.deepEqual(rejectionOf(detail), expected))
}
