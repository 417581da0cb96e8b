import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import {
  type ApiProcess,
  type AuthHouse,
  type Login,
  NEW_PASSWORD,
  PASSWORD,
  startAuthHouse,
} from '../../test/support/auth.ts'

let house: AuthHouse
let one: ApiProcess
/** Of what others change it knows by their notifications alone. */
let two: ApiProcess
/** Its notifications are lost: only the second that sessions are remembered for heals it. */
let deaf: ApiProcess

before(async () => {
  house = await startAuthHouse()
  ;[one, two, deaf] = await Promise.all([
    house.process(),
    house.process({ trusting: true }),
    house.process({ deaf: true }),
  ])
})
after(() => house.close())
// Time stands still but where a test moves it: ten seconds of grace are gone into to their last one.
beforeEach(() => house.clock.hold())
afterEach(() => house.clock.reset())

const refresh = (api: ApiProcess, refreshToken: string) =>
  api.send('POST', '/api/auth/refresh', { body: { refreshToken } })
const ask = (api: ApiProcess, as: string) => api.send('GET', '/api/probe/sesion', { as })

async function newLogin(): Promise<Login> {
  const { email } = await house.user()
  return one.login(email)
}

/** Until the answer is `status`. Who asks later than `withinMs` from now gets no other, however slow the machine is. */
async function eventually(api: ApiProcess, as: string, status: number, withinMs = 60_000): Promise<number> {
  const start = performance.now()
  for (;;) {
    const asked = performance.now() - start
    const answer = await ask(api, as)
    if (answer.statusCode === status) return performance.now() - start
    assert.ok(asked < withinMs, `still ${answer.statusCode} when asked after ${Math.round(asked)} ms`)
    await setImmediate() // injected requests alone would never let the loop read the notification
  }
}

test('twenty refreshes of one token at once, on two processes: one family, all with the same successor', async () => {
  const login = await newLogin()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => refresh(i % 2 ? one : two, login.refreshToken)),
  )
  for (const answer of answers) assert.equal(answer.statusCode, 200, answer.body)
  const successors = new Set(answers.map((answer) => answer.json().refreshToken))
  assert.equal(successors.size, 1)
  assert.ok(!successors.has(login.refreshToken))
  const tokens = await house.central
    .selectFrom('refresh_tokens as r')
    .innerJoin('sessions as s', 's.id', 'r.session_id')
    .select(['r.used_at', 's.id'])
    .where('s.user_id', '=', login.usuario.id)
    .execute()
  assert.deepEqual([tokens.length, new Set(tokens.map(({ id }) => id)).size], [2, 1], 'the first and its one successor')
  for (const answer of answers) assert.equal((await ask(two, answer.json().accessToken)).statusCode, 200)
  assert.equal((await refresh(one, [...successors][0] as string)).statusCode, 200)
})

test('a client whose answer was lost gets the same successor again within ten seconds', async (t) => {
  t.after(() => house.clock.reset())
  const login = await newLogin()
  const lost = await refresh(one, login.refreshToken)
  house.clock.forward(9_000)
  const again = await refresh(two, login.refreshToken)
  assert.equal(again.json().refreshToken, lost.json().refreshToken)
})

test('a used token that comes back after eleven seconds ends the whole session, and its owner is told', async (t) => {
  t.after(() => house.clock.reset())
  const login = await newLogin()
  const first = (await refresh(one, login.refreshToken)).json()
  house.clock.forward(11_000)
  const replay = await refresh(two, login.refreshToken)
  assert.deepEqual([replay.statusCode, replay.json().code], [401, 'auth.refresh_reused'])
  const current = await refresh(one, first.refreshToken)
  assert.deepEqual(
    [current.statusCode, current.json().code],
    [401, 'auth.invalid_refresh'],
    'the successor is dead too',
  )
  await eventually(one, first.accessToken, 401)
  await eventually(deaf, first.accessToken, 401, 1_000)
  assert.ok(await house.mail(login.usuario.email, 'sesion_cerrada'))
  const audit = await house.central
    .selectFrom('audit_log')
    .select('action')
    .where('actor_id', '=', login.usuario.id)
    .orderBy('id')
    .execute()
  assert.deepEqual(
    audit.map(({ action }) => action),
    ['sesion.iniciada', 'sesion.reuso'],
  )
  assert.equal((await refresh(one, login.refreshToken)).json().code, 'auth.invalid_refresh', 'and is told once')
})

