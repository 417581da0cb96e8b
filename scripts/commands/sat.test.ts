import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { insertSolicitudes } from '../../src/sat/sync/request-queries.ts'
import { startTenancy, type Tenancy } from '../../test/support/tenancy.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

test('the operator sees how the synchronisation of a company stands, and orders one', async () => {
  const { tenantId, rfc } = await tenancy.company()
  const without = await horux('status', '--rfc', rfc, '--json')
  assert.equal(without.code, 0, without.err)
  assert.deepEqual([JSON.parse(without.out).rfc, JSON.parse(without.out).estado], [rfc, 'sin_efirma'])
  const refused = await horux('sync', '--rfc', rfc)
  assert.equal(refused.code, 1)
  assert.match(refused.err, /sat\.sin_efirma/)

  const now = new Date()
  const order = { tenant_id: tenantId, history_from: `${now.getUTCFullYear()}-01-01`, created_at: now, updated_at: now }
  await tenancy.central.insertInto('sat_sync_settings').values(order).execute()
  assert.match((await horux('sync', '--rfc', rfc, '--desde', '1999-01-01')).err, /sat\.desde_fuera_de_rango/)
  const ordered = await horux('sync', '--rfc', tenantId, '--json')
  assert.equal(ordered.code, 0, ordered.err)
  const { id, tipo } = JSON.parse(ordered.out)
  assert.equal(tipo, 'manual')
  assert.equal(JSON.parse((await horux('sync', '--rfc', rfc, '--json')).out).id, id, 'one run is open at a time')
  assert.match((await horux('status', '--rfc', rfc)).out, /corrida manual, pendiente/)
  assert.equal((await horux('status')).code, 2)

  const rango = { desde: `${order.history_from}T00:00:00`, hasta: `${order.history_from}T23:59:59` }
  const consulta = { servicio: 'cfdi', direccion: 'emitidos', tipo: 'CFDI', estado: 'Todos', ...rango } as const
  await tenancy.central
    .transaction()
    .execute((trx) => insertSolicitudes(trx, { tenantId, jobId: id, rfc }, [{ consulta, prioridad: 0 }], now))
  // The SAT has had it for twenty days: the operator reads what the company reads.
  await putFiel(tenantId, rfc, now)
  const sent = new Date(now.getTime() - 20 * 86_400_000 - 3_600_000)
  const stuck = { estado: 'en_proceso', enviada_en: sent, aceptada_en: sent } as const
  await tenancy.central.updateTable('sat_solicitudes').set(stuck).execute()
  assert.match((await horux('status', '--rfc', rfc)).out, /en_curso\. El SAT lleva 20 días sin entregar una solicitud/)
  const failed = { estado: 'fallida', siguiente_en: null, reintentar_en: new Date('2099-03-04T09:00:00Z') } as const
  await tenancy.central.updateTable('sat_solicitudes').set(failed).execute()
  assert.match(
    (await horux('status', '--rfc', rfc)).out,
    /periodos con falla, sin descargar: 1; se piden otra vez solos desde 2099-03-04T09:00:00\.000Z/,
  )
})

async function putFiel(tenantId: string, rfc: string, now: Date): Promise<void> {
  const bytes = Buffer.alloc(32)
  const fiel = {
    ...{ id: randomUUID(), tenant_id: tenantId, rfc, serial: '30001000000500003416', nombre: 'EMPRESA', kid: 'k' },
    ...{ valid_from: now, valid_to: new Date('2099-01-01'), fingerprint: bytes, created_at: now },
    ...{ certificate: bytes, private_key: bytes, password: bytes },
  }
  await tenancy.central.insertInto('fiel_credentials').values(fiel).execute()
}

function horux(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const script = path.join(import.meta.dirname, '..', 'horux.ts')
  const env = { PATH: process.env['PATH'] ?? '', ...tenancy.env }
  const { promise, resolve } = Promise.withResolvers<{ code: number; out: string; err: string }>()
  execFile(process.execPath, [script, 'sat', ...args], { env }, (error, out, err) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
  })
  return promise
}
