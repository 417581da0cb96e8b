import assert from 'node:assert/strict'
import { argon2Sync } from 'node:crypto'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { type ApiProcess, type AuthHouse, NEW_PASSWORD, PASSWORD, startAuthHouse } from '../../test/support/auth.ts'

let house: AuthHouse
let api: ApiProcess
let proxied: ApiProcess

before(async () => {
  house = await startAuthHouse()
  api = await house.process()
  proxied = await house.process({ config: { trustProxy: '10.0.0.1' } })
})
after(() => house.close())
// Time stands still but where a test moves it: the first wait of a guesser is a second, and a machine may need that between two tries.
beforeEach(() => house.clock.hold())
afterEach(async () => {
  house.clock.reset()
  await house.central.deleteFrom('auth_counters').execute()
  await house.central.deleteFrom('rate_counters').execute()
})

interface Try {
  email: string
  password?: string
  from?: string
  cookies?: Record<string, string>
  headers?: Record<string, string>
}

const attempt = (process: ApiProcess, { email, password = 'no es la contraseña', ...rest }: Try) =>
  process.send('POST', '/api/auth/login', { body: { email, password, transporte: 'cuerpo' }, ...rest })

test('an unknown e-mail, a wrong password, a disabled user and a user without password get one answer and one hash each', async () => {
  const known = await house.user()
  const disabled = await house.user()
  const pending = await house.user()
  await house.central.updateTable('users').set({ disabled_at: new Date() }).where('id', '=', disabled.id).execute()
  await house.central.updateTable('users').set({ password_hash: null }).where('id', '=', pending.id).execute()
  const tries: Try[] = [
    { email: 'nadie@despacho.example' },
    { email: known.email },
    { email: disabled.email, password: PASSWORD },
    { email: pending.email, password: PASSWORD },
  ]
  const answers = []
  for (const one of tries) {
    const before = api.passwords.stats().started
    const answer = await attempt(api, one)
    assert.equal(api.passwords.stats().started - before, 1, one.email)
    const { requestId, ...problem } = answer.json()
    assert.ok(requestId)
    const { 'x-request-id': _id, date: _date, ...headers } = answer.headers
    answers.push({ status: answer.statusCode, problem, headers })
  }
  assert.equal(answers[0]?.status, 401)
  for (const answer of answers) assert.deepEqual(answer, answers[0])
})

test('an unknown e-mail is slowed down exactly like a known one', async () => {
  const { email } = await house.user()
  const seen = async (address: string) => {
    const codes = []
    for (let i = 0; i < 7; i += 1) codes.push((await attempt(api, { email: address })).json().code)
    return codes
  }
  const unknown = await seen('nadie.mas@despacho.example')
  assert.deepEqual(unknown, [...Array(5).fill('auth.invalid_credentials'), 'auth.delayed', 'auth.delayed'])
  assert.deepEqual(await seen(email), unknown)
})

test('the answer for an unknown e-mail costs as much as for a known one', async () => {
  const { email } = await house.user()
  // The time of our own cores and not that of the clock: what else the machine does would be in that.
  const costMs = async (address: string) => {
    await house.central.deleteFrom('auth_counters').execute()
    const start = process.cpuUsage()
    await attempt(api, { email: address })
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1_000
  }
  await costMs(email) // warm
  const costs = { known: [] as number[], unknown: [] as number[] }
  for (let i = 0; i < 25; i += 1) {
    costs.known.push(await costMs(email))
    costs.unknown.push(await costMs(`nadie${i}@despacho.example`))
  }
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[12] as number
  const [known, unknown] = [median(costs.known), median(costs.unknown)]
  const ratio = Math.max(known, unknown) / Math.min(known, unknown)
  assert.ok(ratio < 1.5, `known ${known.toFixed(1)} ms, unknown ${unknown.toFixed(1)} ms`)
})

test('after five failures each further one costs a longer wait, told in Retry-After, and the right password waits too', async () => {
  const { email } = await house.user()
  for (let i = 0; i < 5; i += 1) assert.equal((await attempt(api, { email })).statusCode, 401)
  const delayed = await attempt(api, { email, password: PASSWORD })
  assert.deepEqual(
    [delayed.statusCode, delayed.json().code, delayed.headers['retry-after']],
    [429, 'auth.delayed', '1'],
  )
  for (const wait of [1, 2, 4, 8]) {
    house.clock.forward(wait * 1000)
    assert.equal((await attempt(api, { email })).statusCode, 401)
  }
  assert.equal((await attempt(api, { email })).headers['retry-after'], '16')
  house.clock.forward(16_000)
  assert.equal((await attempt(api, { email, password: PASSWORD })).statusCode, 200, 'never for good')
  assert.equal((await attempt(api, { email })).statusCode, 401, 'and who got in begins anew')
})