test('after a breach a token that is still in its grace brings nothing back', async (t) => {
  t.after(() => house.clock.reset())
  const login = await newLogin()
  const first = (await refresh(one, login.refreshToken)).json()
  house.clock.forward(11_000)
  const second = (await refresh(one, first.refreshToken)).json() // first.refreshToken is in its grace now
  assert.equal((await refresh(two, login.refreshToken)).json().code, 'auth.refresh_reused')
  assert.equal((await refresh(two, first.refreshToken)).statusCode, 401)
  assert.equal((await refresh(two, second.refreshToken)).statusCode, 401)
})

test('replays of a stolen token by many at once: one breach, one mail', async (t) => {
  t.after(() => house.clock.reset())
  const login = await newLogin()
  await refresh(one, login.refreshToken)
  house.clock.forward(11_000)
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => refresh(i % 2 ? one : two, login.refreshToken)))
  for (const answer of answers) assert.equal(answer.statusCode, 401)
  const mails = await house.central
    .selectFrom('mail_outbox')
    .select('id')
    .where('to_email', '=', login.usuario.email)
    .where('template', '=', 'sesion_cerrada')
    .execute()
  assert.equal(mails.length, 1)
})

test('a session ends thirty days after its login however often it was refreshed', async (t) => {
  t.after(() => house.clock.reset())
  let { refreshToken } = await newLogin()
  for (let day = 0; day < 29; day += 7) {
    house.clock.forward(7 * 86_400_000)
    const answer = await refresh(one, refreshToken)
    if (day >= 28) assert.equal(answer.json().code, 'auth.invalid_refresh')
    else {
      assert.equal(answer.statusCode, 200, `day ${day + 7}: ${answer.body}`)
      refreshToken = answer.json().refreshToken
    }
  }
})

test('an access token does not outlive its session', async (t) => {
  t.after(() => house.clock.reset())
  const { refreshToken } = await newLogin()
  house.clock.forward(30 * 86_400_000 - 60_000)
  const { expiraEn } = (await refresh(one, refreshToken)).json()
  assert.ok(new Date(expiraEn).getTime() - house.clock.now().getTime() <= 61_000)
})

test('the database holds no token that opens anything', async () => {
  const login = await newLogin()
  const successor = (await refresh(one, login.refreshToken)).json().refreshToken
  const rows = await house.central.selectFrom('refresh_tokens').selectAll().execute()
  const text = rows.map((row) => [row.token_hash, row.successor_sealed].map((b) => b?.toString('latin1')).join()).join()
  for (const token of [login.refreshToken, successor]) {
    assert.ok(!text.includes(token) && !text.includes(Buffer.from(token, 'base64url').toString('latin1')))
  }
})

test('logout works at once on every process, and within a second on one that hears nothing', async (t) => {
  const login = await newLogin()
  for (const api of [one, two, deaf]) assert.equal((await ask(api, login.accessToken)).statusCode, 200)
  assert.equal(
    (await one.send('POST', '/api/auth/logout', { body: { refreshToken: login.refreshToken } })).statusCode,
    204,
  )
  assert.equal(
    (await ask(one, login.accessToken)).json().code,
    'auth.session_ended',
    'its own process: the next request',
  )
  const took = await eventually(two, login.accessToken, 401)
  t.diagnostic(`another process: ${Math.round(took)} ms`)
  await eventually(deaf, login.accessToken, 401, 1_000)
  assert.equal((await refresh(two, login.refreshToken)).statusCode, 401)
})

