import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { type ActorName, type ApiWorld, sendAs, startApiWorld } from '../../../test/support/api-world.ts'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { openCentral } from '../../db/client.ts'
import type { PlanRequerido } from '../../http/access.ts'
import type { Principal } from '../../http/principal.ts'
import { createShell } from '../../http/shell.ts'
import type { App } from '../../http/zod.ts'
import { createLog } from '../../log.ts'
import type { Feature } from '../plans/features.ts'
import type { Estado } from '../subscription.ts'
import { createEntitlementCache } from './entitlement-cache.ts'
import { gateRequests } from './gate.ts'

let world: ApiWorld
before(async () => {
  world = await startApiWorld(probes)
})
after(() => world?.close())
beforeEach(() => become('trial'))

/** A route of each kind that others are yet to have: one that settles and one that exports. */
function probes(app: App) {
  const probe = (url: string, plan?: PlanRequerido) =>
    app.post(
      `/api/probe/${url}`,
      {
        schema: { summary: 'De prueba', tags: ['Prueba'] },
        config: { acceso: { quien: 'empresa', roles: ['admin', 'visor'] }, ...(plan && { plan }) },
      },
      async (_request, reply) => reply.code(204).send(),
    )
  probe('escribe')
  probe('paga', { siempre: 'facturacion' })
  probe('exporta', { siempre: 'exportar' })
}

const send = (name: ActorName, method: 'GET' | 'POST', url: string) =>
  sendAs(world, world.actors[name], { method, url })

/** The API process makes the change itself: it sees it in its next request. */
async function become(estado: Estado, more: { ended_at?: Date | null; suspended_by_staff?: boolean } = {}) {
  await world.deps.central
    .updateTable('subscriptions')
    .set({ estado, ended_at: null, suspended_by_staff: false, ...more })
    .where('tenant_id', '=', world.ours.id)
    .execute()
  world.deps.entitlements.forget(world.ours.id)
}

const DAY = 86_400_000

test('what each state of a subscription lets its people do', async () => {
  const asked = {
    lee: ['admin', 'GET', '/api/cfdi'],
    escribe: ['admin', 'POST', '/api/probe/escribe'],
    consulta: ['visor', 'GET', '/api/uso/resumen'],
    paga: ['visor', 'POST', '/api/probe/paga'],
    exportaVisor: ['visor', 'POST', '/api/probe/exporta'],
    exportaAdmin: ['admin', 'POST', '/api/probe/exporta'],
  } as const
  const everything = Object.keys(asked)
  const readOnly = everything.filter((name) => name !== 'escribe')
  const blocked = ['consulta', 'paga', 'exportaAdmin']
  const cases: [Estado, Parameters<typeof become>[1], string[], string?][] = [
    ['trial', {}, everything],
    ['activa', {}, everything],
    ['pendiente_pago', {}, everything],
    ['pausada', {}, readOnly, 'subscription_read_only'],
    ['grace_period', {}, readOnly, 'subscription_read_only'],
    ['suspendida', {}, blocked, 'subscription_blocked'],
    ['vencida', { ended_at: new Date(Date.now() - 29 * DAY) }, readOnly, 'subscription_read_only'],
    ['vencida', { ended_at: new Date(Date.now() - 32 * DAY) }, blocked, 'subscription_blocked'],
    ['cancelada', { ended_at: new Date() }, readOnly, 'subscription_read_only'],
    ['cancelada', { ended_at: new Date(), suspended_by_staff: true }, blocked, 'subscription_blocked'],
  ]
  for (const [estado, more, open, code] of cases) {
    await become(estado, more)
    const letIn: string[] = []
    for (const [name, [actor, method, url]] of Object.entries(asked)) {
      const answer = await send(actor, method, url)
      if (answer.statusCode < 300) letIn.push(name)
      else assert.deepEqual([answer.statusCode, answer.json().code], [402, code], `${estado}: ${name}`)
    }
    assert.deepEqual(letIn, open, estado)
  }
})

test('a refusal says why, what still works, and where it is put right', async () => {
  await become('grace_period')
  const answer = await send('contador', 'POST', '/api/cfdi')
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
  const { detail, enlace, title } = answer.json()
  assert.match(detail, /No pudimos cobrar tu suscripción.*consultar y exportar.*Suscripción/)
  assert.deepEqual([enlace, title], ['/suscripcion', 'Tu plan o tu suscripción no lo permite'])
  await become('suspendida')
  assert.match((await send('admin', 'GET', '/api/cfdi')).json().detail, /suspendida.*exportar tus datos/)
})

