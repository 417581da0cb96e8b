import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { openAs } from '../../src/db/client.ts'
import { readPackage } from '../../src/sat/paquetes/read-package.ts'
import { sweep } from '../../src/sat/sync/sweep.ts'
import { takeTurn } from '../../src/sat/sync/take-turn.ts'
import { downloadedList } from '../support/downloaded-list.ts'
import { randomRfc, startProduct } from '../support/product.ts'
import { metadataList, metadataRow } from '../support/sat-metadata.ts'
import { mountSmallDisk } from '../support/small-disk.ts'
import { syncToEnd } from '../support/sync-to-end.ts'
import { startSyncWorld } from '../support/sync-world.ts'
import { until } from '../support/until.ts'
import { zipArchive } from '../support/zip-archive.ts'

const JANUARY = new Date('2026-01-20T18:00:00Z')
const MB = 1024 ** 2

test('a disk that is full at any step of a synchronisation loses nothing, and spends no download but the one it cut', async (t) => {
  await using ends = new AsyncDisposableStack()
  const disk = mountSmallDisk(700 * MB)
  if (!disk) return t.skip('no small disk can be mounted here')
  ends.use(disk)
  const filesPath = path.join(disk.path, 'files')
  const env = { SAT_HISTORY_YEARS: '0', FILES_PATH: filesPath }
  const world = await startSyncWorld({ after: (end) => ends.defer(end) }, { at: JANUARY, env })
  const { product, sat, time } = world
  const { central } = product.deps
  const rfc = randomRfc()
  const documents = world.emite(
    ...Array.from({ length: 12 }, (_, n) => ({
      emisor: { rfc },
      fecha: `2026-01-${n + 1}T10:00:00`.replace(/-(\dT)/, '-0$1'),
    })),
  )
  const tenant = await product.createTenant({ rfc })
  await product.worker.stop()
  await world.upload(tenant)
  await sweep(product.deps)

  const { signal } = new AbortController()
  const turn = () => takeTurn(product.deps, tenant.id, { signal })
  const turnsUntil = async (isSo: () => Promise<boolean>) => {
    for (let n = 0; !(await isSo()); n++) {
      assert.ok(n < 30, `not so after ${n} turns: ${isSo} ${JSON.stringify(await packages())}`)
      minutesPass(2)
      await turn()
    }
  }
  const minutesPass = (minutes: number) => {
    time.now = new Date(time.now.getTime() + minutes * 60_000)
  }
  const packages = () =>
    central
      .selectFrom('sat_paquetes as p')
      .innerJoin('sat_solicitudes as s', 's.id', 'p.solicitud_id')
      .select([
        'p.id',
        'p.solicitud_id as solicitudId',
        's.tipo',
        'p.estado',
        'p.intentos',
        'p.codigo',
        'p.mensaje',
        'p.siguiente_en as siguiente',
      ])
      .where('p.tenant_id', '=', tenant.id)
      .execute()
  const given = () => sat.solicitudes().reduce((sum, { descargas }) => sum + descargas, 0)
  const counted = async () => (await packages()).reduce((sum, { intentos }) => sum + intentos, 0)
  const arriving = path.join(filesPath, 'sat', tenant.id)
  const alarms = () => product.log.filter((line) => line.includes('sat_no_space')).length

  // Too little is free: none is begun.
  disk.leave(400 * MB)
  await turnsUntil(async () => (await packages()).length === 2)
  // Told of each once, and not by every look; and nobody looks each minute.
  const told = alarms()
  await turn()
  await turn()
  assert.ok(told > 0 && told <= 2)
  assert.equal(alarms(), told)
  assert.ok((await packages()).every(({ siguiente }) => siguiente && siguiente > time.now))
  assert.match((await tenant.get('/api/sat/solicitudes')).body, /No hay espacio para recibir el paquete del SAT/)
  assert.deepEqual([given(), await counted()], [0, 0])

  // It fills up while one is written: the SAT gave it, and nothing of it stays.
  disk.empty()
  sat.addFault({ fault: 'lenta', operacion: 'descarga', rfc, ms: 300, next: 1 })
  minutesPass(11)
  const going = turn()
  await until(() => existsSync(arriving) && readdirSync(arriving).length > 0)
  disk.leave(0)
  await going
  assert.deepEqual([given(), await counted()], [1, 1])
  assert.deepEqual(readdirSync(arriving), [])
  const cut = (await packages()).filter(({ intentos }) => intentos === 1)
  assert.deepEqual(
    cut.map(({ estado, codigo }) => [estado, codigo]),
    [['pendiente', 'sat.sin_espacio']],
  )
  assert.match(cut[0]?.mensaje ?? '', /No hay espacio/)

  // It fills up while one is copied to where loads are.
  disk.empty()
  const cargas = path.join(filesPath, 'cargas')
  mkdirSync(cargas, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', cargas])
  ends.defer(async () => void execFileSync('sh', ['-c', `umount -l ${cargas} 2>/dev/null || true`]))
  const handed = async () => (await packages()).find(({ tipo }) => tipo === 'CFDI')
  const list = async () => (await packages()).find(({ tipo }) => tipo === 'Metadata')
  await turnsUntil(async () => (await handed())?.codigo === 'carga.no_space' && (await list())?.estado === 'importando')
  const loads = () => tenant.db((db) => db.selectFrom('cargas').select('estado').execute())
  assert.equal((await handed())?.estado, 'descargado')
  assert.deepEqual([await loads(), readdirSync(path.join(cargas, tenant.id))], [[], []])

  // And while it is linked there. A list that lies here is read all the same: nothing of it is unpacked.
  execFileSync('umount', [cargas])
  disk.leave(0)
  minutesPass(11)
  await turn()
  assert.deepEqual([(await handed())?.codigo, await loads()], ['carga.no_space', []])
  const { solicitudId = '', id: paqueteId = '' } = (await list()) ?? {}
  const job = { signal, log: product.deps.log }
  await tenant.db((db) => readPackage(product.deps, db, { solicitudId, paqueteId }, job))
  const listed = await tenant.db((db) => db.selectFrom('sat_metadata').select('uuid_fiscal').execute())
  assert.equal(listed.length, documents.length)

  // There is room again.
  disk.empty()
  minutesPass(11)
  await syncToEnd(product.deps, tenant.id, async () => minutesPass(2))
  const state = (await tenant.get('/api/sat/sync')).json()
  assert.deepEqual([state.estado, state.faltan.total], ['al_dia', 0])
  const stored = await tenant.db((db) => db.selectFrom('cfdis').select('uuid_fiscal').execute())
  assert.equal(stored.length, documents.length)
  assert.equal(given(), await counted())
  assert.equal(given(), (await packages()).length + 1, 'each once, and once more the one that was cut')
  assert.deepEqual(readdirSync(arriving), [])
})

test('a database whose disk fills up in the middle of a list keeps what was read, and goes on there once there is room', async (t) => {
  await using ends = new AsyncDisposableStack()
  const product = await startProduct({ after: (end) => ends.defer(end) })
  const tenant = await product.createTenant()
  await product.worker.stop()
  const placement = await product.deps.central
    .selectFrom('tenant_databases')
    .select('database_name')
    .where('tenant_id', '=', tenant.id)
    .executeTakeFirstOrThrow()
  const url = new URL(product.adminUrl)
  url.pathname = `/${placement.database_name}`
  const admin = await openAs(url.href)
  ends.defer(() => admin.end())
  const [server] = await admin.query<{ folder: string }>(`select current_setting('data_directory') as folder`)
  const owner = statSync(server?.folder ?? '')
  const disk = mkdtempSync(path.join(tmpdir(), 'horux-disco-'))
  ends.defer(async () => rmSync(disk, { recursive: true, force: true }))
  const options = `size=512k,uid=${owner.uid},gid=${owner.gid},mode=0700`
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return t.skip('no small disk can be mounted here')
  }
  ends.defer(async () => void execFileSync('umount', ['-l', disk]))
  await admin.query(`create tablespace pequeno location '${disk}'`)
  ends.defer(async () => {
    await admin.query('alter table sat_metadata set tablespace pg_default')
    await admin.query('drop tablespace pequeno')
  })
  await admin.query('alter table sat_metadata set tablespace pequeno')

  const rows = Array.from({ length: 5_000 }, () => metadataRow({ rfcEmisor: tenant.rfc, uuid: randomUUID() }))
  const bytes = zipArchive([{ name: 'lista_01.txt', data: metadataList(rows) }])
  const { zip, ...one } = await downloadedList(product, tenant, bytes)
  const job = { signal: new AbortController().signal, log: product.deps.log }
  const read = () => tenant.db((db) => readPackage(product.deps, db, one, job))
  const here = () =>
    tenant.db(async (db) => {
      const { leida_hasta } = await db.selectFrom('sat_lecturas').select('leida_hasta').executeTakeFirstOrThrow()
      const listed = await db.selectFrom('sat_metadata').select('uuid_fiscal').execute()
      return { leida_hasta, filas: listed.length }
    })
  await assert.rejects(read(), { code: 'database.no_space' })
  const { leida_hasta, filas } = await here()
  assert.ok(leida_hasta > 0 && leida_hasta < 5_000, `${leida_hasta}`)
  assert.equal(filas, leida_hasta)
  assert.ok(existsSync(zip))
  await assert.rejects(read(), { code: 'database.no_space' })

  execFileSync('mount', ['-o', 'remount,size=64m', disk])
  await read()
  assert.deepEqual(await here(), { leida_hasta: 5_000, filas: 5_000 })
  assert.equal(existsSync(zip), false)
})
