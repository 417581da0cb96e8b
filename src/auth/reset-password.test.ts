import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { type ApiProcess, type AuthHouse, NEW_PASSWORD, PASSWORD, startAuthHouse } from '../../test/support/auth.ts'
import { renderMail } from '../mail/messages.ts'

let house: AuthHouse
let api: ApiProcess
let other: ApiProcess

before(async () => {
  house = await startAuthHouse()
  ;[api, other] = await Promise.all([house.process(), house.process()])
})
after(() => house.close())
// Time stands still but where a test moves it: a link's last second may be over before it is used.
beforeEach(() => house.clock.hold())
afterEach(() => house.clock.reset())

const forgot = (email: string, headers: Record<string, string> = {}) =>
  api.send('POST', '/api/auth/password/forgot', { body: { email }, headers })
const reset = (token: string, password = NEW_PASSWORD) =>
  api.send('POST', '/api/auth/password/reset', { body: { token, password } })

async function linkFor(email: string): Promise<string> {
  assert.equal((await forgot(email)).statusCode, 202)
  const data = await house.mail(email, 'restablecer')
  return data?.['token'] as string
}

test('the link sets a new password once, and every session everywhere is over', async () => {
  const { email } = await house.user()
  const [mine, theirs] = [await api.login(email), await other.login(email)]
  const token = await linkFor(email)
  assert.equal((await reset(token)).statusCode, 204)
  for (const process of [api, other]) {
    for (const login of [mine, theirs]) {
      const refreshed = await process.send('POST', '/api/auth/refresh', { body: { refreshToken: login.refreshToken } })
      assert.equal(refreshed.statusCode, 401)
    }
  }
  assert.equal((await api.send('GET', '/api/auth/me', { as: theirs.accessToken })).statusCode, 401)
  await assert.rejects(api.login(email, PASSWORD), /401/)
  assert.ok((await api.login(email, NEW_PASSWORD)).accessToken)
  const again = await reset(token, 'una tercera frase muy larga')
  assert.deepEqual([again.statusCode, again.json().code], [410, 'auth.link_invalid'])
  assert.ok(await house.mail(email, 'password_cambiada'))
})

test('the link is good for fifteen minutes, and a new password makes the other links worthless', async () => {
  const { email } = await house.user()
  const [first, second, late] = [await linkFor(email), await linkFor(email), await linkFor(email)]
  house.clock.forward(15 * 60_000 - 1000)
  assert.equal((await reset(first)).statusCode, 204)
  assert.equal((await reset(second)).statusCode, 410)
  house.clock.forward(2_000)
  assert.equal((await reset(late)).statusCode, 410)
})

test('two uses of a link at once: one password', async () => {
  const { email } = await house.user()
  const token = await linkFor(email)
  const answers = await Promise.all([
    reset(token, 'primera frase nueva y larga'),
    reset(token, 'segunda frase nueva y larga'),
  ])
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [204, 410])
})

test('a password that is refused does not use the link up', async () => {
  const { email } = await house.user()
  const token = await linkFor(email)
  const weak = await reset(token, 'Contraseña2026')
  assert.deepEqual([weak.statusCode, weak.json().code], [422, 'auth.password_rejected'])
  assert.equal((await reset(token)).statusCode, 204)
})

test('whoever asks learns nothing: the same answer, after the same time, and mail only to who has an account', async () => {
  const { email } = await house.user()
  const disabled = await house.user()
  await house.central.updateTable('users').set({ disabled_at: new Date() }).where('id', '=', disabled.id).execute()
  const seen = []
  for (const address of [email, 'nadie@despacho.example', disabled.email]) {
    const start = performance.now()
    const answer = await forgot(address)
    const took = performance.now() - start
    assert.ok(took >= 249, `${address}: ${took.toFixed(0)} ms`)
    seen.push([answer.statusCode, answer.body])
  }
  for (const one of seen) assert.deepEqual(one, seen[0])
  assert.ok(await house.mail(email, 'restablecer'))
  const mails = await house.central
    .selectFrom('mail_outbox')
    .select('to_email')
    .where('template', '=', 'restablecer')
    .execute()
  assert.deepEqual(
    mails.filter((m) => [disabled.email, 'nadie@despacho.example'].includes(m.to_email)),
    [],
  )
})

