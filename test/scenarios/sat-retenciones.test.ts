import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomRfc, type Tenant } from '../support/product.ts'
import { syncToEnd } from '../support/sync-to-end.ts'
import { startSyncWorld } from '../support/sync-world.ts'

const lower = (documents: readonly { uuid: string }[]) => documents.map(({ uuid }) => uuid.toLowerCase()).sort()

const kept = (tenant: Tenant) =>
  tenant.db((db) => db.selectFrom('cfdis').select(['uuid_fiscal as uuid', 'tipo', 'direccion', 'estado']).execute())

const listed = (tenant: Tenant) =>
  tenant.db((db) =>
    db.selectFrom('sat_metadata').select(['uuid_fiscal as uuid', 'servicio', 'estatus', 'falta']).execute(),
  )

test('certificates of withholding come by their own service, are cancelled by its lists, and none is missing for long', async (t) => {
  const world = await startSyncWorld(t, { env: { SAT_HISTORY_YEARS: '0' } })
  const rfc = randomRfc()
  const retencion = { servicio: 'retenciones' } as const
  const aProveedor = { ...retencion, emisor: { rfc } }
  const deBanco = { ...retencion, emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc } }
  const issued = world.emite(
    { ...aProveedor, fecha: '2026-01-01T00:00:00' },
    { ...aProveedor, fecha: '2026-01-31T13:00:00' },
  )
  const received = world.emite(
    { ...deBanco, fecha: '2026-01-31T23:59:59' },
    { ...deBanco, fecha: '2026-02-01T00:00:00' },
  )
  const [gone] = world.emite({ ...deBanco, fecha: '2026-01-10T09:00:00', cancelado: '2026-02-01T10:00:00' })
  const invoices = world.emite(
    { emisor: { rfc }, fecha: '2026-01-31T13:00:00' },
    { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc }, fecha: '2026-02-01T00:00:00' },
  )
  const tenant = await world.product.createTenant({ rfc })
  await world.product.worker.stop()
  await world.upload(tenant)
  const sync = () =>
    syncToEnd(world.product.deps, tenant.id, async () => {
      world.time.now = new Date(world.time.now.getTime() + 60_000)
    })
  await sync()

  const ofType = async (tipo: string, direccion: 'emitido' | 'recibido') =>
    lower((await kept(tenant)).filter((one) => one.tipo === tipo && one.direccion === direccion))
  assert.deepEqual(await ofType('R', 'emitido'), lower(issued))
  assert.deepEqual(await ofType('R', 'recibido'), lower(received))
  assert.equal((await kept(tenant)).length, issued.length + received.length + invoices.length)
  // Each in the list of its own service, the cancelled one too, whose XML the SAT gives to nobody.
  const ofService = async (servicio: string) => (await listed(tenant)).filter((one) => one.servicio === servicio)
  const all = [...issued, ...received, ...(gone ? [gone] : [])]
  assert.deepEqual(lower(await ofService('retenciones')), lower(all))
  assert.deepEqual(lower(await ofService('cfdi')), lower(invoices))
  assert.deepEqual(
    (await listed(tenant)).filter(({ estatus }) => estatus === 'cancelado').map(({ uuid, falta }) => [uuid, falta]),
    [[gone?.uuid.toLowerCase(), false]],
  )
  const { central } = world.product.deps
  const orden = () =>
    central
      .selectFrom('sat_sync_settings')
      .select(['covered_until', 'next_run_at'])
      .where('tenant_id', '=', tenant.id)
      .executeTakeFirstOrThrow()
  const first = '2026-02-09T23:59:59'
  assert.deepEqual((await orden()).covered_until, {
    ...{ 'cfdi.emitidos': first, 'cfdi.recibidos': first },
    ...{ 'retenciones.emitidos': first, 'retenciones.recibidos': first },
  })

  // One is stamped for a day that was asked for already, and the bank takes one back.
  const late = world.emite({ ...aProveedor, fecha: '2026-02-02T12:00:00' })
  const fresh = world.emite({ ...deBanco, fecha: '2026-02-11T12:00:00' })
  const [taken] = received
  world.sat.cancel(taken?.uuid ?? '', 'sin_aceptacion')
  const asked = (from = 0) => world.sat.solicitudes().slice(from)
  const before = asked().length
  const ofRetenciones = () => asked(before).filter(({ servicio }) => servicio === 'retenciones')
  /** The next night, or one so many days after it. */
  const night = async (days = 0) => {
    const { next_run_at } = await orden()
    world.time.now = new Date((next_run_at?.getTime() ?? 0) + days * 86_400_000)
    await sync()
  }
  await night()
  assert.ok(asked().length > before)
  assert.deepEqual(ofRetenciones(), [], 'they are looked at once a week')
  await night(5)
  const weekly = ofRetenciones()
  const told = ({ direccion, tipo, parametros }: (typeof weekly)[number]) =>
    `${direccion} ${tipo} ${parametros['Folio'] ?? `${parametros['FechaInicial']} ${parametros['FechaFinal']}`}`
  assert.deepEqual(weekly.filter(({ tipo }) => tipo === 'CFDI').map(told), [
    'emitidos CFDI 2026-02-10T00:00:00 2026-02-16T23:59:59',
    'recibidos CFDI 2026-02-10T00:00:00 2026-02-16T23:59:59',
    `folio CFDI ${late[0]?.uuid.toLowerCase()}`,
  ])
  assert.equal(weekly.filter(({ tipo }) => tipo === 'Metadata').length, 2, 'of one year, both directions')

  assert.deepEqual(await ofType('R', 'emitido'), lower([...issued, ...late]))
  assert.deepEqual(await ofType('R', 'recibido'), lower([...received, ...fresh]))
  const cancelled = (await kept(tenant)).filter(({ estado }) => estado === 'cancelado')
  assert.deepEqual(lower(cancelled), lower(taken ? [taken] : []))
  const alerts = await tenant.db((db) =>
    db.selectFrom('alertas').select('clave').where('tipo', '=', 'CFDI_RECIBIDO_CANCELADO').execute(),
  )
  assert.deepEqual(alerts, [{ clave: `CFDI_RECIBIDO_CANCELADO:${taken?.uuid.toLowerCase()}` }])
  const state = (await tenant.get('/api/sat/sync')).json()
  assert.deepEqual([state.estado, state.faltan.total], ['al_dia', 0])
  const covered = (await orden()).covered_until as Record<string, string>
  assert.equal(covered['retenciones.recibidos'], '2026-02-16T23:59:59')
  const frugal = asked().filter(({ tipo }) => tipo === 'CFDI')
  assert.equal(new Set(frugal.map(({ huella }) => huella)).size, frugal.length, 'no XML was asked for twice')
})
