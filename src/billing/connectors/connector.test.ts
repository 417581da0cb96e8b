import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Connector,
  type ConnectorKind,
  connectorKinds,
  isAccountOfKind,
  isKindUsable,
  mayBePrimary,
  payerEmailOn,
  type Surroundings,
} from './connector.ts'

const places: [string, Surroundings, ConnectorKind[], ConnectorKind[]][] = [
  // where, what may be used, what may charge
  ['production', { env: 'production', simulated: false }, ['sandbox', 'production'], ['production']],
  ['production whose calls go elsewhere', { env: 'production', simulated: true }, ['sandbox'], []],
  [
    'development with the simulator',
    { env: 'development', simulated: true },
    ['simulator', 'sandbox'],
    ['simulator', 'sandbox'],
  ],
  [
    'development with MercadoPago',
    { env: 'development', simulated: false },
    ['sandbox', 'production'],
    ['sandbox', 'production'],
  ],
  ['a test with the simulator', { env: 'test', simulated: true }, ['simulator', 'sandbox'], ['simulator', 'sandbox']],
]

for (const [where, surroundings, usable, primary] of places)
  test(`what connectors ${where} has`, () => {
    assert.deepEqual(
      connectorKinds.filter((kind) => isKindUsable(kind, surroundings)),
      usable,
    )
    assert.deepEqual(
      connectorKinds.filter((kind) => mayBePrimary(kind, surroundings)),
      primary,
    )
  })

test('a real account is no sandbox, a test account takes no money, a simulator is whoever it says', () => {
  const real = { isTest: false }
  const test = { isTest: true }
  assert.deepEqual(
    connectorKinds.map((kind) => isAccountOfKind(kind, real)),
    [true, false, true],
  )
  assert.deepEqual(
    connectorKinds.map((kind) => isAccountOfKind(kind, test)),
    [true, true, false],
  )
})

test('a sandbox is paid by its test user, every other connector by whoever buys', () => {
  const connector: Connector = {
    id: '019adb4e-0000-7000-8000-000000000001',
    name: 'Principal',
    kind: 'production',
    active: true,
    isPrimary: true,
    ownAccountId: '1',
    testPayerEmail: null,
    startDateSupported: false,
  }
  assert.equal(payerEmailOn(connector, 'ana@empresa.example'), 'ana@empresa.example')
  const sandbox = { ...connector, kind: 'sandbox' as const, testPayerEmail: 'test_user_1@testuser.example' }
  assert.equal(payerEmailOn(sandbox, 'ana@empresa.example'), 'test_user_1@testuser.example')
})
