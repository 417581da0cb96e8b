import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { randomRfc, type Tenant } from '../support/product.ts'
import { type SyncWorld, startSyncWorld } from '../support/sync-world.ts'
import { until } from '../support/until.ts'

let world: SyncWorld
const ends: (() => Promise<void>)[] = []
before(async () => {
  world = await startSyncWorld({ after: (end) => void ends.unshift(end) }, { env: { SAT_HISTORY_YEARS: '0' } })
})
after(async () => {
  for (const end of ends) await end()
})

const HOUR = 60
const hoursOn = (hours: number) => {
  world.time.now = new Date(world.time.now.getTime() + hours * 3_600_000)
}
const requestsOf = (tenant: Tenant) =>
  world.product.deps.central
    .selectFrom('sat_solicitudes')
    .selectAll()
    .where('tenant_id', '=', tenant.id)
    .orderBy('id')
    .execute()
const uuidsOf = (tenant: Tenant) =>
  tenant.db(async (db) => {
    const rows = await db.selectFrom('cfdis').select('uuid_fiscal').orderBy('uuid_fiscal').execute()
    return rows.map(({ uuid_fiscal }) => uuid_fiscal)
  })
const lower = (documents: readonly { uuid: string }[]) => documents.map(({ uuid }) => uuid.toLowerCase()).sort()
const alertsOf = (tenant: Tenant, tipo: string) =>
  tenant.db((db) =>
    db
      .selectFrom('alertas')
      .select(['clave', 'severidad', 'mensaje', 'resuelta_en'])
      .where('tipo', '=', tipo)
      .orderBy('clave')
      .execute(),
  )
const stateOf = async (tenant: Tenant) => (await tenant.get('/api/sat/sync')).json()
/** Nothing was asked of the SAT more often than it may be. */
const assertFrugal = (rfc: string) => {
  const times = new Map<string, number>()
  for (const one of world.sat.solicitudes())
    if (one.rfc === rfc && one.tipo === 'CFDI') times.set(one.huella, (times.get(one.huella) ?? 0) + 1)
  assert.ok(
    [...times.values()].every((n) => n <= 2),
    JSON.stringify([...times.values()]),
  )
}
/** What the SAT has for a company, from `emite`. */
const some = (rfc: string, n: number, day = 1) =>
  world.emite(
    ...Array.from({ length: n }, (_, i) => ({
      emisor: { rfc },
      fecha: `2026-01-${String(((day + i) % 28) + 1).padStart(2, '0')}T10:00:0${i % 10}`,
    })),
  )

test('while the SAT stands still for days nothing is lost or asked twice, and the company is told why', async () => {
  const rfc = randomRfc()
  const documents = some(rfc, 4)
  world.sat.atoraTodo(24 * 5)
  const tenant = await world.company(rfc)
  await world.passTime(async () => (await alertsOf(tenant, 'SAT_SIN_DESCARGA')).length > 0, { minutes: 6 * HOUR })
  const [told] = await alertsOf(tenant, 'SAT_SIN_DESCARGA')
  assert.match(told?.mensaje ?? '', /Desde hace (48|5\d) horas no termina bien/)
  assert.equal((await stateOf(tenant)).estado, 'en_curso')
  await world.passTime(async () => (await requestsOf(tenant)).some(({ generacion }) => generacion > 0), {
    minutes: 6 * HOUR,
  })
  const [stuck] = (await alertsOf(tenant, 'SAT_SIN_DESCARGA')).map(({ mensaje }) => mensaje)
  assert.match(stuck ?? '', /El SAT lleva 3 días/)
  const replaced = (await requestsOf(tenant)).filter(({ estado }) => estado === 'sustituida')
  assert.ok(replaced.length > 0 && replaced.every(({ codigo }) => codigo === 'sat.sin_respuesta'))
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia', { minutes: 6 * HOUR })
  assert.deepEqual(await uuidsOf(tenant), lower(documents))
  assert.equal((await stateOf(tenant)).faltan.total, 0)
  assert.ok((await alertsOf(tenant, 'SAT_SIN_DESCARGA'))[0]?.resuelta_en)
  assertFrugal(rfc)
  world.sat.desatoraTodo()
})

