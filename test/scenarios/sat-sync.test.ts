import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeTurn } from '../../src/sat/sync/take-turn.ts'
import { randomRfc, type Tenant } from '../support/product.ts'
import { type SyncWorld, startSyncWorld } from '../support/sync-world.ts'

const EKU = 'EKU9003173C9'
const recibido = { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc: EKU } }
const HISTORY = { SAT_HISTORY_YEARS: '0' }

const uuidsOf = (tenant: Tenant) =>
  tenant.db(async (db) => {
    const rows = await db.selectFrom('cfdis').select('uuid_fiscal').orderBy('uuid_fiscal').execute()
    return rows.map(({ uuid_fiscal }) => uuid_fiscal)
  })

const requestsOf = ({ product }: SyncWorld, tenant: Tenant) =>
  product.deps.central.selectFrom('sat_solicitudes').selectAll().where('tenant_id', '=', tenant.id).execute()

test('an e.firma is uploaded, and what was issued and received arrives by itself; then each night what is new', async (t) => {
  const world = await startSyncWorld(t, { env: HISTORY })
  const issued = world.emite({ fecha: '2026-01-05T10:00:00' }, { fecha: '2026-02-09T23:59:59' })
  const received = world.emite({ ...recibido, fecha: '2026-01-20T10:00:00' })
  const tenant = await world.company(EKU)
  await world.untilDone(tenant)

  const expected = [...issued, ...received].map(({ uuid }) => uuid.toLowerCase()).sort()
  assert.deepEqual(await uuidsOf(tenant), expected)
  const state = (await tenant.get('/api/sat/sync')).json()
  assert.equal(state.estado, 'al_dia')
  assert.equal(state.faltan.total, 0)
  assert.deepEqual(state.cubiertoHasta, { emitidos: '2026-02-09T23:59:59', recibidos: '2026-02-09T23:59:59' })
  assert.equal(state.corrida.tipo, 'inicial')
  assert.equal(state.corrida.avance.documentosNuevos, 3)

  const tonight = world.emite({ fecha: '2026-02-10T15:00:00' })
  world.time.now = new Date(state.siguienteCorridaEn)
  await world.untilDone(tenant)
  assert.deepEqual(await uuidsOf(tenant), [...expected, ...tonight.map(({ uuid }) => uuid.toLowerCase())].sort())
  const second = (await tenant.get('/api/sat/sync')).json()
  assert.equal(second.corrida.tipo, 'nocturna')
  assert.equal(second.cubiertoHasta.emitidos, '2026-02-10T23:59:59')
  // No second of XML was asked for twice.
  const asked = (await requestsOf(world, tenant)).filter(({ tipo }) => tipo === 'CFDI')
  assert.ok(asked.every(({ intentos, estado }) => intentos === 1 && ['completa', 'vacia'].includes(estado)))
})

test('several turns of one company at once ask for nothing twice', async (t) => {
  const world = await startSyncWorld(t, { env: HISTORY })
  const rfc = randomRfc()
  const documents = world.emite(
    { emisor: { rfc }, fecha: '2026-01-05T10:00:00' },
    { ...recibido, receptor: { rfc }, fecha: '2026-01-20T10:00:00' },
  )
  const tenant = await world.company(rfc)
  const { product } = world
  const signal = new AbortController().signal
  await world.passTime(async () => {
    await Promise.all([1, 2, 3].map(() => takeTurn(product.deps, tenant.id, { signal })))
    return (await world.sync(tenant)).estado === 'al_dia'
  })
  assert.deepEqual(await uuidsOf(tenant), documents.map(({ uuid }) => uuid.toLowerCase()).sort())
  const asked = world.sat.solicitudes().map(({ huella }) => huella)
  assert.equal(new Set(asked).size, asked.length)
  assert.ok(world.sat.solicitudes().every(({ descargas }) => descargas <= 1))
})