test('logout by access token, twice, and with an expired access token beside a refresh token', async (t) => {
  t.after(() => house.clock.reset())
  const login = await newLogin()
  assert.equal((await one.send('POST', '/api/auth/logout', { as: login.accessToken })).statusCode, 204)
  assert.equal((await one.send('POST', '/api/auth/logout', { as: login.accessToken })).statusCode, 204)
  assert.equal((await ask(one, login.accessToken)).statusCode, 401)
  const other = await newLogin()
  house.clock.forward(20 * 60_000)
  const body = { refreshToken: other.refreshToken }
  assert.equal((await one.send('POST', '/api/auth/logout', { as: other.accessToken, body })).statusCode, 204)
  assert.equal((await refresh(one, other.refreshToken)).statusCode, 401)
})

test('logout-all ends every session of the person and nobody else’s', async () => {
  const { email } = await house.user()
  const logins = await Promise.all([one.login(email), two.login(email), two.login(email)])
  const stranger = await newLogin()
  const answer = await two.send('POST', '/api/auth/logout-all', { as: logins[0].accessToken })
  assert.deepEqual(answer.json(), { sesionesTerminadas: 3 })
  for (const login of logins) assert.equal((await ask(two, login.accessToken)).statusCode, 401)
  assert.equal((await ask(two, stranger.accessToken)).statusCode, 200)
})

test('the list shows the living sessions of the person, and each can be ended alone', async () => {
  const { email } = await house.user()
  const [mine, lost] = [await one.login(email), await two.login(email)]
  const stranger = await newLogin()
  const list = (await one.send('GET', '/api/auth/sesiones', { as: mine.accessToken })).json()
  assert.equal(list.datos.length, 2)
  assert.deepEqual(list.datos.map((s: { actual: boolean }) => s.actual).sort(), [false, true])
  const { id } = list.datos.find((s: { actual: boolean }) => !s.actual)
  const foreign = await one.send('DELETE', `/api/auth/sesiones/${id}`, { as: stranger.accessToken })
  assert.deepEqual([foreign.statusCode, foreign.json().code], [404, 'auth.session_not_found'])
  assert.equal((await ask(two, lost.accessToken)).statusCode, 200)
  assert.equal((await one.send('DELETE', `/api/auth/sesiones/${id}`, { as: mine.accessToken })).statusCode, 204)
  assert.equal((await one.send('DELETE', `/api/auth/sesiones/${id}`, { as: mine.accessToken })).statusCode, 404)
  await eventually(two, lost.accessToken, 401)
  assert.equal((await ask(two, mine.accessToken)).statusCode, 200)
})

test('who is disabled is out at once, with access and refresh token', async () => {
  const login = await newLogin()
  for (const api of [one, two, deaf]) await ask(api, login.accessToken)
  await house.central.updateTable('users').set({ disabled_at: new Date() }).where('id', '=', login.usuario.id).execute()
  await eventually(one, login.accessToken, 401)
  await eventually(two, login.accessToken, 401)
  await eventually(deaf, login.accessToken, 401, 1_000)
  assert.equal((await refresh(one, login.refreshToken)).statusCode, 401)
  await assert.rejects(one.login(login.usuario.email), /401.*auth.invalid_credentials/)
})

const own = { origin: 'https://app.horux360.test', 'x-horux': '1' }

async function cookieLogin(email: string, cookies: Record<string, string> = {}) {
  const answer = await one.send('POST', '/api/auth/login', { body: { email, password: PASSWORD }, cookies })
  assert.equal(answer.statusCode, 200, answer.body)
  const jar = Object.fromEntries(answer.cookies.map(({ name, value }) => [name, value]))
  return { answer, jar }
}