test('answers that get lost on the way are found again: adopted, or asked for in other words', async () => {
  const rfc = randomRfc()
  const documents = some(rfc, 3)
  world.sat.addFault({ fault: 'perdida', operacion: 'solicita', rfc, next: 5 })
  world.sat.addFault({ fault: 'perdida', operacion: 'verifica', rfc, next: 2 })
  world.sat.addFault({ fault: 'perdida', operacion: 'descarga', rfc, next: 1 })
  const tenant = await world.company(rfc)
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia', { minutes: 16 })
  assert.deepEqual(await uuidsOf(tenant), lower(documents))
  assertFrugal(rfc)
})

test('a service that answers pages, faults and errors is left alone for a while, and then goes on', async () => {
  const rfc = randomRfc()
  const documents = some(rfc, 3)
  for (const operacion of ['autentica', 'solicita', 'verifica', 'descarga'] as const)
    for (const fault of ['html_200', 'http_500', 'empty_200'] as const)
      world.sat.addFault({ fault, operacion, rfc, next: 1 })
  world.sat.addFault({ fault: 'codigo', operacion: 'solicita', rfc, next: 3 })
  world.sat.addFault({ fault: 'codigo', operacion: 'descarga', rfc, codigo: '404', next: 1 })
  const tenant = await world.company(rfc)
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia', { minutes: 10 })
  assert.deepEqual(await uuidsOf(tenant), lower(documents))
  assertFrugal(rfc)
})

test('a month with more than one request brings is asked for by halves', async () => {
  const rfc = randomRfc()
  const documents = some(rfc, 12)
  world.sat.ajusta({ topeCfdi: 5 })
  const tenant = await world.company(rfc)
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia', { minutes: 2 })
  world.sat.ajusta({ topeCfdi: 200_000 })
  assert.deepEqual(await uuidsOf(tenant), lower(documents))
  assert.ok((await requestsOf(tenant)).some(({ estado }) => estado === 'dividida'))
})

test('packages that expired, or were given twice, or came broken, are asked for again', async () => {
  const rfc = randomRfc()
  const documents = some(rfc, 3)
  world.sat.addFault({ fault: 'zip_roto', operacion: 'descarga', rfc, next: 3 })
  const tenant = await world.company(rfc)
  await world.passTime(
    async () => (await requestsOf(tenant)).some(({ estado }) => estado === 'sustituida' || estado === 'completa'),
    { minutes: 2 },
  )
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia', { minutes: 2 })
  assert.deepEqual(await uuidsOf(tenant), lower(documents))
  assertFrugal(rfc)
})

test('what was stamped after its day was asked for is found by the list and asked for by folio', async () => {
  const rfc = randomRfc()
  some(rfc, 2)
  const tenant = await world.company(rfc)
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia')
  const late = some(rfc, 2, 20)
  hoursOn(24)
  await world.passTime(async () => (await stateOf(tenant)).corrida.tipo === 'nocturna', { minutes: 30 })
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia')
  const folios = (await requestsOf(tenant)).filter(({ direccion }) => direccion === 'folio')
  assert.deepEqual(folios.map(({ parametros }) => (parametros as { Folio: string }).Folio).sort(), lower(late))
  assert.equal((await uuidsOf(tenant)).length, 4)
  assert.equal((await stateOf(tenant)).faltan.total, 0)
})

test('a revoked e.firma stops its company alone, says what to do, and another one goes on where it stopped', async () => {
  const [rfc, other] = [randomRfc(), randomRfc()]
  const documents = some(rfc, 3)
  some(other, 2)
  world.sat.revoca(rfc)
  const tenant = await world.company(rfc)
  const neighbour = await world.company(other)
  await world.passTime(async () => (await stateOf(neighbour)).estado === 'al_dia')
  const paused = await stateOf(tenant)
  assert.equal(paused.estado, 'en_pausa')
  assert.equal(paused.pausa.codigo, 'fiel.con_problema')
  assert.equal((await alertsOf(tenant, 'SAT_SIN_DESCARGA')).length, 1, 'it hears of it at once')
  assert.match(paused.mensaje, /revocado|304/)
  assert.match(paused.efirma.problema, /304/)
  const asked = world.sat.requests().length
  for (let hour = 0; hour < 5; hour++) {
    hoursOn(1)
    await world.settle()
  }
  assert.equal(
    world.sat.requests().filter(({ rfc: who }) => who === rfc).length,
    world.sat
      .requests()
      .slice(0, asked)
      .filter(({ rfc: who }) => who === rfc).length,
  )
  world.sat.restituye(rfc)
  await world.upload(tenant)
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia')
  assert.ok((await alertsOf(tenant, 'SAT_SIN_DESCARGA'))[0]?.resuelta_en)
  assert.deepEqual(await uuidsOf(tenant), lower(documents))
  assertFrugal(rfc)
})

