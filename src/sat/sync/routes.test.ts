import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { randomRfc } from '../../../test/support/product.ts'
import { type SyncWorld, startSyncWorld } from '../../../test/support/sync-world.ts'

let world: SyncWorld
const ends: (() => Promise<void>)[] = []
before(async () => {
  const stuck = { esperaMinMs: 3_600_000, esperaMaxMs: 3_600_000 }
  const options = { env: { SAT_HISTORY_YEARS: '0' }, ajustes: stuck }
  world = await startSyncWorld({ after: (end) => void ends.unshift(end) }, options)
})
after(async () => {
  for (const end of ends) await end()
})

test('without an e.firma there is nothing to ask with, and it says so', async () => {
  const tenant = await world.product.createTenant()
  const state = (await tenant.get('/api/sat/sync')).json()
  assert.deepEqual([state.estado, state.corrida, state.efirma], ['sin_efirma', null, null])
  const asked = await tenant.post('/api/sat/sync', {})
  assert.deepEqual([asked.statusCode, asked.json().code], [409, 'sat.sin_efirma'])
  assert.deepEqual((await tenant.get('/api/sat/solicitudes')).json(), { datos: [], siguiente: null })
})

test('a plan without it sees neither state nor requests', async () => {
  const tenant = await world.product.createTenant({ plan: 'starter' })
  for (const answer of [await tenant.get('/api/sat/sync'), await tenant.post('/api/sat/sync', {})])
    assert.deepEqual([answer.statusCode, answer.json().code], [402, 'feature_not_in_plan'])
})

test('asking twice is one run; further back makes history longer, and nothing older than six years is asked', async () => {
  const tenant = await world.company(randomRfc())
  const first = await tenant.post('/api/sat/sync', {})
  assert.equal(first.statusCode, 202, first.body)
  const second = await tenant.post('/api/sat/sync', { desde: '2025-11-01' })
  assert.equal(second.json().id, first.json().id)
  for (const desde of ['2019-12-31', '2026-02-11', '2026-02-30', '1'])
    assert.ok((await tenant.post('/api/sat/sync', { desde })).statusCode >= 400, desde)
  await world.settle()
  const state = (await tenant.get('/api/sat/sync')).json()
  assert.deepEqual([state.estado, state.historiaDesde], ['en_curso', '2025-11-01'])
  const { datos } = (await tenant.get('/api/sat/solicitudes?limite=200')).json()
  const oldest = datos.map(({ desde }: { desde: string }) => desde).sort()[0]
  assert.equal(oldest, '2025-11-01T00:00:00')
  // Shorter is nothing.
  await tenant.post('/api/sat/sync', { desde: '2026-01-15' })
  assert.equal((await tenant.get('/api/sat/sync')).json().historiaDesde, '2025-11-01')
})

test('requests are listed in pages, filtered, and each says in words how it is', async () => {
  const tenant = await world.company(randomRfc())
  await world.settle()
  const all = (await tenant.get('/api/sat/solicitudes?limite=200')).json().datos
  assert.ok(all.length >= 8)
  const pages: { id: string }[] = []
  for (let cursor = ''; ; ) {
    const page = (await tenant.get(`/api/sat/solicitudes?limite=3${cursor}`)).json()
    pages.push(...page.datos)
    if (page.siguiente === null) break
    cursor = `&cursor=${page.siguiente}`
  }
  assert.deepEqual(
    pages.map(({ id }) => id),
    all.map(({ id }: { id: string }) => id),
  )
  const xml = (await tenant.get('/api/sat/solicitudes?tipo=CFDI&direccion=recibidos&estado=aceptada')).json().datos
  assert.ok(xml.length > 0)
  for (const one of xml) {
    assert.deepEqual([one.tipo, one.direccion, one.estado], ['CFDI', 'recibidos', 'aceptada'])
    assert.match(one.dijo, /El SAT aceptó la solicitud/)
    assert.deepEqual((await tenant.get(`/api/sat/solicitudes/${one.id}`)).json(), one)
  }
  assert.equal((await tenant.get('/api/sat/solicitudes?cursor=bm9wZQ')).json().code, 'request.invalid_cursor')
})

