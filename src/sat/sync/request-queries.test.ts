import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { startProduct } from '../../../test/support/product.ts'
import { insertCompanies } from '../../../test/support/vault.ts'
import { insertSolicitudes } from './request-queries.ts'
import { orderRun } from './run-queries.ts'

test('what a company that is gone left unasked does not keep the next one of its RFC from asking', async (t) => {
  const { central } = (await startProduct(t, { worker: false })).deps
  const now = new Date('2026-02-11T12:00:00Z')
  const range = { servicio: 'cfdi', direccion: 'recibidos', desde: '2025-12-01T00:00:00', hasta: '2025-12-31T23:59:59' }
  const write = async (tenantId: string, tipo: 'CFDI' | 'Metadata') => {
    const consulta = { ...range, tipo, estado: tipo === 'CFDI' ? 'Vigente' : 'Todos' } as never
    return central.transaction().execute(async (trx) => {
      const run = await orderRun(trx, { tenantId, kind: 'nocturna', by: null, now })
      return insertSolicitudes(trx, { tenantId, jobId: run.id, rfc: RFC }, [{ consulta, prioridad: 0 }], now)
    })
  }
  const hastas = async (tenantId: string) => {
    const rows = await central
      .selectFrom('sat_solicitudes')
      .select(['tipo', 'parametros'])
      .where('tenant_id', '=', tenantId)
      .orderBy('tipo')
      .execute()
    return rows.map(({ tipo, parametros }) => `${tipo} ${(parametros as { FechaFinal: string }).FechaFinal}`)
  }
  const [gone = ''] = await insertCompanies(central, [RFC])
  for (const tipo of ['CFDI', 'Metadata'] as const) assert.equal(await write(gone, tipo), 1)
  await central.updateTable('tenants').set({ deleted_at: now }).where('id', '=', gone).execute()

  const next = uuidv7()
  await central.insertInto('tenants').values({ id: next, rfc: RFC, nombre: 'La misma, otra vez' }).execute()
  for (const tipo of ['CFDI', 'Metadata'] as const) assert.equal(await write(next, tipo), 1, tipo)
  assert.deepEqual(await hastas(gone), ['CFDI 2025-12-31T23:59:59', 'Metadata 2025-12-31T23:59:59'])
  // The SAT counts the XML of an RFC, whoever asks; lists may be asked for at any time.
  assert.deepEqual(await hastas(next), ['CFDI 2026-01-01T00:00:00', 'Metadata 2025-12-31T23:59:59'])
  assert.equal(await write(next, 'Metadata'), 0, 'one that is still to come is not asked for twice')
})

const RFC = 'EKU9003173C9'
