import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { sql } from 'kysely'
import { ownFixture, ownFixtures } from '../../../test/support/fixtures.ts'
import { type ScratchTenants, scratchTenants } from '../../../test/support/scratch-tenant.ts'
import type { TenantDb } from '../../db/databases.ts'
import { parseCfdi } from '../read/parse.ts'
import { completeCfdis } from './complete-cfdis.ts'
import { storeCfdis } from './store-cfdis.ts'

let tenants: ScratchTenants
before(async () => {
  tenants = await scratchTenants()
})
after(() => tenants.close())

const fixtures = ['cfdi/33', 'cfdi/40'].flatMap(ownFixtures).map((name) => parseCfdi(ownFixture(name)))
const LATER = ['cfdi_conceptos', 'cfdi_impuestos', 'cfdi_nominas', 'cfdi_retenciones', 'cfdi_avisos', 'cfdi_busqueda']

async function stored(): Promise<TenantDb> {
  const db = await tenants.create()
  await storeCfdis(db, 'EKU9003173C9', fixtures, {
    source: 'upload',
    limit: { max: -1, mode: 'hard' },
    now: new Date(),
  })
  return db
}

/** As the release before left what it stored. */
async function forget(db: TenantDb): Promise<void> {
  for (const table of LATER) await sql`delete from ${sql.table(table)}`.execute(db)
  await sql`
    update cfdis set no_certificado = null, sello_fin = null, no_certificado_sat = null, condiciones_pago = null,
      confirmacion = null, n_conceptos = 0, complementos = '{}', reparaciones = '{}'`.execute(db)
}

async function everything(db: TenantDb): Promise<unknown> {
  const answer: unknown[] = []
  for (const table of ['cfdis', ...LATER, 'cfdi_pagos', 'movimientos', 'iva_mensual']) {
    const { rows } = await sql<{ row: { avisos?: string[] } }>`
      select to_jsonb(t) - 'creado_en' - 'calculado_en' as row from ${sql.table(table)} t order by to_jsonb(t)::text`.execute(
      db,
    )
    answer.push(rows.map(({ row }) => ({ ...row, ...(row.avisos && { avisos: row.avisos.toSorted() }) })))
  }
  return answer
}

test('what an earlier release left out is read again, once, and nothing else changes', async () => {
  const db = await stored()
  const expected = await everything(db)
  await forget(db)
  const both = await Promise.all([completeCfdis(db, { batch: 7 }), completeCfdis(db, { batch: 5 })])
  assert.equal(both[0].completed + both[1].completed, fixtures.length)
  assert.deepEqual(await everything(db), expected)
  assert.deepEqual(await completeCfdis(db), { completed: 0, unreadable: [] })
})

test('what an earlier release derived by other rules is derived by those of today', async () => {
  const db = await stored()
  const expected = await everything(db)
  await forget(db)
  await sql`update movimientos set efecto = 'cuenta', motivo = null, base_no_objeto = base_no_objeto + 7`.execute(db)
  await completeCfdis(db, { batch: 5 })
  assert.deepEqual(await everything(db), expected)
})

test('one that cannot be read any more is told, and the others go on', async () => {
  const db = await stored()
  await forget(db)
  const uuid = fixtures[3]?.uuid ?? ''
  await sql`update cfdi_xml set contenido = ${zstdCompressSync(Buffer.from('<x'))} where uuid_fiscal = ${uuid}::uuid`.execute(
    db,
  )
  assert.deepEqual(await completeCfdis(db), { completed: fixtures.length - 1, unreadable: [uuid] })
})

test('it stops between two batches when it is asked to', async () => {
  const db = await stored()
  await forget(db)
  const { completed } = await completeCfdis(db, { signal: AbortSignal.abort(), batch: 5 })
  assert.equal(completed, 0)
})