test('who is asking comes first, then whether they may, then the subscription, then the plan', async (t) => {
  await become('suspendida')
  await withoutFeature(t, 'cfdi_basic')
  const codeOf = async (name: ActorName) => (await send(name, 'POST', '/api/cfdi')).json().code
  assert.equal(await codeOf('anonymous'), 'auth.unauthenticated')
  assert.equal(await codeOf('temporal'), 'auth.password_change_required')
  assert.equal(await codeOf('visor'), 'auth.forbidden')
  assert.equal(await codeOf('staff'), 'auth.tenant_required')
  assert.equal(await codeOf('contador'), 'subscription_blocked')
  await become('activa')
  assert.equal(await codeOf('contador'), 'feature_not_in_plan')
})

test('the session and the log-in of a blocked company work', async () => {
  await become('suspendida')
  await world.login(world.actors.admin.email)
  assert.equal((await send('admin', 'GET', '/api/auth/me')).statusCode, 200)
  assert.equal((await send('admin', 'GET', '/api/auth/sesiones')).statusCode, 200)
  assert.equal((await send('foreignAdmin', 'GET', '/api/cfdi')).statusCode, 200, 'and nobody else is touched')
})

test('staff inside a vista looks at what is blocked, and writes when elevated', async () => {
  await become('suspendida')
  assert.equal((await send('staffViewing', 'GET', '/api/cfdi')).statusCode, 200)
  assert.equal((await send('staffViewing', 'POST', '/api/probe/escribe')).json().code, 'auth.view_read_only')
  assert.equal((await send('staffElevated', 'POST', '/api/probe/escribe')).statusCode, 204)
})

test('what the plan has not is refused with the cheapest plan on sale that has it', async (t) => {
  await withoutFeature(t, 'iva_isr')
  const url = '/api/impuestos/iva?ejercicio=2026&mes=1'
  const unpriced = (await send('visor', 'GET', url)).json()
  assert.equal(unpriced.code, 'feature_not_in_plan')
  assert.match(unpriced.detail, /cálculo de IVA e ISR.*plan Starter/, 'without prices the smallest')
  assert.equal(unpriced.errors[0].path, 'iva_isr')
  assert.equal((await send('visor', 'GET', '/api/cfdi')).statusCode, 200, 'the rest of the plan works')

  const price = (code: string, price_month_c: number | null) =>
    world.deps.central.updateTable('plans').set({ price_month_c }).where('code', '=', code).execute()
  t.after(async () => {
    for (const code of ['business', 'starter']) await price(code, null)
  })
  await price('business', 65_000)
  assert.match(
    (await send('visor', 'GET', url)).json().detail,
    /plan Business/,
    'one with a price before those without',
  )
  await price('starter', 35_000)
  assert.match((await send('visor', 'GET', url)).json().detail, /plan Starter/)
})

test('while what a company may do cannot be read, nothing is let in and nobody is told to pay', async (t) => {
  const nobody = openCentral({
    ...world.house.config,
    central: { url: 'postgres://nadie:x@127.0.0.1:1/nada', poolMax: 1 },
  })
  const { clock, changes, log } = world.deps
  const entitlements = createEntitlementCache({ central: nobody, clock, changes, log })
  const app = await bareApp()
  t.after(async () => {
    await app.close()
    entitlements.close()
    await nobody.destroy()
  })
  // In the place of the guard.
  app.addHook('onRequest', async (request) => {
    request.user = { tenantId: world.ours.id, vista: null, rol: 'admin' } as Principal
  })
  gateRequests(app, { central: nobody, entitlements })
  app.get('/a', { config: { acceso: { quien: 'empresa', roles: ['admin'] } } }, async () => ({}))
  const answer = await app.inject('/a')
  assert.deepEqual([answer.statusCode, answer.json().code], [503, 'database.unavailable'])
  assert.ok(answer.headers['retry-after'])
})

test('a route that names no feature of ours, or is of no company, does not get into the app', async () => {
  const app = await bareApp()
  gateRequests(app, world.deps)
  const acceso = { quien: 'empresa' as const, roles: ['admin' as const] }
  const handler = async () => undefined
  assert.throws(
    () => app.get('/a', { config: { acceso, plan: { feature: 'reporte' } } }, handler),
    /reporte, which no plan/,
  )
  const sesion = { acceso: { quien: 'sesion' as const }, plan: {} }
  assert.throws(() => app.get('/b', { config: sesion }, handler), /of no company/)
  app.get('/c', { config: { acceso, plan: { feature: 'reportes' } } }, handler)
  await app.close()
})