test('a thousand tries at once from everywhere: the hashes stay within the budget, two at a time, nobody gets a 500', async () => {
  const { email } = await house.user()
  const before = api.passwords.stats().started
  const codes = new Map<number, number>()
  for (let round = 0; round < 10; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => attempt(api, { email, from: `198.51.100.${(round * 100 + i) % 250}` })),
    )
    for (const { statusCode } of answers) codes.set(statusCode, (codes.get(statusCode) ?? 0) + 1)
  }
  assert.ok(api.passwords.stats().started - before <= 25, `${api.passwords.stats().started - before} hashes`)
  assert.equal(api.passwords.stats().peak, 2)
  assert.deepEqual(
    [...codes.keys()].filter((code) => ![401, 429, 503].includes(code)),
    [],
  )
  const status = await api.send('POST', '/api/auth/login', { body: { email, password: PASSWORD }, from: '203.0.113.9' })
  assert.equal(status.statusCode, 429, 'a newcomer waits with them')
  assert.ok(Number(status.headers['retry-after']) <= 60)
})

test('during an attack the owner gets in: from a device or a network they have used before, or from elsewhere a moment later', async () => {
  const { email } = await house.user()
  const browser = await api.send('POST', '/api/auth/login', { body: { email, password: PASSWORD }, from: '192.0.2.10' })
  const device = Object.fromEntries(
    browser.cookies.filter(({ name }) => name.endsWith('device')).map((c) => [c.name, c.value]),
  )
  const attack = async () => {
    for (let i = 0; i < 40; i += 1) await attempt(api, { email, from: `198.51.100.${i}` })
  }
  await attack()
  const right = { email, password: PASSWORD }
  assert.equal(
    (await attempt(api, { ...right, from: '203.0.113.77', cookies: device })).statusCode,
    200,
    'known device, unknown network',
  )
  assert.equal((await attempt(api, { ...right, from: '192.0.2.10' })).statusCode, 200, 'known network')
  const elsewhere = await attempt(api, { ...right, from: '203.0.113.78' })
  assert.equal(elsewhere.statusCode, 429)
  assert.ok(Number(elsewhere.headers['retry-after']) <= 60)
  house.clock.forward(Number(elsewhere.headers['retry-after']) * 1000)
  assert.equal((await attempt(api, { ...right, from: '203.0.113.78' })).statusCode, 200)
})

test('when the whole product is attacked, newcomers wait for the next minute and those who are known come in', async () => {
  const { email } = await house.user()
  await attempt(api, { email, password: PASSWORD, from: '192.0.2.10' })
  const now = house.clock.now()
  const closed = {
    key: 'todo',
    failures: 600,
    first_at: now,
    last_at: now,
    blocked_until: new Date(now.getTime() + 40_000),
  }
  await house.central
    .insertInto('auth_counters')
    .values(closed)
    .onConflict((oc) => oc.column('key').doUpdateSet(closed))
    .execute()
  const newcomer = await attempt(api, { email, password: PASSWORD, from: '203.0.113.9' })
  assert.deepEqual([newcomer.statusCode, newcomer.json().code], [429, 'auth.delayed'])
  assert.equal((await attempt(api, { email, password: PASSWORD, from: '192.0.2.10' })).statusCode, 200)
  house.clock.forward(41_000)
  assert.equal((await attempt(api, { email, password: PASSWORD, from: '203.0.113.9' })).statusCode, 200)
})

test('an attack from one address alone does not keep the owner from another', async () => {
  const { email } = await house.user()
  for (let i = 0; i < 12; i += 1) await attempt(api, { email, from: '198.51.100.1' })
  assert.equal((await attempt(api, { email, password: PASSWORD, from: '198.51.100.1' })).statusCode, 429)
  assert.equal((await attempt(api, { email, password: PASSWORD, from: '203.0.113.5' })).statusCode, 200)
})

test('a device cookie of one’s own account does not open another account to guessing', async () => {
  const mine = await house.user()
  const victim = await house.user()
  const browser = await api.send('POST', '/api/auth/login', { body: { email: mine.email, password: PASSWORD } })
  const cookies = Object.fromEntries(browser.cookies.map((c) => [c.name, c.value]))
  const codes = []
  for (let i = 0; i < 8; i += 1) codes.push((await attempt(api, { email: victim.email, cookies })).statusCode)
  assert.deepEqual(codes, [401, 401, 401, 401, 401, 429, 429, 429])
})

