import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { sql } from 'kysely'
import { downloadedList } from '../support/downloaded-list.ts'
import { startProduct } from '../support/product.ts'
import { metadataList, metadataRow } from '../support/sat-metadata.ts'
import { until } from '../support/until.ts'
import { missTheDead, spawnWorker, workUntilCrash } from '../support/worker-child.ts'
import { zipArchive } from '../support/zip-archive.ts'

// The SAT gives up to a million rows in a list, which take minutes. Here there are as many as make dozens of commits.
const ROWS = 30_000
const KILLED_AT = 10_000

test('a list of tens of thousands of rows is read whole by a worker, and by another one from where the first died', async (t) => {
  const product = await startProduct(t)
  const tenant = await product.createTenant()
  await product.worker.stop()
  const rows = Array.from({ length: ROWS }, (_, n) => rowOf(tenant.rfc, n))
  const bytes = zipArchive([{ name: 'lista_01.txt', data: metadataList(rows) }])
  const { solicitudId, paqueteId, zip } = await downloadedList(product, tenant, bytes)
  const { central, queue } = product.deps
  const job = { tenantId: tenant.id, solicitudId, paqueteId }
  await central.transaction().execute((trx) => queue.enqueue(trx, 'sat.lectura', job))

  await workUntilCrash(product, `sat.lectura.${KILLED_AT}`)
  const half = await tenant.db(async (db) => {
    const { rows } = await sql<{ n: number; hasta: number; xid: string }>`
      select count(*)::int as n, (select leida_hasta from sat_lecturas) as hasta, pg_current_xact_id()::text as xid
      from sat_metadata`.execute(db)
    return rows[0]
  })
  assert.deepEqual([half?.n, half?.hasta], [KILLED_AT, KILLED_AT])
  await missTheDead(product)

  const worker = spawnWorker(product)
  const read = () =>
    central
      .selectFrom('sat_paquetes')
      .select(['estado', 'miembros', 'leidos', 'cuarentena'])
      .where('solicitud_id', '=', solicitudId)
      .executeTakeFirst()
  await until(async () => (await read())?.estado === 'importado', 90_000)
  const ended = once(worker, 'exit')
  worker.kill('SIGTERM')
  await ended
  assert.deepEqual(await read(), { estado: 'importado', miembros: ROWS, leidos: ROWS, cuarentena: 0 })
  assert.equal(existsSync(zip), false)
  const told = await tenant.db(async (db) => {
    const { rows } = await sql`
      select count(*)::int as filas, count(*) filter (where estatus = 'cancelado')::int as cancelados,
        sum(monto)::text as monto, count(*) filter (where falta)::int as faltan,
        count(*) filter (where xmin::text::bigint > ${half?.xid}::bigint)::int as despues
      from sat_metadata`.execute(db)
    return rows[0]
  })
  const cancelados = Math.ceil(ROWS / 40)
  // 100.00 and so many centavos each.
  const centavos = BigInt(ROWS) * 10_000n + (BigInt(ROWS) * BigInt(ROWS - 1)) / 2n
  assert.deepEqual(told, {
    ...{
      filas: ROWS,
      cancelados,
      faltan: ROWS,
      monto: `${centavos / 100n}.${String(centavos % 100n).padStart(2, '0')}`,
    },
    // What was written before is not written again.
    despues: ROWS - KILLED_AT,
  })
})

const rowOf = (rfcEmisor: string, n: number) =>
  metadataRow({
    rfcEmisor,
    uuid: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    monto: `${100 + Math.floor(n / 100)}.${String(n % 100).padStart(2, '0')}`,
    fechaEmision: `2026-01-${String((n % 28) + 1).padStart(2, '0')} 12:00:00`,
    ...(n % 40 === 0 && { estatus: '0', fechaCancelacion: '2026-02-03 10:00:00' }),
  })