test('the refresh token of a browser is in a cookie that only we can read, and not in the answer', async () => {
  const { email } = await house.user()
  const { answer } = await cookieLogin(email)
  assert.equal(answer.json().refreshToken, undefined)
  const cookie = answer.cookies.find(({ name }) => name === '__Host-horux_refresh')
  assert.ok(cookie)
  const { httpOnly, secure, sameSite, path, domain } = cookie
  assert.deepEqual(
    { httpOnly, secure, sameSite, path, domain },
    { httpOnly: true, secure: true, sameSite: 'Strict', path: '/', domain: undefined },
  )
})

test('a refresh by cookie needs a page of ours and a header no form can send', async () => {
  const { email } = await house.user()
  const { jar } = await cookieLogin(email)
  const foreign: Record<string, string>[] = [
    {},
    { 'x-horux': '1' },
    { origin: own.origin },
    { ...own, origin: 'null' },
    { ...own, origin: 'http://app.horux360.test' },
    { ...own, origin: 'https://app.horux360.test.evil.example' },
    { ...own, origin: 'https://evil-app.horux360.test' },
    { ...own, origin: 'https://app.horux360.test:8443' },
    { ...own, origin: 'https://app.horux360.test/' },
    { ...own, origin: 'HTTPS://APP.HORUX360.TEST' },
  ]
  for (const headers of foreign) {
    for (const url of ['/api/auth/refresh', '/api/auth/logout']) {
      const answer = await one.send('POST', url, { cookies: jar, headers })
      assert.deepEqual([answer.statusCode, answer.json().code], [403, 'auth.foreign_origin'], JSON.stringify(headers))
    }
  }
  const ours = await one.send('POST', '/api/auth/refresh', { cookies: jar, headers: own })
  assert.equal(ours.statusCode, 200, ours.body)
  assert.equal(ours.json().refreshToken, undefined)
  const next = ours.cookies.find(({ name }) => name === '__Host-horux_refresh')?.value as string
  assert.notEqual(next, jar['__Host-horux_refresh'])
  const other = { ...own, origin: 'https://otro.horux360.test' } // in CORS_ORIGINS
  assert.equal(
    (await one.send('POST', '/api/auth/refresh', { cookies: { '__Host-horux_refresh': next }, headers: other }))
      .statusCode,
    200,
  )
})

test('CORS lets credentials across only for listed origins, and only on the routes of the cookie', async () => {
  const preflight = (url: string, origin: string) =>
    one.app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': 'POST' } })
  const listed = await preflight('/api/auth/refresh', 'https://otro.horux360.test')
  assert.equal(listed.headers['access-control-allow-origin'], 'https://otro.horux360.test')
  assert.equal(listed.headers['access-control-allow-credentials'], 'true')
  const elsewhere = await preflight('/api/auth/tenant', 'https://otro.horux360.test')
  assert.equal(elsewhere.headers['access-control-allow-credentials'], undefined)
  for (const origin of [
    'null',
    'http://otro.horux360.test',
    'https://otro.horux360.test.evil.example',
    'https://evil.example',
  ]) {
    assert.notEqual((await preflight('/api/auth/refresh', origin)).headers['access-control-allow-origin'], origin)
  }
})

test('a token of one transport does not serve in the other', async () => {
  const { email } = await house.user()
  const { jar } = await cookieLogin(email)
  const stolen = jar['__Host-horux_refresh'] as string
  assert.equal((await refresh(one, stolen)).statusCode, 401)
  const body = await one.login(email)
  const asCookie = await one.send('POST', '/api/auth/refresh', {
    cookies: { '__Host-horux_refresh': body.refreshToken },
    headers: own,
  })
  assert.equal(asCookie.statusCode, 401)
})

test('a session on a new device is told to its owner, the first of all and those on a known device are not', async () => {
  const { email } = await house.user()
  const { jar } = await cookieLogin(email)
  assert.equal(await house.mail(email, 'sesion_nueva'), undefined, 'the first login ever')
  await cookieLogin(email, jar)
  assert.equal(await house.mail(email, 'sesion_nueva'), undefined, 'the same browser')
  await cookieLogin(email)
  assert.ok(await house.mail(email, 'sesion_nueva'), 'another browser')
})

