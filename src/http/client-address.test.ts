import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './client-address.ts'

const cases: [address: string, network: string][] = [
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
  ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::'],
  ['2001:db8:1:3::1', '2001:db8:1:3::'],
  ['fe80::1%eth0', 'fe80::'],
  ['::1', '::'],
  ['unknown', 'unknown'],
  ['203.0.113.7, 10.0.0.1', 'unknown'],
]

for (const [address, network] of cases) {
  test(`${address} is counted as ${network}`, () => assert.equal(networkOf(address), network))
}
