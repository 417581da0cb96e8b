import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { buildApp } from '../../src/app.ts'
import { createDeps, type Deps } from '../../src/deps.ts'
import type { App } from '../../src/http/zod.ts'
import { createLog } from '../../src/log.ts'
import { type AuthHouse, PASSWORD, startAuthHouse } from '../support/auth.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'

const TENANTS = 20
/** Connections for all of them: most requests have to open a pool that another one gives up. */
const tenantPool = { max: 2, budget: 8, idleMs: 60_000 }
const UUID = '5c1a1e63-0000-4000-8000-00000000c0de'

interface Tenant {
  rfc: string
  canary: string
  headers: { authorization: string }
}

let house: AuthHouse
let deps: Deps
let app: App
const tenants: Tenant[] = []

// Also what a failing `before` has opened by then.
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  house = await startAuthHouse()
  ending.defer(() => house.close())
  deps = createDeps(
    { ...house.config, tenantPool },
    { log: createLog({ level: 'silent', service: 'api' }), clock: house.clock },
  )
  ending.defer(() => deps.close())
  app = await buildApp(deps, { maxLoopDelayMs: 0 })
  ending.defer(() => app.close())
  // One person is admin of all: the same user, the same folio fiscal, the same ids everywhere but for the company.
  const person = await house.user()
  for (let i = 0; i < TENANTS; i++) {
    const rfc = `CAN0101${String(i + 1).padStart(2, '0')}AB${i % 10}`
    const { id } = await house.realCompany(rfc)
    await house.member(person.id, id, 'admin')
    const payload = { email: person.email, password: PASSWORD, transporte: 'cuerpo' }
    const { accessToken } = (await app.inject({ method: 'POST', url: '/api/auth/login', payload })).json()
    const entered = await app.inject({
      method: 'POST',
      url: '/api/auth/tenant',
      payload: { tenant: id },
      headers: { authorization: `Bearer ${accessToken}` },
    })
    const headers = { authorization: `Bearer ${entered.json().accessToken}` }
    const canary = `CANARIO${i}X`
    const xml = cfdiXml({
      uuid: UUID,
      emisor: { rfc, nombre: canary },
      subtotal: `${100 + i}.00`,
      total: `${116 + i}.00`,
    })
    const stored = await app.inject({
      method: 'POST',
      url: '/api/cfdi',
      payload: xml,
      headers: { ...headers, 'content-type': 'application/xml' },
    })
    assert.equal(stored.statusCode, 200, stored.body)
    tenants.push({ rfc, canary, headers })
  }
})

const READS = ['/api/cfdi', `/api/cfdi/${UUID}`, `/api/cfdi/${UUID}/xml`, '/api/cfdi?q=CANARIO']

test('twenty companies interleaved through eight connections: every answer holds only the caller’s own', async (t) => {
  const requests = fc.array(fc.record({ tenant: fc.nat(TENANTS - 1), read: fc.nat(READS.length - 1) }), {
    minLength: 60,
    maxLength: 150,
  })
  let answered = 0
  await fc.assert(
    fc.asyncProperty(requests, async (list) => {
      // To wait too long for a connection or for one's own company is an answer, and whoever got it asks again; to see another
      // company's is not.
      for (let left = list; left.length > 0; )
        left = (
          await Promise.all(
            left.map(async (one) => {
              const { canary, headers } = tenants[one.tenant] as Tenant
              const { statusCode, body } = await app.inject({ url: READS[one.read] ?? '', headers })
              if (statusCode === 503 || statusCode === 429) return [one]
              assert.equal(statusCode, 200, body)
              assert.deepEqual([...new Set(body.match(/CANARIO\d+X/g))], [canary])
              answered += 1
              return []
            }),
          )
        ).flat()
    }),
    { numRuns: 8 },
  )
  const { evictions, mismatches, connections } = deps.tenants.stats()
  t.diagnostic(`${answered} answers, ${evictions} evictions`)
  assert.ok(answered > 400)
  assert.ok(evictions > 20)
  assert.equal(mismatches, 0)
  assert.ok(connections <= tenantPool.budget)
})
