import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Account } from '../mercadopago/gateway.ts'
import type { ConnectorKind } from './connector.ts'
import { identify } from './identify.ts'

const real: Account = { id: '1', nickname: 'HORUX EJEMPLO', email: null, siteId: 'MLM', isTest: false }
const seller: Account = { id: '2', nickname: 'TESTUSER2', email: null, siteId: 'MLM', isTest: true }

const cases: [ConnectorKind, Account, string | null][] = [
  ['production', real, null],
  ['production', seller, 'es de prueba y el conector es de producción'],
  ['sandbox', seller, null],
  ['sandbox', real, 'es real y el conector es de sandbox'],
  ['simulator', real, null],
  ['simulator', seller, null],
]

for (const [kind, account, refusal] of cases)
  test(`${account.nickname} as ${kind}: ${refusal ? 'refused' : 'taken'}`, async () => {
    const identified = identify({ whoIs: async () => account }, kind, 'APP_USR-0123456789')
    if (refusal === null) assert.deepEqual(await identified, account)
    else
      await assert.rejects(identified, (error: { code?: string; mensaje?: string }) => {
        assert.equal(error.code, 'connectors.wrong_account')
        assert.ok(error.mensaje?.includes(account.nickname) && error.mensaje.includes(refusal), error.mensaje)
        return true
      })
  })

test('an account of another country is no account of ours', async () => {
  const argentine: Account = { ...real, siteId: 'MLA' }
  await assert.rejects(identify({ whoIs: async () => argentine }, 'production', 'APP_USR-0123456789'), {
    code: 'connectors.wrong_country',
  })
  const silent: Account = { ...real, siteId: null }
  assert.equal((await identify({ whoIs: async () => silent }, 'production', 'APP_USR-0123456789')).id, '1')
})