test('one that failed is tried again in other words, however often that is asked for; one under way is not', async () => {
  const tenant = await world.company(randomRfc())
  await world.settle()
  const { central } = world.product.deps
  const { datos } = (await tenant.get('/api/sat/solicitudes?tipo=CFDI&limite=200')).json()
  const [failed, open] = datos
  await central
    .updateTable('sat_solicitudes')
    .set({ estado: 'fallida', siguiente_en: null, codigo: '9999', mensaje: 'Lo que sea' })
    .where('id', '=', failed.id)
    .execute()
  assert.match((await tenant.get(`/api/sat/solicitudes/${failed.id}`)).json().dijo, /9999.*Lo que sea.*persona/)
  const again = () => tenant.post(`/api/sat/solicitudes/${failed.id}/reintentar`)
  const [one, two] = [await again(), await again()]
  assert.deepEqual([one.statusCode, two.statusCode], [202, 202], one.body)
  assert.equal(one.json().id, two.json().id)
  assert.notEqual(one.json().id, failed.id)
  assert.deepEqual([one.json().desde, one.json().sustituyeA], [failed.desde, failed.id])
  assert.ok(one.json().hasta > failed.hasta)
  const refused = await tenant.post(`/api/sat/solicitudes/${open.id}/reintentar`)
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'sat.solicitud_sin_falla'])
})

test('requests of another company are nobody’s, a visor only reads, and staff that looks in changes nothing', async () => {
  const tenant = await world.company(randomRfc())
  const other = await world.company(randomRfc())
  await world.settle()
  const [theirs] = (await other.get('/api/sat/solicitudes?limite=1')).json().datos
  const mine = (await tenant.get('/api/sat/solicitudes?limite=200')).json().datos.map(({ id }: { id: string }) => id)
  assert.ok(theirs && !mine.includes(theirs.id))
  for (const answer of [
    await tenant.get(`/api/sat/solicitudes/${theirs.id}`),
    await tenant.post(`/api/sat/solicitudes/${theirs.id}/reintentar`),
  ])
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'sat.solicitud_desconocida'])
  assert.deepEqual((await tenant.get(`/api/sat/solicitudes?corrida=${theirs.corridaId}`)).json().datos, [])
  const behind = (await other.get('/api/sat/solicitudes?limite=1')).json().siguiente
  const page = (await tenant.get(`/api/sat/solicitudes?limite=200&cursor=${behind}`)).json().datos
  assert.ok(page.every(({ id }: { id: string }) => mine.includes(id)))

  const changes = (client: typeof world.product.staff, headers = {}) => [
    client.send('POST', '/api/sat/sync', { body: {}, headers }),
    client.send('POST', `/api/sat/solicitudes/${mine[0]}/reintentar`, { headers }),
  ]
  const visor = await tenant.member('visor')
  assert.equal((await visor.get('/api/sat/sync')).statusCode, 200)
  const { staff, anonymous } = world.product
  await staff.post('/api/auth/vista', { tenant: tenant.rfc, motivo: 'Revisión pedida por el cliente' })
  const looking = { 'x-view-tenant': encodeURIComponent(tenant.rfc) }
  assert.equal((await staff.send('GET', '/api/sat/sync', { headers: looking })).statusCode, 200)
  for (const answer of await Promise.all([...changes(visor), ...changes(staff, looking), ...changes(staff)]))
    assert.equal(answer.statusCode, 403, answer.body)
  for (const answer of await Promise.all(changes(anonymous))) assert.equal(answer.statusCode, 401)
})

test('a suspended company asks for nothing and sees nothing of it', async () => {
  const tenant = await world.company(randomRfc())
  await world.settle()
  const [{ id }] = (await tenant.get('/api/sat/solicitudes?limite=1')).json().datos
  const body = { suspendida: true, motivo: 'Lo pidió el juez' }
  const suspended = await world.product.staff.send('PATCH', `/api/tenants/${tenant.id}`, { body })
  assert.equal(suspended.statusCode, 200, suspended.body)
  for (const answer of [
    await tenant.get('/api/sat/sync'),
    await tenant.post('/api/sat/sync', {}),
    await tenant.get('/api/sat/solicitudes'),
    await tenant.get(`/api/sat/solicitudes/${id}`),
    await tenant.post(`/api/sat/solicitudes/${id}/reintentar`),
  ])
    assert.deepEqual([answer.statusCode, answer.json().code], [403, 'tenant.suspended'])
})
