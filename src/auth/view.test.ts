import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { type ApiProcess, type AuthHouse, type Login, startAuthHouse } from '../../test/support/auth.ts'
import { until } from '../../test/support/until.ts'

let house: AuthHouse
let api: ApiProcess
let other: ApiProcess
let company: { id: string; rfc: string }
let second: { id: string; rfc: string }

before(async () => {
  house = await startAuthHouse()
  ;[api, other] = await Promise.all([house.process(), house.process()])
  company = await house.realCompany('ÑAÑ010101AA1')
  second = await house.realCompany('B&B010101BB1')
})
after(() => house.close())
// Time stands still but where a test moves it: an hour of vistas is walked through to its last seconds.
beforeEach(() => house.clock.hold())
afterEach(() => house.clock.reset())

async function staffLogin(): Promise<Login> {
  const { email } = await house.user({ platform: true })
  return api.login(email)
}

const MOTIVO = 'El cliente pidió revisar su declaración'
const open = (as: string, body: object = {}) =>
  api.send('POST', '/api/auth/vista', { as, body: { tenant: company.rfc, motivo: MOTIVO, ...body } })
const look = (as: string, tenant: string, method: 'GET' | 'POST' = 'GET', process = api) =>
  process.send(method, '/api/probe/admins', { as, headers: { 'x-view-tenant': tenant } })

const lines = (tenantId: string, email: string) =>
  house.inTenant(tenantId, (db) =>
    db
      .selectFrom('auditoria')
      .select(['accion', 'usuario_email', 'es_plataforma', 'motivo', 'detalle', 'request_id'])
      .where('usuario_email', '=', email)
      .orderBy('id')
      .execute(),
  )

test('staff sees nothing of a company without a vista, and an open one shows it by id and by RFC', async () => {
  const staff = await staffLogin()
  const without = await api.send('GET', '/api/probe/admins', { as: staff.accessToken })
  assert.deepEqual([without.statusCode, without.json().code], [403, 'auth.tenant_required'])
  const closed = await look(staff.accessToken, company.id)
  assert.deepEqual([closed.statusCode, closed.json().code], [403, 'auth.view_not_open'])

  const opened = await open(staff.accessToken)
  assert.equal(opened.statusCode, 200, opened.body)
  assert.equal(opened.json().vista.tenant.rfc, company.rfc)
  const utf8 = Buffer.from(company.rfc, 'utf8').toString('latin1')
  for (const name of [
    company.id,
    company.id.toUpperCase(),
    utf8,
    company.rfc,
    encodeURIComponent(company.rfc),
    Buffer.from(company.rfc.toLowerCase()).toString('latin1'),
  ]) {
    const answer = await look(staff.accessToken, name)
    assert.equal(answer.statusCode, 200, `${name}: ${answer.body}`)
    const { tenantId, user } = answer.json()
    assert.deepEqual([tenantId, user.rol, user.vista.motivo], [company.id, null, MOTIVO])
  }
  assert.equal((await look(staff.accessToken, second.id)).json().code, 'auth.view_not_open', 'another company')
  const me = (await api.send('GET', '/api/auth/me', { as: staff.accessToken })).json()
  assert.equal(me.vista.tenant.id, company.id)
})

test('nobody but staff: a tenant’s admin with the header is refused on every route, for their own company too', async () => {
  const { id, email } = await house.user()
  await house.member(id, second.id, 'admin')
  const admin = await api.login(email)
  for (const tenant of [company.id, company.rfc, second.id, second.rfc, '', '*']) {
    for (const url of ['/api/probe/todos', '/api/probe/admins', '/api/probe/sesion', '/api/auth/me']) {
      const answer = await api.send('GET', url, { as: admin.accessToken, headers: { 'x-view-tenant': tenant } })
      assert.deepEqual([answer.statusCode, answer.json().code], [403, 'auth.view_forbidden'], `${tenant} ${url}`)
    }
  }
  assert.equal((await open(admin.accessToken)).json().code, 'auth.forbidden')
  assert.equal((await api.send('GET', '/api/probe/plataforma', { as: admin.accessToken })).statusCode, 403)
})

