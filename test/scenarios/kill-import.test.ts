import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { openAs } from '../../src/db/client.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { ownFixture } from '../support/fixtures.ts'
import { type Product, randomRfc, startProduct, type Tenant } from '../support/product.ts'
import { until } from '../support/until.ts'
import { outliveTheDead, spawnWorker, workUntilCrash } from '../support/worker-child.ts'
import { type ZipMember, zipArchive } from '../support/zip-archive.ts'

let product: Product
before(async () => {
  product = await startProduct({ after: () => undefined })
})
after(() => product?.close())

/** A load of three batches with everything in it: new ones, repeated ones, broken ones, and what is nobody's. */
function archiveOf(rfc: string): Buffer {
  const invoice = (n: number) =>
    cfdiXml({ uuid: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`, emisor: { rfc }, serie: `${n % 7}` })
  return zipArchive(
    Array.from({ length: 1_130 }, (_, n): ZipMember => {
      const name = `${n}.xml`
      if (n % 97 === 5) return { name, data: ownFixture('malformed/own-fecha-invalida.xml') }
      if (n % 89 === 7) return { name, data: 'nada' }
      if (n % 83 === 9) return { name, data: 'nada', says: { crc: 1 } }
      return { name, data: invoice(n % 11 === 3 ? n - 3 : n) }
    }),
  )
}

/** Everything a load leaves behind, with the ids and times of this one load taken out. */
async function outcomeOf(tenant: Tenant, cargaId: string) {
  const outcome = await tenant.db(async (db) => {
    const rows = async (query: ReturnType<typeof sql<Record<string, unknown>>>) => (await query.execute(db)).rows
    return {
      carga: await rows(
        sql`select estado, total, procesados, nuevos, repetidos, rechazados, cuarentena from cargas where id = ${cargaId}`,
      ),
      resultados: await rows(
        sql`select n, archivo, uuid, estado, codigo, mensaje from carga_resultados where carga_id = ${cargaId} order by n`,
      ),
      cuarentena: await rows(
        sql`select n, encode(sha256, 'hex') as sha256 from carga_cuarentena where carga_id = ${cargaId} order by n`,
      ),
      cfdis: await rows(sql`select uuid_fiscal, serie, carga_id = ${cargaId} as own from cfdis order by uuid_fiscal`),
      iva: await rows(sql`select to_jsonb(i) - 'calculado_en' as mes from iva_mensual i order by ejercicio, mes`),
      uso: await rows(sql`select n from usage where kind = 'cfdi'`),
    }
  })
  // The companies differ in their RFC, and warnings quote it.
  return JSON.parse(JSON.stringify(outcome).replaceAll(tenant.rfc, 'RFC')) as typeof outcome
}

const upload = async (tenant: Tenant) => {
  const body = archiveOf(tenant.rfc)
  const answer = await tenant.send('POST', '/api/cfdi/bulk', { body, headers: { 'content-type': 'application/zip' } })
  assert.equal(answer.statusCode, 202, answer.body)
  return answer.json().id as string
}

const progressOf = (tenant: Tenant, id: string) =>
  tenant.db(
    async (db) =>
      (
        await sql<{
          procesados: number
          secuencia: string
        }>`select procesados, secuencia from cargas where id = ${id}`.execute(db)
      ).rows[0],
  )

/** The queue misses the dead, and the sweep asks again for whoever is not done. */
async function timePasses(tenantId: string, cargaId: string): Promise<void> {
  const owner = await openAs(product.centralOwnerUrl)
  await outliveTheDead({ owner }).finally(() => owner.end())
  await ask(tenantId, cargaId)
}

const ask = (tenantId: string, cargaId: string) =>
  product.deps.central
    .transaction()
    .execute((trx) => product.deps.queue.enqueue(trx, 'cfdi.import', { tenantId, cargaId }))

test('a worker that is killed at any file and in any commit leaves an import that ends as if nothing had happened', async () => {
  const rfc = randomRfc()
  const undisturbed = await product.createTenant({ rfc })
  const calm = await upload(undisturbed)
  await until(async () => (await progressOf(undisturbed, calm))?.procesados === 1_130)
  const expected = await outcomeOf(undisturbed, calm)
  assert.deepEqual(
    { ...expected.carga[0], mensajes: expected.resultados.length },
    {
      estado: 'terminada',
      total: 1_130,
      procesados: 1_130,
      nuevos: expected.cfdis.length,
      repetidos: expected.carga[0]?.['repetidos'],
      rechazados: expected.carga[0]?.['rechazados'],
      cuarentena: 12,
      mensajes: 1_130,
    },
  )
  assert.equal(expected.uso[0]?.['n'], `${expected.cfdis.length}`)

  const other = await product.createTenant({ rfc: randomRfc() })
  // The same documents: with the RFC of the other company, which counts for nothing here.
  await product.worker.stop()
  const id = await upload(other)
  const points = [
    'carga.file.0',
    'carga.file.333',
    'carga.batch.0.written',
    'carga.batch.0.done',
    'carga.file.777',
    'carga.batch.500.written',
    'carga.file.1129',
    'carga.batch.1000.done',
  ]
  let before = { procesados: 0, secuencia: '0' }
  for (const point of points) {
    await workUntilCrash(product, point)
    await timePasses(other.id, id)
    const now = await progressOf(other, id)
    assert.ok(now && now.procesados >= before.procesados && BigInt(now.secuencia) >= BigInt(before.secuencia), point)
    before = now
  }
  assert.equal(before.procesados, 1_130)
  assert.deepEqual(await outcomeOf(other, id), expected)
})

test('two workers at one load do the work of one', async () => {
  await product.worker.start()
  const tenant = await product.createTenant()
  await product.worker.stop()
  const id = await upload(tenant)
  // As after a network split: the queue believes that the first one is dead, and gives the load to another too.
  const children = [0, 1].map(() => spawnWorker(product, { WORKER_METRICS_PORT: '0' }))
  await until(async () => (await progressOf(tenant, id))?.procesados)
  await ask(tenant.id, id)
  await until(async () => (await progressOf(tenant, id))?.procesados === 1_130, 90_000)
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.map((child) => once(child, 'exit')))
  const outcome = await outcomeOf(tenant, id)
  assert.equal(outcome.resultados.length, 1_130)
  assert.equal(outcome.uso[0]?.['n'], `${outcome.cfdis.length}`)
})

test('files that are gone before their import fail the load with a reason, and the same files again go on with it', async () => {
  await product.worker.start()
  const tenant = await product.createTenant()
  await product.worker.stop()
  const id = await upload(tenant)
  const folder = path.join(product.deps.config.filesPath, 'cargas', tenant.id, id)
  rmSync(folder, { recursive: true })
  await product.worker.start()
  await until(async () => (await tenant.get(`/api/cfdi/cargas/${id}`)).json().estado === 'fallida')
  assert.equal((await tenant.get(`/api/cfdi/cargas/${id}`)).json().error.code, 'carga.files_lost')
  assert.equal(await upload(tenant), id)
  await until(async () => (await progressOf(tenant, id))?.procesados === 1_130)
  await until(() => !existsSync(folder))
})
