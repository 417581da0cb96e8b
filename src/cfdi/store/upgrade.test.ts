import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { startPreparedCluster } from '../../../test/support/prepared-cluster.ts'
import { openAs } from '../../db/client.ts'

const FOLDER = path.resolve(import.meta.dirname, '../../../tenant-migrations')
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.sql'))

test('a company of the release before gets its sums, and is read again', async (t) => {
  const cluster = await startPreparedCluster()
  t.after(() => cluster.stop())
  const admin = await openAs(cluster.adminUrl)
  t.after(() => admin.end())
  const upgraded = async (name: string, rows: string) => {
    await admin.query(`create database ${name} template template0`)
    const url = new URL(cluster.adminUrl)
    url.pathname = name
    const db = await openAs(url.href)
    t.after(() => db.end())
    for (const file of FILES.filter((file) => file < '0006'))
      await db.query(readFileSync(path.join(FOLDER, file), 'utf8'))
    await db.query(`insert into _tenant (id, rfc) values ('0192b7a0-0000-7000-8000-000000000001', 'EKU9003173C9')`)
    await db.query(rows)
    for (const file of FILES.filter((file) => file >= '0006'))
      await db.query(readFileSync(path.join(FOLDER, file), 'utf8'))
    return db
  }

  const db = await upgraded('with_rows', ROWS)
  const sums = await db.query(
    `select mes, efecto, n::int, iva16::text from movimientos_sumas where n > 0 order by mes, efecto`,
  )
  assert.deepEqual(sums, [
    { mes: 1, efecto: 'cuenta', n: 2, iva16: '32.00' },
    { mes: 2, efecto: 'no_acreditable', n: 1, iva16: '16.00' },
  ])
  assert.deepEqual(await db.query('select job, payload from outbox'), [
    { job: 'cfdi.complete', payload: { tenantId: '0192b7a0-0000-7000-8000-000000000001' } },
  ])

  const empty = await upgraded('without_rows', 'select 1')
  assert.deepEqual(await empty.query('select job from outbox'), [], 'nothing to read')
})

const ROWS = `
insert into cfdis (uuid_fiscal, version, tipo, direccion, fecha_emision, fecha_timbrado, rfc_emisor, rfc_receptor, subtotal,
  iva, ieps, isr_retenido, iva_retenido, ieps_retenido, total, moneda, impuestos, base_no_objeto, combustible, source)
select md5(n::text)::uuid, '4.0', 'I', 'emitido', '2026-01-10', '2026-01-10', 'EKU9003173C9', 'URE180429TM6', 100,
  16, 0, 0, 0, 0, 116, 'MXN', '[]', 0, false, 'upload'
from generate_series(1, 4) n;
insert into movimientos (uuid_fiscal, n, documento, clase, direccion, fecha, ejercicio, mes, contraparte, total, base16, iva16,
  base8, iva8, base0, base_exenta, base_no_objeto, base_otra, iva_otra, iva_retenido, isr_retenido, efecto, motivo)
select md5(n::text)::uuid, 0, null, 'PUE', 'emitido', '2026-01-10', 2026, case when n = 3 then 2 else 1 end, 'X', 116, 100, 16,
  0, 0, 0, 0, 0, 0, 0, 0, 0, case when n < 3 then 'cuenta' when n = 3 then 'no_acreditable' else 'sin_efecto' end,
  case when n = 3 then 'uso_sin_efectos' when n = 4 then 'cancelado' end
from generate_series(1, 4) n`
