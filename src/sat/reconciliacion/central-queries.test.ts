import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Product, startProduct } from '../../../test/support/product.ts'
import { insertCompanies } from '../../../test/support/vault.ts'
import { findPaquete } from '../paquetes/central-queries.ts'
import { insertSolicitudes } from '../sync/request-queries.ts'
import { orderRun } from '../sync/run-queries.ts'
import { findListaPedida, findListasPedidas } from './central-queries.ts'

const NOW = new Date('2026-02-11T12:00:00Z')
const at = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000)

let product: Product
const ends: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ends.unshift(end) }, { worker: false })
})
after(async () => {
  for (const end of ends) await end()
})

test('a list knows what was so when its request was accepted; of one sent twice, when it was written down', async () => {
  const { central } = product.deps
  const [tenantId = ''] = await insertCompanies(central, ['EKU9003173C9'])
  const rango = { desde: '2026-01-01T00:00:00', hasta: '2026-01-31T23:59:59' }
  const consulta = { servicio: 'cfdi', direccion: 'recibidos', tipo: 'Metadata', estado: 'Todos', ...rango } as const
  const jobId = await central.transaction().execute(async (trx) => {
    const { id } = await orderRun(trx, { tenantId, kind: 'nocturna', by: null, now: NOW })
    await insertSolicitudes(trx, { tenantId, jobId: id, rfc: 'EKU9003173C9' }, [{ consulta, prioridad: 0 }], NOW)
    return id
  })
  const { id } = await central.selectFrom('sat_solicitudes').select('id').executeTakeFirstOrThrow()
  await central
    .insertInto('sat_paquetes')
    .values({
      ...{ solicitud_id: id, tenant_id: tenantId, id: 'P_01', n: 1, estado: 'descargado' as const },
      ...{ vence_en: at(200), actualizado_en: NOW },
    })
    .execute()
  for (const [intentos, known] of [
    [1, at(96)],
    // The SAT may have taken the first one, whose answer got lost, and say of the second that it is at it already.
    [2, NOW],
  ] as const) {
    await central
      .updateTable('sat_solicitudes')
      .set({ estado: 'terminada', intentos, enviada_en: at(95), aceptada_en: at(96) })
      .execute()
    assert.deepEqual((await findListaPedida(central, tenantId, id))?.listadaEn, known)
    assert.deepEqual((await findListasPedidas(central, tenantId, jobId))[0]?.listadaEn, known)
    const paquete = await findPaquete(central, { tenantId, solicitudId: id, id: 'P_01' })
    assert.deepEqual(paquete?.listedAt, known, 'and so do its rows')
  }
})
