import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { randomRfc, type Tenant } from '../../../test/support/product.ts'
import { type SyncWorld, startSyncWorld } from '../../../test/support/sync-world.ts'
import { handlers } from '../../../workers/handlers.ts'
import { sweep } from './sweep.ts'
import { findPendientes } from './sweep-queries.ts'
import { takeTurn } from './take-turn.ts'
import { warn } from './warn.ts'

let world: SyncWorld
let tenant: Tenant
const ends: (() => Promise<void>)[] = []
before(async () => {
  world = await startSyncWorld({ after: (end) => void ends.unshift(end) }, { env: { SAT_HISTORY_YEARS: '0' } })
  tenant = await world.product.createTenant({ rfc: randomRfc() })
  await world.product.worker.stop()
  await world.upload(tenant)
  await sweep(world.product.deps)
})
after(async () => {
  for (const end of ends) await end()
})

const deps = () => ({ ...world.product.deps, log: world.product.deps.log.child({}) })
const { signal } = new AbortController()
const later = (minutes: number) => {
  world.time.now = new Date(world.time.now.getTime() + minutes * 60_000)
}
const due = async () =>
  (await findPendientes(world.product.deps.central, world.time.now)).map(({ tenantId }) => tenantId)
const orden = () =>
  world.product.deps.central
    .selectFrom('sat_sync_settings')
    .selectAll()
    .where('tenant_id', '=', tenant.id)
    .executeTakeFirstOrThrow()
const waiting = async () => {
  const { rows } = await sql<{ key: string; seconds: number }>`
    select singleton_key as key, extract(epoch from start_after - created_on)::float8 as seconds from pgboss.job
    where name = 'sat.sync' and state = 'created' and data ->> 'tenantId' = ${tenant.id} order by start_after`.execute(
    world.product.deps.central,
  )
  return rows
}

test('a turn that fails for a fault of ours is taken again after longer and longer, and then all goes on', async () => {
  const broken = {
    ...deps(),
    satDescarga: {
      ...world.product.deps.satDescarga,
      abrirSesion: () => {
        throw new TypeError('undefined is not a function')
      },
    },
  }
  const waits: number[] = []
  for (let turn = 0; turn < 9; turn++) {
    assert.deepEqual(await takeTurn(broken, tenant.id, { signal }), { cancelled: 'sat.falla_interna' })
    const { look_again_at: at } = await orden()
    const minutes = ((at?.getTime() ?? 0) - world.time.now.getTime()) / 60_000
    waits.push(minutes)
    assert.deepEqual(await due(), [])
    later(minutes)
    assert.deepEqual(await due(), [tenant.id])
  }
  await assert.rejects(takeTurn(broken, tenant.id, { signal: AbortSignal.abort() }), /undefined is not a function/)
  assert.deepEqual(waits, [2, 2, 4, 8, 16, 32, 60, 60, 60])
  const state = await world.sync(tenant)
  assert.equal(state.estado, 'en_pausa')
  const done = await takeTurn(deps(), tenant.id, { signal })
  assert.ok('enviadas' in done && done.enviadas > 0 && done.pausa === null)
  assert.equal((await orden()).paused_code, null)
})

test('what falls due in a minute has its own turn then, which keeps nobody from an earlier one', async () => {
  const { central, queue } = world.product.deps
  await sql`delete from pgboss.job where name = 'sat.sync'`.execute(central)
  const job = { id: 'by hand', signal, log: world.product.deps.log }
  const turn = () => handlers['sat.sync'](deps() as never, { tenantId: tenant.id }, job)
  await turn()
  await turn()
  const left = await waiting()
  assert.ok(left.length > 0, 'a turn left none')
  assert.ok(
    left.every(({ seconds }) => seconds > 0 && seconds <= 300),
    JSON.stringify(left),
  )
  assert.equal(new Set(left.map(({ key }) => key)).size, left.length)
  const now = await central.transaction().execute((trx) => queue.enqueue(trx, 'sat.sync', { tenantId: tenant.id }))
  assert.ok(now, 'somebody who wants a turn now has none')
})

test('a company of which nothing is due leaves no turn behind', async () => {
  const { central } = world.product.deps
  await sql`delete from pgboss.job where name = 'sat.sync'`.execute(central)
  await sql`update sat_solicitudes set siguiente_en = ${new Date(world.time.now.getTime() + 3_600_000)}
    where siguiente_en is not null`.execute(central)
  await handlers['sat.sync'](deps() as never, { tenantId: tenant.id }, { id: 'x', signal, log: deps().log })
  assert.deepEqual(await waiting(), [])
})

test('a good end that a clock ahead wrote does not silence the alert until that time has come', async () => {
  const { central, tenants } = world.product.deps
  const { now } = world.time
  const at = (hours: number) => new Date(now.getTime() + hours * 3_600_000)
  await sql`delete from sat_solicitudes`.execute(central)
  await sql`update sat_sync_jobs set estado = 'terminada', ended_at = ${at(-60)}`.execute(central)
  await sql`update sat_sync_settings set last_success_at = ${at(40 * 24)}, paused_code = null`.execute(central)
  await tenants.use(tenant.id, (db) => warn(deps(), db))
  const alertas = await tenant.db((db) =>
    db
      .selectFrom('alertas')
      .select('mensaje')
      .where('clave', '=', 'SAT_SIN_DESCARGA')
      .where('resuelta_en', 'is', null)
      .execute(),
  )
  assert.match(alertas[0]?.mensaje ?? '', /^Desde hace 60 horas no termina bien/)
})
