import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { publishOutbox } from '../../src/queue/outbox.ts'
import { packagePath } from '../../src/sat/paquetes/package-path.ts'
import { findCfdiPackage, receiveCfdiPackage } from '../../src/sat/paquetes/receive-cfdi-package.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { downloadedList } from '../support/downloaded-list.ts'
import { ownFixture } from '../support/fixtures.ts'
import { type Product, startProduct, type Tenant } from '../support/product.ts'
import { metadataList, metadataRow } from '../support/sat-metadata.ts'
import { type ScratchTenants, scratchTenants } from '../support/scratch-tenant.ts'
import { until } from '../support/until.ts'
import { missTheDead, workUntilCrash } from '../support/worker-child.ts'
import { type ZipMember, zipArchive } from '../support/zip-archive.ts'

let product: Product
let scratch: ScratchTenants
before(async () => {
  product = await startProduct({ after: () => undefined })
  scratch = await scratchTenants()
})
after(async () => {
  await product?.close()
  await scratch?.close()
})

test('whoever is killed while a package is handed over loses nothing and makes no second load of it', async () => {
  const child = path.join(import.meta.dirname, '..', 'support', 'receive-package-child.ts')
  const filesPath = mkdtempSync(path.join(tmpdir(), 'horux-paquete-'))
  const bytes = zipArchive([{ name: 'a.xml', data: cfdiXml() }])
  for (const point of ['sat.paquete.linked', 'sat.paquete.created']) {
    const scratched = await scratch.create()
    const { url } = scratched
    const db = Object.assign(scratched, { tenantId: randomUUID() })
    const paqueteId = `P_${point}`
    const zip = packagePath(filesPath, db.tenantId, paqueteId)
    mkdirSync(path.dirname(zip), { recursive: true })
    writeFileSync(zip, bytes)
    const args = [child, url, db.tenantId, filesPath, paqueteId, zip]
    const dying = spawn(process.execPath, args, { env: { ...process.env, HORUX_CRASH_AT: point }, stdio: 'inherit' })
    const [, signal] = await once(dying, 'exit')
    assert.equal(signal, 'SIGKILL', point)
    assert.ok(existsSync(zip), 'what was downloaded is still there')
    const deps = { config: { filesPath }, clock: { now: () => new Date() } }
    const { cargaId } = await receiveCfdiPackage(deps, db, { paqueteId, zip })
    const cargas = await db.selectFrom('cargas').select(['id', 'total', 'fuente']).execute()
    assert.deepEqual(cargas, [{ id: cargaId, total: 1, fuente: 'sat' }])
    const jobs = await db.selectFrom('outbox').select('job').execute()
    assert.deepEqual(jobs, [{ job: 'cfdi.import' }])
    const [file = ''] = readdirSync(path.join(filesPath, 'cargas', db.tenantId, cargaId))
    assert.match(file, /^[0-9a-f]{64}$/)
    assert.equal(existsSync(zip), false)
  }
  rmSync(filesPath, { recursive: true })
})

/** A package of three batches with everything in it, some of it cancelled by a list that came before. */
function archiveOf(rfc: string): Buffer {
  return zipArchive(
    Array.from({ length: 1_120 }, (_, n): ZipMember => {
      const name = `${n}.xml`
      if (n % 97 === 5) return { name, data: ownFixture('malformed/own-fecha-invalida.xml') }
      if (n % 83 === 9) return { name, data: 'nada', says: { crc: 1 } }
      return { name, data: cfdiXml({ uuid: uuidOf(n % 11 === 3 ? n - 3 : n), emisor: { rfc } }) }
    }),
  )
}

const uuidOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

const rowsOf = (rfc: string) =>
  Array.from({ length: 2_300 }, (_, n) => {
    if (n % 500 === 13) return `basura ${n}`
    const cancelado = n % 40 === 0 ? { estatus: '0', fechaCancelacion: '2026-02-03 10:00:00' } : {}
    return metadataRow({
      uuid: uuidOf(n),
      rfcEmisor: rfc,
      monto: '116.00',
      fechaEmision: '2026-01-15 12:00:00',
      ...cancelado,
    })
  })