test('the link in the mail goes where the configuration says, whatever the request claims to be for', async () => {
  const { email } = await house.user()
  const evil = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    origin: 'https://evil.example',
    forwarded: 'host=evil.example',
  }
  assert.equal((await forgot(email, evil)).statusCode, 202)
  const data = await house.mail(email, 'restablecer')
  const { html, text } = renderMail('restablecer', data as never, house.config.publicUrl)
  for (const body of [html, text]) {
    assert.ok(!body.includes('evil.example'))
    assert.ok(body.includes(`https://app.horux360.test/restablecer#token=${data?.['token']}`))
  }
})

test('nobody’s mailbox is filled: three links an hour, also when they are asked for at once', async () => {
  const { email } = await house.user()
  await Promise.all(Array.from({ length: 4 }, () => forgot(email)))
  await forgot(email)
  const count = async () => {
    const mails = house.central.selectFrom('mail_outbox').select('id').where('to_email', '=', email)
    return (await mails.execute()).length
  }
  assert.equal(await count(), 3)
  house.clock.forward(3_601_000)
  await forgot(email)
  assert.equal(await count(), 4)
})

test('strangers who ask for links use up none of the owner’s: a known device or network has its own three', async () => {
  const { email } = await house.user()
  const count = async () => {
    const mails = house.central.selectFrom('mail_outbox').select('id').where('to_email', '=', email)
    return (await mails.where('template', '=', 'restablecer').execute()).length
  }
  const ask = (from: string, cookies: Record<string, string> = {}) =>
    api.send('POST', '/api/auth/password/forgot', { body: { email }, from, cookies })
  const login = { email, password: PASSWORD }
  const browser = await api.send('POST', '/api/auth/login', { body: login, from: '192.0.2.10' })
  const device = Object.fromEntries(
    browser.cookies.filter(({ name }) => name.endsWith('device')).map(({ name, value }) => [name, value]),
  )
  for (let i = 0; i < 5; i += 1) await ask(`198.51.100.${i}`)
  assert.equal(await count(), 3, 'from wherever: strangers have three together')
  await ask('198.51.100.9', { [Object.keys(device)[0] as string]: 'x'.repeat(43) })
  assert.equal(await count(), 3, 'a device of nobody is a stranger')

  for (let i = 0; i < 4; i += 1) await ask('192.0.2.10')
  assert.equal(await count(), 6, 'the network of the owner')
  for (let i = 0; i < 4; i += 1) await ask('203.0.113.7', device)
  assert.equal(await count(), 9, 'the device of the owner, from elsewhere')
  const link = (await house.mail(email, 'restablecer'))?.['token'] as string
  assert.equal((await reset(link)).statusCode, 204)
})

test('the link lifts the waits that an attack has left on the account', async () => {
  const { email } = await house.user()
  for (let i = 0; i < 9; i += 1) {
    await api.send('POST', '/api/auth/login', { body: { email, password: 'no es' } })
    house.clock.forward(300_000)
  }
  const body = { email, password: 'no es' }
  assert.equal((await api.send('POST', '/api/auth/login', { body })).statusCode, 401)
  assert.equal((await api.send('POST', '/api/auth/login', { body })).statusCode, 429)
  assert.equal((await reset(await linkFor(email))).statusCode, 204)
  assert.ok((await api.login(email, NEW_PASSWORD)).accessToken)
})

test('a link is 256 bits, its hash alone is in the database, and what is no link is refused', async () => {
  const { email } = await house.user()
  const token = await linkFor(email)
  assert.match(token, /^[\w-]{43}$/)
  const rows = await house.central.selectFrom('password_tokens').select('token_hash').execute()
  for (const { token_hash } of rows) assert.equal(token_hash.length, 32)
  assert.ok(!rows.some(({ token_hash }) => token_hash.equals(Buffer.from(token, 'base64url'))))
  for (const bad of ['', 'x', token.slice(1), `${token}x`, `${token.slice(0, 42)}\u0000`]) {
    assert.equal((await reset(bad)).statusCode, 400)
  }
  assert.equal((await reset('A'.repeat(43))).statusCode, 410)
})

test('a person who never had a password chooses one with the link', async () => {
  const { id, email } = await house.user()
  await house.central.updateTable('users').set({ password_hash: null }).where('id', '=', id).execute()
  assert.equal((await reset(await linkFor(email))).statusCode, 204)
  assert.ok((await api.login(email, NEW_PASSWORD)).accessToken)
})
