import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { childEnv } from '../support/child-env.ts'
import { randomRfc, type Tenant } from '../support/product.ts'
import { syncToEnd } from '../support/sync-to-end.ts'
import { type SyncWorld, startSyncWorld } from '../support/sync-world.ts'

/** Every place between two durable steps of a synchronisation, in an order in which one can come by all of them. */
const POINTS = [
  'sat.sweep.ordered',
  'sat.run.planned',
  'sat.solicitud.counted',
  'sat.solicitud.sent',
  'sat.solicitud.recorded',
  'sat.verifica.taken',
  'sat.verifica.asked',
  'sat.verifica.recorded',
  'sat.descarga.counted',
  'sat.descarga.arrived',
  'sat.descarga.placed',
  'sat.descarga.recorded',
  'sat.paquete.linked',
  'sat.paquete.created',
  'sat.handed',
  'sat.handed.recorded',
  'sat.cotejo.lista',
  'sat.settled',
  'sat.cotejo.llegados',
  'sat.reconcile.written',
  'sat.run.ended',
] as const

let world: SyncWorld
const ends: (() => Promise<void>)[] = []
before(async () => {
  world = await startSyncWorld({ after: (end) => void ends.unshift(end) }, { env: { SAT_HISTORY_YEARS: '0' } })
})
after(async () => {
  for (const end of ends) await end()
})

interface Company {
  rfc: string
  tenant: Tenant
}

