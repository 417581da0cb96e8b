import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { randomRfc, type Tenant } from '../../../test/support/product.ts'
import { type SyncWorld, startSyncWorld } from '../../../test/support/sync-world.ts'

let world: SyncWorld
const ends: (() => Promise<void>)[] = []
before(async () => {
  world = await startSyncWorld({ after: (end) => void ends.unshift(end) }, { env: { SAT_HISTORY_YEARS: '0' } })
})
after(async () => {
  for (const end of ends) await end()
})

const openAlerts = (tenant: Tenant) =>
  tenant.db((db) =>
    db
      .selectFrom('alertas')
      .select('mensaje')
      .where('tipo', '=', 'SAT_SIN_DESCARGA')
      .where('resuelta_en', 'is', null)
      .execute(),
  )

test('a month that could not be had is told night after night, until it is tried again and comes', async () => {
  const rfc = randomRfc()
  world.emite({ emisor: { rfc }, fecha: '2026-01-05T10:00:00' }, { emisor: { rfc }, fecha: '2026-02-05T10:00:00' })
  const tenant = await world.company(rfc)
  await world.passTime(async () => (await world.sync(tenant)).estado === 'al_dia')
  const whole = (await world.sync(tenant)) as { cubiertoHasta?: { emitidos: string } }
  assert.equal(whole.cubiertoHasta?.emitidos, '2026-02-09T23:59:59')

  const { central } = world.product.deps
  const january = await central
    .updateTable('sat_solicitudes')
    .set({ estado: 'rechazada', codigo: '301' })
    .where('tenant_id', '=', tenant.id)
    .where('tipo', '=', 'CFDI')
    .where('servicio', '=', 'cfdi')
    .where('direccion', '=', 'emitidos')
    .where('desde', '=', '2026-01-01 00:00:00')
    .returning('id')
    .executeTakeFirstOrThrow()
  await central.updateTable('sat_sync_settings').set({ covered_until: {} }).where('tenant_id', '=', tenant.id).execute()
  world.time.now = new Date(world.time.now.getTime() + 24 * 3_600_000)
  await world.passTime(
    async () => {
      const { corrida } = (await world.sync(tenant)) as unknown as { corrida: { tipo: string; estado: string } }
      return corrida.tipo === 'nocturna' && corrida.estado === 'terminada'
    },
    { minutes: 10 },
  )
  const state = (await world.sync(tenant)) as unknown as Record<string, unknown>
  assert.deepEqual([state['estado'], state['periodosConFalla']], ['con_fallas', 1])
  assert.equal((state['cubiertoHasta'] as { emitidos: string | null }).emitidos, null)
  assert.match((await openAlerts(tenant))[0]?.mensaje ?? '', /Un periodo no se pudo descargar/)
  const months = await central
    .selectFrom('sat_solicitudes')
    .select('id')
    .where('tenant_id', '=', tenant.id)
    .where('tipo', '=', 'CFDI')
    .where('desde', '=', '2026-01-01 00:00:00')
    .where('direccion', '=', 'emitidos')
    .where('servicio', '=', 'cfdi')
    .execute()
  assert.equal(months.length, 1, 'by itself it is asked for no more')

  const again = await tenant.post(`/api/sat/solicitudes/${january.id}/reintentar`)
  assert.equal(again.statusCode, 202, again.body)
  await world.passTime(async () => (await world.sync(tenant)).estado === 'al_dia')
  assert.deepEqual(await openAlerts(tenant), [])
})