test('fifty uploads at once to the last place: one is stored, the others are told both numbers', async (t) => {
  const { entitlements, tenants } = world.deps
  const upload = async () => {
    const payload = cfdiXml({ uuid: uuidv7(), emisor: { rfc: world.ours.rfc } })
    const request = {
      method: 'POST',
      url: '/api/cfdi',
      payload,
      headers: { 'content-type': 'application/xml' },
    } as const
    for (;;) {
      const answer = await sendAs(world, world.actors.contador, request)
      if (answer.statusCode !== 429) return answer // a company has ten requests at work, and the machine may be slow
    }
  }
  for (let n = 0; n < 2; n++) assert.equal((await upload()).statusCode, 200)
  const stored = async () =>
    tenants.use(world.ours.id, async (db) => {
      const { n } = await db.selectFrom('usage').select('n').executeTakeFirstOrThrow()
      return [Number(n), (await db.selectFrom('cfdis').select('uuid_fiscal').execute()).length]
    })
  const [before] = (await stored()) as [number, number]
  await override(t, { kind: 'limit', key: 'cfdis', amount: before + 1 })

  const answers = await Promise.all(Array.from({ length: 50 }, upload))
  const statuses = answers.map(({ statusCode }) => statusCode).sort()
  assert.deepEqual(statuses, [200, ...Array(49).fill(402)])
  const refused = answers.find(({ statusCode }) => statusCode === 402)?.json()
  assert.equal(refused.code, 'limit_reached')
  assert.ok(refused.detail.includes(`${before + 1} CFDI`) && refused.detail.includes(`incluye ${before + 1}`))
  assert.equal(refused.errors[0].message, `${before + 1} de ${before + 1}`)
  assert.deepEqual(await stored(), [before + 1, before + 1])

  // A smaller plan takes nothing away.
  await override(t, { kind: 'limit', key: 'cfdis', amount: 1 })
  assert.equal((await upload()).json().errors[0].message, `${before + 1} de 1`)
  assert.equal((await send('admin', 'GET', '/api/cfdi')).json().datos.length, before + 1)
  entitlements.forget(world.ours.id)
})

test('an exception that staff makes holds in the next request, though nobody tells of it', async () => {
  await become('activa')
  await world.deps.changes.close()
  assert.equal((await send('visor', 'GET', '/api/cfdi')).statusCode, 200)
  const url = `/api/subscriptions/${world.ours.id}/excepciones`
  const payload = { tipo: 'funcion', clave: 'cfdi_basic', activa: false, hasta: null, motivo: 'Prueba de la puerta' }
  const made = await sendAs(world, world.actors.staff, { method: 'POST', url, payload })
  assert.equal(made.statusCode, 201, made.body)
  assert.equal((await send('visor', 'GET', '/api/cfdi')).json().code, 'feature_not_in_plan')
  const revoked = await sendAs(world, world.actors.staff, { method: 'DELETE', url: `${url}/${made.json().id}` })
  assert.equal(revoked.statusCode, 204, revoked.body)
  assert.equal((await send('visor', 'GET', '/api/cfdi')).statusCode, 200)
})

async function bareApp(): Promise<App> {
  const log = createLog({ level: 'silent', service: 'api' })
  const { app } = await createShell({ log, trustProxy: false, corsOrigins: [], maxLoopDelayMs: 0, checkText: true })
  return app
}

type Ending = { after(end: () => Promise<unknown>): void }

const withoutFeature = (t: Ending, feature: Feature) => override(t, { kind: 'feature', key: feature, enabled: false })

/** An exception of `ours` that ends with the test. */
async function override(
  t: Ending,
  terms: { kind: 'feature' | 'limit'; key: string; enabled?: boolean; amount?: number },
) {
  const { central, entitlements } = world.deps
  const id = uuidv7()
  const row = { id, tenant_id: world.ours.id, ...terms, valid_from: new Date(Date.now() - 1_000), reason: 'prueba' }
  await central.insertInto('tenant_overrides').values(row).execute()
  entitlements.forget(world.ours.id)
  t.after(async () => {
    await central.updateTable('tenant_overrides').set({ revoked_at: new Date() }).where('id', '=', id).execute()
    entitlements.forget(world.ours.id)
  })
}
