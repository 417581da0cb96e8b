import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { centavosOf, pesosOf } from './amounts.ts'

const read: [unknown, bigint][] = [
  ['24.50', 2450n],
  ['24.5', 2450n],
  ['650', 65000n],
  [24.5, 2450n],
  [0, 0n],
  [1.1, 110n],
  [19.99, 1999n], // 1998.9999999999998 as doubles multiply
  [0.1 + 0.2, 30n],
  [1.005e3, 100500n],
  [200000.01, 20000001n],
  ['10.000000', 1000n],
]
for (const [amount, centavos] of read) {
  test(`${typeof amount} ${amount} is ${centavos} centavos`, () => assert.equal(centavosOf(amount), centavos))
}

const refused = [10.005, '10.005', -1, '-1.00', Number.NaN, Number.POSITIVE_INFINITY, 1e300]
for (const amount of [...refused, '', ' 10', '10.', '1,000.00', '1e3', '0x10', null, undefined, true, [10], {}, 10n]) {
  test(`${typeof amount} ${String(amount) || '(empty)'} is no amount`, () => {
    assert.throws(() => centavosOf(amount), RangeError)
  })
}

test('what we send is read back to the same centavos, as number and as text', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 20_000_000n }), (amountC) => {
      assert.equal(centavosOf(pesosOf(amountC)), amountC)
      assert.equal(centavosOf(pesosOf(amountC).toFixed(2)), amountC)
      assert.match(JSON.stringify(pesosOf(amountC)), /^\d+(\.\d{1,2})?$/)
    }),
  )
})