test('one person, two companies: the last one used is active, a switch takes the other, the old token is worth nothing', async () => {
  const { id, email } = await house.user()
  const [a, b, foreign] = [
    await house.company('AAA010101AAA'),
    await house.company('BBB010101BB1'),
    await house.company('CCC010101CC1'),
  ]
  await house.member(id, a.id, 'admin')
  await house.member(id, b.id, 'visor')
  const login = await one.login(email)
  assert.equal(login.tenant?.id, a.id)
  const switched = await one.send('POST', '/api/auth/tenant', {
    as: login.accessToken,
    body: { tenant: 'bbb010101bb1' },
  })
  assert.deepEqual([switched.statusCode, switched.json().tenant.rol], [200, 'visor'])
  const stale = await one.send('GET', '/api/probe/todos', { as: login.accessToken })
  assert.deepEqual([stale.statusCode, stale.json().code], [401, 'auth.token_superseded'])
  const active = (await one.send('GET', '/api/probe/todos', { as: switched.json().accessToken })).json()
  assert.deepEqual([active.tenantId, active.rfc], [b.id, b.rfc])
  for (const tenant of [foreign.id, foreign.rfc, 'ZZZ010101ZZ1', '01a200c6-8ee5-71a8-8db0-0253420de62f']) {
    const refused = await one.send('POST', '/api/auth/tenant', { as: switched.json().accessToken, body: { tenant } })
    assert.deepEqual([refused.statusCode, refused.json().code], [403, 'auth.not_member'])
  }
  assert.equal((await one.login(email)).tenant?.id, b.id, 'the next session begins where this one was')
  const back = await one.send('POST', '/api/auth/tenant', { as: switched.json().accessToken, body: { tenant: a.id } })
  assert.equal(back.json().tenant.rfc, a.rfc)
})

test('a token that names no company opens nothing of one', async () => {
  const login = await newLogin()
  assert.equal(login.tenant, null)
  const answer = await one.send('GET', '/api/probe/todos', { as: login.accessToken })
  assert.deepEqual([answer.statusCode, answer.json().code], [403, 'auth.tenant_required'])
})

test('a changed password ends every session, access token included', async () => {
  const { email } = await house.user()
  const [mine, other] = [await one.login(email), await two.login(email)]
  await ask(two, mine.accessToken)
  const body = { passwordActual: PASSWORD, passwordNueva: NEW_PASSWORD }
  const changed = await one.send('POST', '/api/auth/password', { as: mine.accessToken, body })
  assert.equal(changed.statusCode, 200, changed.body)
  for (const { accessToken, refreshToken } of [mine, other]) {
    assert.equal((await ask(one, accessToken)).statusCode, 401)
    await eventually(two, accessToken, 401)
    assert.equal((await refresh(two, refreshToken)).statusCode, 401)
  }
  assert.equal((await ask(one, changed.json().accessToken)).statusCode, 200, 'this device goes on with a new session')
  assert.equal((await refresh(one, changed.json().refreshToken)).statusCode, 200)
  assert.ok(await house.mail(email, 'password_cambiada'))
})

test('the tokens of a company that was deleted are as good as before, and raise no alarm', async () => {
  const { id, databaseName } = await house.company('DEL850101AB1')
  const { id: userId, email } = await house.user()
  await house.member(userId, id, 'admin')
  const { accessToken } = await one.login(email)
  const retired = `horux_deleted_${databaseName.slice(6)}_20260131120000`
  const change = { state: 'deleted' as const, database_name: retired }
  await house.central.updateTable('tenant_databases').set(change).where('tenant_id', '=', id).execute()
  // What it is told of the company is for whoever opens its database to say.
  const answer = await two.send('GET', '/api/probe/todos', { as: accessToken })
  assert.equal(answer.statusCode, 200, answer.body)
  assert.ok(!two.log.some((line) => line.includes('token_mismatch')))
})