/** Everything that both leave behind, with the ids and times of this one company taken out. */
async function outcomeOf(tenant: Tenant) {
  const outcome = await tenant.db(async (db) => {
    const rows = async (query: ReturnType<typeof sql<Record<string, unknown>>>) => (await query.execute(db)).rows
    return {
      carga: await rows(
        sql`select estado, fuente, pausa, total, procesados, nuevos, repetidos, rechazados, cuarentena from cargas`,
      ),
      resultados: await rows(sql`select n, uuid, estado, codigo from carga_resultados order by n`),
      cfdis: await rows(sql`select uuid_fiscal, source, estado, fecha_cancelacion from cfdis order by uuid_fiscal`),
      historia: await rows(
        sql`select uuid_fiscal, estado, fuente, ocurrio_en from cfdi_estados order by uuid_fiscal, id`,
      ),
      iva: await rows(sql`select to_jsonb(i) - 'calculado_en' as mes from iva_mensual i order by ejercicio, mes`),
      uso: await rows(sql`select n from usage where kind = 'cfdi'`),
      lista: await rows(sql`select uuid_fiscal, estatus, fecha_cancelacion from sat_metadata order by uuid_fiscal`),
      lectura: await rows(
        sql`select filas, ilegibles, cancelados, difieren, leida_hasta, terminada_en is null as abierta from sat_lecturas`,
      ),
      ilegibles: await rows(sql`select n, motivo from sat_filas_ilegibles order by n`),
    }
  })
  return JSON.parse(JSON.stringify(outcome).replaceAll(tenant.rfc, 'RFC')) as typeof outcome
}

const downloaded = (tenant: Tenant, bytes: Buffer) => downloadedList(product, tenant, bytes)

const paqueteOf = (solicitudId: string) =>
  product.deps.central
    .selectFrom('sat_paquetes')
    .select(['estado', 'miembros', 'leidos', 'cuarentena', 'siguiente_en'])
    .where('solicitud_id', '=', solicitudId)
    .executeTakeFirst()

const enqueue = (
  ...[name, payload]: Parameters<Product['deps']['queue']['enqueue']> extends [unknown, ...infer Rest] ? Rest : never
) => product.deps.central.transaction().execute((trx) => product.deps.queue.enqueue(trx, name, payload))

const timePasses = () => missTheDead(product)

const list = (rfc: string) => zipArchive([{ name: 'lista_01.txt', data: metadataList(rowsOf(rfc)) }])

test('a worker that is killed anywhere in a list or a package leaves what an undisturbed one leaves', async () => {
  const undisturbed = await product.createTenant()
  await bring(undisturbed)
  const expected = await outcomeOf(undisturbed)
  assert.equal(expected.carga[0]?.['estado'], 'terminada')
  const cancelled = expected.cfdis.filter((row) => row['estado'] === 'cancelado')
  assert.ok(cancelled.length > 20 && cancelled.every((row) => row['fecha_cancelacion'] !== null))

  const other = await product.createTenant()
  await product.worker.stop()
  const lectura = await downloaded(other, list(other.rfc))
  const job = { tenantId: other.id, solicitudId: lectura.solicitudId, paqueteId: lectura.paqueteId }
  await enqueue('sat.lectura', job)
  for (const point of ['sat.lectura.0.written', 'sat.lectura.2000', 'sat.lectura.read', 'sat.lectura.finished']) {
    await workUntilCrash(product, point)
    await timePasses()
  }
  assert.deepEqual(await paqueteOf(lectura.solicitudId), {
    ...{ estado: 'importado', miembros: 2_300, leidos: 2_295, cuarentena: 5, siguiente_en: null },
  })
  assert.ok(existsSync(lectura.zip), 'the file goes last')

  const { paqueteId, cargaId } = await hand(other)
  for (const point of ['carga.batch.500.written', 'sat.conocidos.applied']) {
    await workUntilCrash(product, point)
    await timePasses()
    await enqueue('cfdi.import', { tenantId: other.id, cargaId })
  }
  await product.worker.start()
  await until(async () => (await other.db((db) => findCfdiPackage(db, paqueteId)))?.estado === 'terminada')
  await until(() => !existsSync(lectura.zip))
  await enqueue('sat.estado', { tenantId: other.id })
  await until(async () => (await outcomeOf(other)).historia.length === expected.historia.length)
  assert.deepEqual(await outcomeOf(other), expected)
})

