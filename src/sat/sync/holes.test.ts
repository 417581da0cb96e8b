import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { randomRfc, type Tenant } from '../../../test/support/product.ts'
import { type SyncWorld, startSyncWorld } from '../../../test/support/sync-world.ts'
import { MOST_RETRIED } from './reintentos.ts'

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

test('months that could not be had are told until they come, and a later night asks for them again by itself', async () => {
  const rfc = randomRfc()
  const documents = world.emite(
    { emisor: { rfc }, fecha: '2026-01-05T10:00:00' },
    { emisor: { rfc }, fecha: '2026-02-05T10:00:00' },
  )
  world.sat.addFault({ fault: 'codigo', operacion: 'solicita', rfc, codigo: '9999' })
  const tenant = await world.company(rfc)
  await world.untilDone(tenant)
  const state = (await world.sync(tenant)) as unknown as Record<string, unknown>
  assert.equal(state['estado'], 'con_fallas')
  const many = state['periodosConFalla'] as number
  assert.ok(many > 1 && many <= MOST_RETRIED)
  assert.equal((state['cubiertoHasta'] as { emitidos: string | null }).emitidos, null)
  const [told] = await openAlerts(tenant)
  assert.match(
    told?.mensaje ?? '',
    new RegExp(`^${many} periodos no se pudieron descargar: .* la madrugada del 11 de febrero`),
  )

  world.sat.clearFaults()
  // The list of each month is there before the rest of the night: its alert is still open then.
  world.time.now = new Date('2026-02-11T12:01:00Z')
  await world.settle()
  assert.match((await openAlerts(tenant))[0]?.mensaje ?? '', new RegExp(`^${many} periodos .* Ya los estamos pidiendo`))
  await world.passTime(async () => (await world.sync(tenant)).estado === 'al_dia')
  assert.deepEqual(await openAlerts(tenant), [])
  assert.equal(
    await tenant.db(async (db) => (await db.selectFrom('cfdis').select('uuid_fiscal').execute()).length),
    documents.length,
  )
  const whole = (await world.sync(tenant)) as { cubiertoHasta?: { emitidos: string } }
  assert.equal(whole.cubiertoHasta?.emitidos, '2026-02-10T23:59:59')
})

test('a package that the SAT refuses in words of its own is told to a person with those words', async () => {
  const rfc = randomRfc()
  world.emite({ emisor: { rfc }, fecha: '2026-02-05T10:00:00' })
  world.sat.addFault({ fault: 'codigo', operacion: 'descarga', rfc, codigo: '9999', next: 1 })
  const tenant = await world.company(rfc)
  await world.passTime(async () =>
    world.product.log.some((line) => /sat_person_looks.*"paquete"|"paquete".*sat_person_looks/.test(line)),
  )
  const line = world.product.log.find((line) => line.includes('sat_person_looks') && line.includes('"paquete"'))
  const { tenant_id, what, codigo, mensaje } = JSON.parse(line ?? '{}')
  assert.deepEqual([tenant_id, what, codigo], [tenant.id, 'descarga 9999', '9999'])
  assert.ok(mensaje, 'what the SAT said')
})