test('a vista is of its session: another session of the same person has none', async () => {
  const { email } = await house.user({ platform: true })
  const [mine, theirs] = [await api.login(email), await api.login(email)]
  await open(mine.accessToken)
  assert.equal((await look(mine.accessToken, company.id)).statusCode, 200)
  assert.equal((await look(theirs.accessToken, company.id)).statusCode, 403)
})

test('it reads; it writes only when raised, and raising it begins no new hour', async () => {
  const staff = await staffLogin()
  const { limiteEn } = (await open(staff.accessToken)).json().vista
  const write = await look(staff.accessToken, company.id, 'POST')
  assert.deepEqual([write.statusCode, write.json().code], [403, 'auth.view_read_only'])
  house.clock.forward(60_000)
  const raised = (await open(staff.accessToken, { escritura: true })).json().vista
  assert.deepEqual([raised.escritura, raised.limiteEn], [true, limiteEn])
  assert.equal((await look(staff.accessToken, company.id, 'POST')).statusCode, 200)
  await open(staff.accessToken)
  assert.equal((await look(staff.accessToken, company.id, 'POST')).statusCode, 403, 'lowered again')
})

test('it lasts fifteen minutes, is renewed to sixty at most, and then takes a new reason', async () => {
  const staff = await staffLogin()
  const fresh = async () => (await api.send('POST', '/api/auth/refresh', { body: { refreshToken } })).json()
  let { accessToken, refreshToken } = staff
  const start = house.clock.now().getTime()
  const minutesOf = (text: string) => Math.round((new Date(text).getTime() - start) / 60_000)
  assert.equal(minutesOf((await open(accessToken)).json().vista.venceEn), 15)
  const seen = []
  for (let i = 0; i < 6; i += 1) {
    house.clock.forward(10 * 60_000 - 1000)
    ;({ accessToken, refreshToken } = await fresh())
    const { vista } = (await open(accessToken)).json()
    seen.push([minutesOf(vista.venceEn), minutesOf(vista.limiteEn)])
  }
  assert.deepEqual(seen, [
    [25, 60],
    [35, 60],
    [45, 60],
    [55, 60],
    [60, 60],
    [60, 60],
  ])
  house.clock.forward(10_000)
  const over = await look(accessToken, company.id)
  assert.deepEqual([over.statusCode, over.json().code], [403, 'auth.view_not_open'])
  const me = (await api.send('GET', '/api/auth/me', { as: accessToken })).json()
  assert.equal(me.vista, null)
  assert.equal(
    minutesOf((await open(accessToken)).json().vista.limiteEn),
    120,
    'a new one, with its own line in the logs',
  )
})

test('ending it, or logging out, closes it at once on every process', async () => {
  const staff = await staffLogin()
  await open(staff.accessToken)
  assert.equal((await look(staff.accessToken, company.id, 'GET', other)).statusCode, 200)
  assert.equal((await api.send('DELETE', '/api/auth/vista', { as: staff.accessToken })).statusCode, 204)
  assert.equal((await look(staff.accessToken, company.id)).statusCode, 403)
  assert.equal((await api.send('DELETE', '/api/auth/vista', { as: staff.accessToken })).statusCode, 204, 'twice')
})

test('looking into another company ends the first vista', async () => {
  const staff = await staffLogin()
  await open(staff.accessToken)
  await open(staff.accessToken, { tenant: second.rfc.toLowerCase() })
  assert.equal((await look(staff.accessToken, second.rfc)).statusCode, 200)
  assert.equal((await look(staff.accessToken, company.id)).statusCode, 403)
  const views = house.central.selectFrom('staff_views').select('ended_at').where('user_id', '=', staff.usuario.id)
  assert.deepEqual((await views.execute()).map(({ ended_at }) => ended_at === null).sort(), [false, true])
})