test('one network that tries one password on many accounts is stopped; logging in to one’s own does not clear it', async () => {
  const mine = await house.user()
  const before = api.passwords.stats().started
  for (let i = 0; i < 60; i += 1) {
    await attempt(api, { email: `victima${i}@despacho.example`, from: `2001:db8:0:7::${i + 1}` })
    if (i % 10 === 0) await attempt(api, { email: mine.email, password: PASSWORD, from: `2001:db8:0:7::${i + 1}` })
  }
  assert.ok(api.passwords.stats().started - before <= 37, `${api.passwords.stats().started - before} hashes`)
})

test('X-Forwarded-For of a stranger changes nothing; that of our proxy counts', async () => {
  const { email } = await house.user()
  const spoof = (process: ApiProcess, from: string) => {
    const tries = Array.from({ length: 12 }, (_, i) => ({
      email,
      from,
      headers: { 'x-forwarded-for': `203.0.113.${i}` },
    }))
    return tries.reduce<Promise<number[]>>(
      async (codes, one) => [...(await codes), (await attempt(process, one)).statusCode],
      Promise.resolve([]),
    )
  }
  assert.deepEqual((await spoof(api, '198.51.100.1')).slice(5), Array(7).fill(429))
  await house.central.deleteFrom('auth_counters').execute()
  assert.deepEqual(
    (await spoof(proxied, '198.51.100.1')).slice(5),
    Array(7).fill(429),
    'it did not come through the proxy',
  )
  await house.central.deleteFrom('auth_counters').execute()
  assert.deepEqual(await spoof(proxied, '10.0.0.1'), Array(12).fill(401), 'twelve different clients of the proxy')
})

test('an address that the proxy makes up does not break a login', async () => {
  const { email } = await house.user()
  for (const address of ['unknown', '203.0.113.7:8443', 'fe80::1%eth0', '::ffff:203.0.113.7', 'a'.repeat(500)]) {
    const answer = await attempt(proxied, {
      email,
      password: PASSWORD,
      from: '10.0.0.1',
      headers: { 'x-forwarded-for': address },
    })
    assert.equal(answer.statusCode, 200, `${address}: ${answer.body}`)
  }
})

test('counters outlive the process and are shared by all of them', async () => {
  const { email } = await house.user()
  for (let i = 0; i < 5; i += 1) await attempt(i % 2 ? api : proxied, { email })
  const restarted = await house.process()
  assert.equal((await attempt(restarted, { email })).statusCode, 429)
})

test('twelve logins of one person at once from a new place: none fails for a deadlock or a count', async () => {
  const { email } = await house.user()
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => attempt(api, { email, password: PASSWORD, from: '192.0.2.99' })),
  )
  const codes = answers.map(({ statusCode }) => statusCode)
  assert.deepEqual(
    codes.filter((code) => code !== 200 && code !== 429),
    [],
  )
  assert.ok(codes.filter((code) => code === 200).length >= 4)
  const counters = await house.central.selectFrom('auth_counters').select('failures').execute()
  for (const { failures } of counters) assert.equal(failures, 0, 'what was reserved was given back')
})

test('a route of strangers has its own limit, shared by processes', async () => {
  const body = { token: 'x'.repeat(43), password: NEW_PASSWORD }
  const limited = { config: { rateLimitPerMinute: 100_000 } }
  const [one, two] = [await house.process(limited), await house.process(limited)]
  const codes = []
  for (let i = 0; i < 24; i += 1) {
    codes.push((await (i % 2 ? one : two).send('POST', '/api/auth/password/reset', { body })).statusCode)
  }
  assert.deepEqual(codes, [...Array(20).fill(410), ...Array(4).fill(429)])
})

test('passwords and e-mails as people type them', async () => {
  const { email } = await house.user()
  assert.equal((await attempt(api, { email: `  ${email.toUpperCase()} `, password: PASSWORD })).statusCode, 200)
  for (const body of [
    {},
    { email },
    { email, password: '' },
    { email, password: 'x'.repeat(257) },
    { email, password: `${PASSWORD}\u0000` },
    { email, password: '\ud800' },
    { email: 'no es un correo', password: PASSWORD },
    { email: `${'a'.repeat(300)}@b.mx`, password: PASSWORD },
    { email: ['a@b.mx'], password: PASSWORD },
    { email, password: { $ne: '' } },
    { email, password: PASSWORD, transporte: 'paloma' },
    { email, password: PASSWORD, esPlataforma: true },
    { email, password: PASSWORD, ['__proto__']: { esPlataforma: true } },
  ]) {
    const answer = await api.send('POST', '/api/auth/login', { body })
    assert.equal(answer.statusCode, 400, JSON.stringify(body))
  }
})

