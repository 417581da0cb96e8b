import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { randomRfc, type Tenant } from '../../../test/support/product.ts'
import { syncToEnd } from '../../../test/support/sync-to-end.ts'
import { type SyncWorld, startSyncWorld } from '../../../test/support/sync-world.ts'
import type { SatDescarga } from '../descarga/client.ts'
import { sweep } from './sweep.ts'
import { takeTurn } from './take-turn.ts'

let world: SyncWorld
let tenants: Tenant[]
const ends: (() => Promise<void>)[] = []
before(async () => {
  world = await startSyncWorld({ after: (end) => void ends.unshift(end) }, { env: { SAT_HISTORY_YEARS: '0' } })
  tenants = []
  for (let n = 0; n < 4; n++) tenants.push(await world.product.createTenant({ rfc: randomRfc() }))
  // Turns are taken by hand.
  await world.product.worker.stop()
})
after(async () => {
  for (const end of ends) await end()
})

const { signal } = new AbortController()

/** The SAT's service, which calls `first` while it is asked for the first time and counts how often it is asked. */
function interrupted(real: SatDescarga, first: () => Promise<unknown>): { sat: SatDescarga; calls: () => number } {
  let calls = 0
  const counted = async <T>(answer: Promise<T>): Promise<T> => {
    calls++
    if (calls === 1) await first()
    return answer
  }
  return {
    calls: () => calls,
    sat: {
      ...real,
      abrirSesion(efirma, options) {
        const { solicita, verifica, descarga } = real.abrirSesion(efirma, options)
        return {
          solicita: (consulta) => counted(solicita(consulta)),
          verifica: (servicio, id) => counted(verifica(servicio, id)),
          descarga: (servicio, id, destino) => counted(descarga(servicio, id, destino)),
        }
      },
    },
  }
}

const later = async () => {
  world.time.now = new Date(world.time.now.getTime() + 60_000)
}

async function companyAtWork(): Promise<{ tenant: Tenant; uuids: string[] }> {
  const tenant = tenants.pop()
  assert.ok(tenant)
  const { rfc } = tenant
  const documents = world.emite(
    { emisor: { rfc }, fecha: '2026-01-05T10:00:00' },
    { emisor: { rfc }, fecha: '2026-02-05T10:00:00' },
  )
  await world.upload(tenant)
  await sweep(world.product.deps)
  return { tenant, uuids: documents.map(({ uuid }) => uuid.toLowerCase()).sort() }
}

async function assertWhole(tenant: Tenant, uuids: readonly string[]): Promise<void> {
  await syncToEnd(world.product.deps, tenant.id, later)
  const rows = await tenant.db((db) => db.selectFrom('cfdis').select('uuid_fiscal').orderBy('uuid_fiscal').execute())
  assert.deepEqual(
    rows.map(({ uuid_fiscal }) => uuid_fiscal),
    uuids,
  )
  const requests = await world.product.deps.central
    .selectFrom('sat_solicitudes')
    .select(['estado', 'intentos'])
    .where('tenant_id', '=', tenant.id)
    .execute()
  assert.ok(requests.every(({ estado, intentos }) => ['completa', 'vacia'].includes(estado) && intentos === 1))
}

for (const state of ['suspended', 'moving', 'deleted'] as const)
  test(`of a company that is ${state} in the middle of a turn nothing more is sent, and then it goes on there`, async () => {
    const { deps } = world.product
    const { tenant, uuids } = await companyAtWork()
    const become = (to: typeof state | 'active') =>
      deps.central.updateTable('tenant_databases').set({ state: to }).where('tenant_id', '=', tenant.id).execute()
    const { sat, calls } = interrupted(deps.satDescarga, () => become(state))
    await takeTurn({ ...deps, log: deps.log.child({}), satDescarga: sat }, tenant.id, { signal })
    assert.equal(calls(), 1)

    const next = await takeTurn({ ...deps, log: deps.log.child({}), satDescarga: sat }, tenant.id, { signal })
    assert.ok('cancelled' in next && next.cancelled.startsWith('tenant.'), JSON.stringify(next))
    await later()
    await sweep(deps)
    assert.equal(calls(), 1)
    await become('active')
    await assertWhole(tenant, uuids)
  })

test('with an e.firma that is deleted in the middle of a turn nothing more is sent, and another goes on there', async () => {
  const { deps } = world.product
  const { tenant, uuids } = await companyAtWork()
  const { sat, calls } = interrupted(deps.satDescarga, async () => {
    const answer = await tenant.send('DELETE', '/api/fiel', { body: { passwordActual: tenant.admin.password } })
    assert.ok(answer.statusCode < 300, answer.body)
  })
  const done = await takeTurn({ ...deps, log: deps.log.child({}), satDescarga: sat }, tenant.id, { signal })
  assert.equal(calls(), 1)
  assert.ok('enviadas' in done && done.enviadas === 1)
  await world.upload(tenant)
  await assertWhole(tenant, uuids)
})