/** A process of its own works until it dies by its own hand. Each minute that it asks for passes for the SAT too. */
async function workUntil(point: string, { tenant }: Company): Promise<void> {
  const env = {
    ...childEnv(),
    ...world.product.env,
    SYNC_NOW: world.time.now.toISOString(),
    HORUX_CRASH_AT: point,
  }
  const child: ChildProcess = fork(path.join(import.meta.dirname, '../support/sync-child.ts'), [tenant.id], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.on('message', () => {
    minutesPass(4)
    child.send(world.time.now.toISOString())
  })
  const kill = () => child.kill('SIGTERM')
  process.once('exit', kill)
  const tooLong = setTimeout(kill, 180_000)
  const [code, signal] = await once(child, 'exit')
  clearTimeout(tooLong)
  process.off('exit', kill)
  assert.equal(signal ?? code, 'SIGKILL', `it did not come by ${point}`)
}

/** This process works until it is done. */
const workToEnd = ({ tenant }: Company) => syncToEnd(world.product.deps, tenant.id, async () => minutesPass(4))

function minutesPass(minutes: number): void {
  world.time.now = new Date(world.time.now.getTime() + minutes * 60_000)
}

/** A company of which the SAT has these. */
async function company(): Promise<Company> {
  const rfc = randomRfc()
  const documentos = [
    { emisor: { rfc }, fecha: '2026-01-05T10:00:00' },
    { emisor: { rfc }, fecha: '2026-02-05T10:00:00' },
    { emisor: { rfc: 'IIA040805DZ4' }, receptor: { rfc }, fecha: '2026-01-08T10:00:00' },
    {
      emisor: { rfc: 'IIA040805DZ4' },
      receptor: { rfc },
      fecha: '2026-01-09T10:00:00',
      cancelado: '2026-02-01T10:00:00',
    },
  ]
  world.emite(...documentos)
  // Of a year before its history: a list named it, and it never came.
  const [missing] = world.emite({ emisor: { rfc }, fecha: '2025-12-15T10:00:00' })
  const tenant = await world.product.createTenant({ rfc })
  await world.upload(tenant)
  await tenant.db((db) =>
    db
      .insertInto('sat_metadata')
      .values({
        uuid_fiscal: missing?.uuid ?? '',
        servicio: 'cfdi',
        direccion: 'emitido',
        rfc_emisor: rfc,
        nombre_emisor: 'EMPRESA',
        rfc_receptor: 'URE180429TM6',
        nombre_receptor: 'UNIVERSIDAD',
        rfc_pac: 'SPR190613I52',
        fecha_emision: '2025-12-15T10:00:00',
        fecha_certificacion: '2025-12-15T10:00:00',
        efecto: 'I',
        estatus: 'vigente',
        vista_en: world.time.now,
        primera_vez_en: world.time.now,
        falta: true,
      })
      .execute(),
  )
  // The SAT never stamped it.
  const answer = await tenant.post('/api/cfdi', cfdiXml({ emisor: { rfc }, fecha: '2026-01-06T10:00:00' }))
  assert.equal(answer.statusCode, 200, answer.body)
  return { rfc, tenant }
}

async function outcome(tenant: Tenant) {
  const cfdis = await tenant.db((db) =>
    db.selectFrom('cfdis').select(['fecha_emision', 'estado', 'direccion']).orderBy('fecha_emision').execute(),
  )
  const metadata = await tenant.db((db) =>
    db.selectFrom('sat_metadata').select(['fecha_emision', 'estatus', 'falta']).orderBy('fecha_emision').execute(),
  )
  const listas = await tenant.db((db) =>
    db
      .selectFrom('sat_listas')
      .select(['servicio', 'direccion', 'desde'])
      .orderBy('direccion')
      .orderBy('desde')
      .execute(),
  )
  const sobrantes = await tenant.db((db) => db.selectFrom('sat_sobrantes').select('fecha_emision').execute())
  const runs = await world.product.deps.central
    .selectFrom('sat_sync_jobs')
    .select(['estado', 'kind'])
    .where('tenant_id', '=', tenant.id)
    .execute()
  const folder = path.join(world.product.deps.config.filesPath, 'sat', tenant.id)
  return { cfdis, metadata, listas, sobrantes, runs, lying: existsSync(folder) ? readdirSync(folder) : [] }
}

/** The SAT saw no parameters of XML more than twice, and no package more than twice. */
function assertFrugal(rfc: string, where: string) {
  const times = new Map<string, number>()
  const own = world.sat.solicitudes().filter((one) => one.rfc === rfc)
  for (const one of own) if (one.tipo === 'CFDI') times.set(one.huella, (times.get(one.huella) ?? 0) + 1)
  assert.ok(
    [...times.values()].every((n) => n <= 2),
    where,
  )
  for (const { avance, descargas } of own) {
    const paquetes = (avance as { paquetes?: readonly string[] }).paquetes?.length ?? 1
    assert.ok(descargas <= 2 * Math.max(1, paquetes), `${where}: ${descargas} downloads`)
  }
}

test('killed at each step of a synchronisation, nothing is lost, and the SAT is asked no more than it may be', async (t) => {
  const undisturbed = await company()
  const killed = await company()
  // From here on nobody works but the processes that are to die.
  await world.product.worker.stop()
  await workToEnd(undisturbed)
  const expected = await outcome(undisturbed.tenant)
  assert.deepEqual(
    expected.cfdis.map(({ fecha_emision, estado }) => `${fecha_emision} ${estado}`),
    [
      '2025-12-15 10:00:00 vigente',
      '2026-01-05 10:00:00 vigente',
      '2026-01-06 10:00:00 vigente',
      '2026-01-08 10:00:00 vigente',
      '2026-02-05 10:00:00 vigente',
    ],
  )
  assert.equal(expected.metadata.length, 5)
  assert.deepEqual(expected.sobrantes, [{ fecha_emision: '2026-01-06 10:00:00' }])
  assert.deepEqual([expected.lying, expected.runs], [[], [{ estado: 'terminada', kind: 'inicial' }]])

  // One synchronisation, each of its workers killed a step later than the last: of its requests and packages each loses
  // another step, and what one death would break the end shows.
  for (const point of POINTS)
    await t.test(point, async () => {
      await workUntil(point, killed)
      assertFrugal(killed.rfc, point)
    })
  await workToEnd(killed)
  assert.deepEqual(await outcome(killed.tenant), expected)
  const { mine, once } = { mine: asked(killed), once: asked(undisturbed) }
  // What died while it was sent is sent again, or in other words; nothing else is asked for twice.
  assert.ok(mine.length - once.length <= 3, `${mine.length} requests instead of ${once.length}`)
  assert.equal(mine.filter(({ direccion }) => direccion === 'folio').length, 1)
})

const asked = ({ rfc }: Company) => world.sat.solicitudes().filter((one) => one.rfc === rfc)