test('opened twice at once: one vista, no 500', async () => {
  const staff = await staffLogin()
  const answers = await Promise.all([
    open(staff.accessToken),
    open(staff.accessToken),
    open(staff.accessToken, { tenant: second.id }),
  ])
  for (const answer of answers) assert.equal(answer.statusCode, 200, answer.body)
  const views = house.central
    .selectFrom('staff_views')
    .select('id')
    .where('user_id', '=', staff.usuario.id)
    .where('ended_at', 'is', null)
  assert.equal((await views.execute()).length, 1)
})

test('every request of a vista stands in the company’s own log and in the central one, with actor, reason and route', async () => {
  const staff = await staffLogin()
  await open(staff.accessToken, { escritura: true })
  const read = await look(staff.accessToken, company.id)
  const wrote = await look(staff.accessToken, company.id, 'POST')
  await api.send('DELETE', '/api/auth/vista', { as: staff.accessToken })

  const own = await lines(company.id, staff.usuario.email)
  assert.deepEqual(
    own.map(({ accion }) => accion),
    ['vista.abierta', 'vista.consulta', 'vista.consulta'],
  )
  for (const line of own) assert.deepEqual([line.es_plataforma, line.motivo], [true, MOTIVO])
  const routes = own.slice(1).map(({ detalle }) => detalle as { metodo: string; ruta: string })
  assert.deepEqual(
    routes.map(({ metodo, ruta }) => `${metodo} ${ruta}`),
    ['GET /api/probe/admins', 'POST /api/probe/admins'],
  )
  assert.deepEqual(
    own.slice(1).map(({ request_id }) => request_id),
    [read, wrote].map((a) => a.headers['x-request-id']),
  )

  const central = await house.central
    .selectFrom('audit_log')
    .select(['action', 'detail'])
    .where('actor_id', '=', staff.usuario.id)
    .where('tenant_id', '=', company.id)
    .orderBy('id')
    .execute()
  assert.deepEqual(
    central.map(({ action }) => action),
    ['vista.abierta', 'vista.consulta', 'vista.consulta', 'vista.cerrada'],
  )
  assert.equal(JSON.parse(JSON.stringify(central[1]?.detail)).motivo, MOTIVO)
})

test('a refused look leaves no line, and a company whose database does not answer is not looked into', async () => {
  const staff = await staffLogin()
  await open(staff.accessToken)
  await look(staff.accessToken, company.id, 'POST')
  assert.equal((await lines(company.id, staff.usuario.email)).length, 1, 'the opening alone')
  const ghost = await house.company('GHO010101GH1')
  const answer = await open(staff.accessToken, { tenant: ghost.id })
  assert.ok([404, 503].includes(answer.statusCode), answer.body)
  assert.equal((await look(staff.accessToken, ghost.id)).statusCode, 403)
})

test('a vista needs a reason in words and a company that exists', async () => {
  const staff = await staffLogin()
  for (const motivo of ['', '   ', 'corto', 'x'.repeat(301), `${MOTIVO}\u0000`, 5]) {
    assert.equal((await open(staff.accessToken, { motivo })).statusCode, 400, String(motivo))
  }
  for (const tenant of ['ZZZ010101ZZ1', '01a200c6-8ee5-71a8-8db0-0253420de62f', 'nada']) {
    const answer = await open(staff.accessToken, { tenant })
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'tenants.not_found'])
  }
})

test('staff who lose the flag lose the vista with it', async () => {
  const staff = await staffLogin()
  await open(staff.accessToken)
  await house.central.updateTable('users').set({ is_platform: false }).where('id', '=', staff.usuario.id).execute()
  const answer = await until(async () => {
    const seen = await look(staff.accessToken, company.id)
    return seen.statusCode === 200 ? undefined : seen
  })
  assert.equal(answer.json().code, 'auth.view_forbidden')
})