test('a temporary password opens exactly the two routes that lead out of it, and nothing after 72 hours', async () => {
  const until = new Date(Date.now() + 72 * 3_600_000)
  const { id, email } = await house.user({ temporaryUntil: until })
  const company = await house.company('EKU9003173C9')
  await house.member(id, company.id, 'admin')
  const login = await api.login(email)
  assert.equal(login.debeCambiarPassword, true)
  const open = []
  for (const { method, url } of api.routes.filter(({ acceso }) => acceso.quien !== 'publico')) {
    const answer = await api.send(method, url.replace(':id', id), {
      as: login.accessToken,
      ...(method !== 'GET' && { body: {} }),
    })
    if (answer.json().code !== 'auth.password_change_required') open.push(`${method} ${url}`)
    else assert.equal(answer.statusCode, 403)
  }
  assert.deepEqual(open.sort(), ['GET /api/auth/me', 'POST /api/auth/password'])

  const body = { passwordActual: PASSWORD, passwordNueva: NEW_PASSWORD }
  const same = await api.send('POST', '/api/auth/password', {
    as: login.accessToken,
    body: { ...body, passwordNueva: PASSWORD },
  })
  assert.equal(same.json().code, 'auth.password_rejected')
  const weak = await api.send('POST', '/api/auth/password', {
    as: login.accessToken,
    body: { ...body, passwordNueva: 'Contraseña123' },
  })
  assert.deepEqual([weak.statusCode, weak.json().errors[0].path], [422, 'passwordNueva'])
  const changed = await api.send('POST', '/api/auth/password', { as: login.accessToken, body })
  assert.deepEqual([changed.statusCode, changed.json().debeCambiarPassword], [200, false])
  assert.equal((await api.send('GET', '/api/probe/admins', { as: changed.json().accessToken })).statusCode, 200)
  assert.equal((await attempt(api, { email, password: PASSWORD })).statusCode, 401, 'the temporary one is gone')

  const late = await house.user({ temporaryUntil: until })
  const session = await api.login(late.email)
  house.clock.forward(72 * 3_600_000 + 1000)
  const expired = await attempt(api, { email: late.email, password: PASSWORD })
  assert.deepEqual([expired.statusCode, expired.json().code], [401, 'auth.temporary_password_expired'])
  const refreshed = await api.send('POST', '/api/auth/refresh', { body: { refreshToken: session.refreshToken } })
  assert.equal(refreshed.statusCode, 401)
})

test('the current password cannot be guessed with a stolen access token', async () => {
  const { email } = await house.user()
  const { accessToken } = await api.login(email)
  const codes = []
  for (let i = 0; i < 7; i += 1) {
    const body = { passwordActual: `intento ${i}`, passwordNueva: NEW_PASSWORD }
    codes.push((await api.send('POST', '/api/auth/password', { as: accessToken, body })).json().code)
  }
  assert.deepEqual(codes, [...Array(5).fill('auth.wrong_password'), 'auth.delayed', 'auth.delayed'])
})

test('two changes of one password at once: one succeeds, and its password is the one', async () => {
  const { email } = await house.user()
  const { accessToken } = await api.login(email)
  const news = ['primera frase nueva y larga', 'segunda frase nueva y larga']
  const answers = await Promise.all(
    news.map((passwordNueva) =>
      api.send('POST', '/api/auth/password', { as: accessToken, body: { passwordActual: PASSWORD, passwordNueva } }),
    ),
  )
  const won = answers.findIndex(({ statusCode }) => statusCode === 200)
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [200, 401])
  assert.equal((await attempt(api, { email, password: news[won] ?? '' })).statusCode, 200)
  assert.equal((await attempt(api, { email, password: news[1 - won] ?? '' })).statusCode, 401)
})

test('a hash of less than today’s cost is made again at the next login', async () => {
  const { id, email } = await house.user()
  await storeCheapHash(id)
  for (let i = 0; i < 2; i += 1) assert.equal((await attempt(api, { email, password: PASSWORD })).statusCode, 200)
  const { password_hash } = await house.central
    .selectFrom('users')
    .select('password_hash')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  assert.match(password_hash ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
})

test('logins at once that all find the cheap hash succeed, whichever of them makes it again', async () => {
  const { id, email } = await house.user()
  await storeCheapHash(id)
  const right = { email, password: PASSWORD }
  const answers = await Promise.all([api, proxied, api, proxied].map((process) => attempt(process, right)))
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200, 200],
  )
})

async function storeCheapHash(userId: string): Promise<void> {
  const nonce = Buffer.from('sal de mar gruesa')
  const cost = { parallelism: 1, tagLength: 32, memory: 4096, passes: 1 }
  const tag = argon2Sync('argon2id', { message: PASSWORD, nonce, ...cost })
  const [salt, hash] = [nonce, tag].map((bytes) => bytes.toString('base64').replaceAll('=', ''))
  const cheap = `$argon2id$v=19$m=4096,t=1,p=1$${salt}$${hash}`
  await house.central.updateTable('users').set({ password_hash: cheap }).where('id', '=', userId).execute()
}