test('without a plan that has it, or suspended, a company waits; then it goes on by itself', async () => {
  const rfc = randomRfc()
  const documents = some(rfc, 2)
  const tenant = await world.company(rfc, 'starter')
  await world.settle()
  const { central } = world.product.deps
  const row = async () =>
    central.selectFrom('sat_sync_settings').selectAll().where('tenant_id', '=', tenant.id).executeTakeFirstOrThrow()
  assert.equal((await row()).paused_code, 'feature_not_in_plan')
  assert.equal((await requestsOf(tenant)).length, 0)
  const exception = { tipo: 'funcion', clave: 'xml_sat', activa: true, hasta: null, motivo: 'convenio con la empresa' }
  const given = await world.product.staff.post(`/api/subscriptions/${tenant.id}/excepciones`, exception)
  assert.equal(given.statusCode, 201, given.body)
  const suspend = async (suspendida: boolean) => {
    const body = { suspendida, ...(suspendida && { motivo: 'convenio con la empresa' }) }
    const answer = await world.product.staff.send('PATCH', `/api/tenants/${tenant.id}`, { body })
    assert.ok(answer.statusCode < 300, answer.body)
    const state = suspendida ? 'suspended' : 'active'
    const placement = central.selectFrom('tenant_databases').select('state').where('tenant_id', '=', tenant.id)
    await until(async () => (await placement.executeTakeFirst())?.state === state)
  }
  await suspend(true)
  hoursOn(2)
  await world.settle()
  assert.equal((await requestsOf(tenant)).length, 0)
  await suspend(false)
  await world.passTime(async () => (await row()).last_success_at !== null, { minutes: 10 })
  assert.deepEqual(await uuidsOf(tenant), lower(documents))
})

test('the plan is full: XML waits and is not lost, lists go on, and with a larger plan it comes', async () => {
  const rfc = randomRfc()
  const documents = some(rfc, 6)
  const tenant = await world.product.createTenant({ rfc })
  const limit = (valor: number) => {
    const body = { tipo: 'limite', clave: 'cfdis', valor, hasta: null, motivo: 'convenio con la empresa' }
    return world.product.staff.post(`/api/subscriptions/${tenant.id}/excepciones`, body)
  }
  assert.equal((await limit(4)).statusCode, 201)
  await world.upload(tenant)
  await world.passTime(async () => (await stateOf(tenant)).pausa?.codigo === 'cfdi.limite')
  assert.match((await stateOf(tenant)).mensaje, /límite de CFDI de tu plan/)
  assert.equal((await uuidsOf(tenant)).length, 4)
  assert.equal((await alertsOf(tenant, 'CFDI_LIMITE_PLAN')).length, 1)
  const sent = (await requestsOf(tenant)).filter(({ tipo, enviada_en }) => tipo === 'CFDI' && enviada_en).length
  await world.passTime(
    async () =>
      (await requestsOf(tenant)).every(({ tipo, estado }) => tipo === 'CFDI' || ['completa', 'vacia'].includes(estado)),
    { minutes: 10 },
  )
  assert.equal((await requestsOf(tenant)).filter(({ tipo, enviada_en }) => tipo === 'CFDI' && enviada_en).length, sent)
  assert.equal((await limit(100)).statusCode, 201)
  const { central, queue } = world.product.deps
  await world.passTime(
    async () => {
      await central.transaction().execute((trx) => queue.enqueue(trx, 'cfdi.import-sweep', {}))
      return (await stateOf(tenant)).estado === 'al_dia'
    },
    { minutes: 10 },
  )
  assert.deepEqual(await uuidsOf(tenant), lower(documents))
})

test('a cancellation of months ago is learned of by the list, and told', async () => {
  const rfc = randomRfc()
  const [received] = world.emite({
    emisor: { rfc: 'IIA040805DZ4' },
    receptor: { rfc },
    fecha: '2026-01-08T10:00:00',
  })
  const tenant = await world.company(rfc)
  await world.passTime(async () => (await stateOf(tenant)).estado === 'al_dia')
  world.sat.cancel(received?.uuid ?? '', 'con_aceptacion')
  hoursOn(24)
  await world.passTime(async () => (await alertsOf(tenant, 'CFDI_RECIBIDO_CANCELADO')).length === 1, { minutes: 30 })
})