async function hand(tenant: Tenant) {
  const paqueteId = `${randomUUID()}_01`
  const zip = packagePath(product.deps.config.filesPath, tenant.id, paqueteId)
  mkdirSync(path.dirname(zip), { recursive: true })
  writeFileSync(zip, archiveOf(tenant.rfc))
  const { cargaId } = await tenant.db(async (db) => {
    const received = await receiveCfdiPackage(product.deps, db, { paqueteId, zip })
    await publishOutbox(product.deps, db)
    return received
  })
  return { paqueteId, cargaId }
}

async function bring(tenant: Tenant): Promise<void> {
  const { solicitudId, paqueteId, zip } = await downloaded(tenant, list(tenant.rfc))
  await enqueue('sat.lectura', { tenantId: tenant.id, solicitudId, paqueteId })
  await until(async () => (await paqueteOf(solicitudId))?.estado === 'importado')
  await until(() => !existsSync(zip))
  const handed = await hand(tenant)
  await until(
    async () => (await tenant.db((db) => findCfdiPackage(db, handed.paqueteId)))?.estado === 'terminada',
    60_000,
  )
  await until(async () => (await outcomeOf(tenant)).cfdis.some((row) => row['estado'] === 'cancelado'))
}

test('a list that is damaged or lost is given back to be had again, and a company without the plan keeps its place', async () => {
  await product.worker.start()
  const tenant = await product.createTenant()
  const damaged = await downloaded(tenant, list(tenant.rfc).subarray(0, 5_000))
  const { solicitudId, paqueteId } = damaged
  await enqueue('sat.lectura', { tenantId: tenant.id, solicitudId, paqueteId })
  await until(async () => (await paqueteOf(solicitudId))?.estado === 'pendiente')
  assert.equal(existsSync(damaged.zip), false)

  const lost = await downloaded(tenant, list(tenant.rfc))
  rmSync(lost.zip)
  await product.deps.central
    .updateTable('sat_paquetes')
    .set({ intentos: 2 })
    .where('solicitud_id', '=', lost.solicitudId)
    .execute()
  await enqueue('sat.lectura', { tenantId: tenant.id, solicitudId: lost.solicitudId, paqueteId: lost.paqueteId })
  await until(async () => (await paqueteOf(lost.solicitudId))?.estado === 'vencido')
  // Of another company: who names this one's package finds nothing. Without the plan: it waits for one.
  const own = await downloaded(tenant, list(tenant.rfc))
  const stranger = await product.createTenant()
  const modest = await product.createTenant({ plan: 'starter' })
  const waiting = await downloaded(modest, list(modest.rfc))
  await enqueue('sat.lectura', { tenantId: stranger.id, solicitudId: own.solicitudId, paqueteId: own.paqueteId })
  await enqueue('sat.lectura', { tenantId: modest.id, solicitudId: waiting.solicitudId, paqueteId: waiting.paqueteId })
  const outcome = async (id: string) => {
    const { rows } = await sql<{ output: { cancelled?: string } }>`
      select output from pgboss.job where name = 'sat.lectura' and singleton_key = ${id} and state = 'completed'`.execute(
      product.deps.central,
    )
    return rows[0]?.output.cancelled
  }
  assert.equal(await until(() => outcome(own.paqueteId)), 'sat.paquete_desconocido')
  assert.equal(await until(() => outcome(waiting.paqueteId)), 'feature_not_in_plan')
  assert.ok(existsSync(own.zip) && existsSync(waiting.zip))
  assert.equal((await paqueteOf(waiting.solicitudId))?.estado, 'importando')
})
