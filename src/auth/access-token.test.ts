import assert from 'node:assert/strict'
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  type ApiProcess,
  type AuthHouse,
  JWT_KEYS,
  type Login,
  NEXT_JWT_KEYS,
  startAuthHouse,
} from '../../test/support/auth.ts'
import { parseKeyRing } from '../config.ts'

let house: AuthHouse
let api: ApiProcess
let login: Login

before(async () => {
  house = await startAuthHouse()
  api = await house.process()
  const { id, email } = await house.user()
  const company = await house.company('EKU9003173C9')
  await house.member(id, company.id, 'admin')
  login = await api.login(email)
})
after(() => house.close())

const ring = parseKeyRing('JWT_KEYS', JWT_KEYS)
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())
const hmac = (hash: string, key: Buffer | string, input: string) =>
  createHmac(hash, key).update(input).digest('base64url')

interface Forgery {
  header?: object
  claims?: object
  drop?: string[]
  sign?: (input: string) => string
}

/** A token of ours with something changed and signed again with our own key, unless said otherwise. */
function forge({ header = {}, claims = {}, drop = [], sign }: Forgery): string {
  const [h, p] = login.accessToken.split('.')
  const payload = { ...decode(p), ...claims }
  for (const name of drop) delete payload[name]
  const input = `${encode({ ...decode(h), ...header })}.${encode(payload)}`
  return `${input}.${(sign ?? ((text) => hmac('sha256', ring.active.key, text)))(input)}`
}

const ask = (token: string) => api.send('GET', '/api/probe/todos', { as: token })
const now = () => Math.floor(Date.now() / 1000)
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()

const attacks: [name: string, token: () => string][] = [
  ['alg none without a signature', () => forge({ header: { alg: 'none' }, sign: () => '' })],
  ['alg nOnE with our signature', () => forge({ header: { alg: 'nOnE' } })],
  ['alg none and our signature', () => forge({ header: { alg: 'none' } })],
  ['no signature', () => forge({ sign: () => '' })],
  ['HS512 with our key', () => forge({ header: { alg: 'HS512' }, sign: (i) => hmac('sha512', ring.active.key, i) })],
  ['HS384 with our key', () => forge({ header: { alg: 'HS384' }, sign: (i) => hmac('sha384', ring.active.key, i) })],
  [
    'RS256 by somebody',
    () =>
      forge({ header: { alg: 'RS256' }, sign: (i) => createSign('sha256').update(i).sign(privateKey, 'base64url') }),
  ],
  ['HS256 keyed with a public key', () => forge({ sign: (i) => hmac('sha256', publicPem, i) })],
  ['HS256 keyed with nothing', () => forge({ sign: (i) => hmac('sha256', '', i) })],
  [
    'another claim, the old signature',
    () => forge({ claims: { role: 'admin ' }, sign: () => login.accessToken.split('.')[2] ?? '' }),
  ],
  ['without exp', () => forge({ drop: ['exp'] })],
  ['without iat', () => forge({ drop: ['iat'] })],
  ['without iss', () => forge({ drop: ['iss'] })],
  ['without aud', () => forge({ drop: ['aud'] })],
  ['without sid', () => forge({ drop: ['sid'] })],
  ['without typ', () => forge({ header: { typ: undefined } })],
  ['typ JWT', () => forge({ header: { typ: 'JWT' } })],
  ['another iss', () => forge({ claims: { iss: 'horux361' } })],
  ['another aud', () => forge({ claims: { aud: 'horux360-web' } })],
  ['an aud that only begins like ours', () => forge({ claims: { aud: 'horux360-api.evil.example' } })],
  ['exp as text', () => forge({ claims: { exp: String(now() + 900) } })],
  ['exp beyond numbers', () => forge({ claims: { exp: 1e30 } })],
  ['exp before iat', () => forge({ claims: { iat: now(), exp: now() - 1 } })],
  ['issued an hour from now', () => forge({ claims: { iat: now() + 3600, exp: now() + 4500 } })],
  ['a critical extension', () => forge({ header: { crit: ['b64'], b64: false } })],
  [
    'an embedded key',
    () => forge({ header: { jwk: { kty: 'oct', k: 'AAAA' } }, sign: (i) => hmac('sha256', Buffer.alloc(3), i) }),
  ],
  ['sid that is no uuid', () => forge({ claims: { sid: "' or 1=1 --" } })],
  ['claims that are an array', () => `${encode(decode(login.accessToken.split('.')[0]))}.${encode([1])}.x`],
  ['the session of somebody else', () => forge({ claims: { userId: '01a200c6-8ee5-71a8-8db0-0253420de62f' } })],
  ['the database of somebody else', () => forge({ claims: { databaseName: 'horux_xia190128j61' } })],
  ['no database', () => forge({ claims: { databaseName: null } })],
  ...['__proto__', 'constructor', 'toString', '../../etc/passwd', '', 'k9', 'K1', 'k1\u0000', 'a'.repeat(10_000)].map(
    (kid): [string, () => string] => [`kid ${kid.slice(0, 20)}`, () => forge({ header: { kid } })],
  ),
  ['kid that is a number', () => forge({ header: { kid: 1 } })],
  ['kid missing', () => forge({ header: { kid: undefined } })],
  ['kid that is a list', () => forge({ header: { kid: ['k1'] } })],
  ['a header of 10 kB', () => forge({ header: { filler: 'x'.repeat(10_000) } })],
  ['no JSON', () => 'YQ.YQ.YQ'],
]

test('the token itself is good', async () => {
  assert.equal((await ask(login.accessToken)).statusCode, 200)
  assert.equal((await ask(forge({}))).statusCode, 200, 'so the forgeries fail for what they change')
})

for (const [name, token] of attacks) {
  test(`refused: ${JSON.stringify(name)}`, async () => {
    const answer = await ask(token())
    assert.equal(answer.statusCode, 401, answer.body)
    assert.match(answer.json().code, /^auth\.(invalid_token|unauthenticated)$/)
    assert.match(answer.headers['content-type'] as string, /problem\+json/)
  })
}

test('refused: a refresh token, a wrong scheme, a token in the address, two tokens, nothing', async () => {
  const answers = await Promise.all([
    ask(login.refreshToken),
    api.send('GET', '/api/probe/todos', { headers: { authorization: `Basic ${login.accessToken}` } }),
    api.send('GET', `/api/probe/todos?access_token=${login.accessToken}`),
    api.send('GET', '/api/probe/todos', { headers: { authorization: `Bearer ${login.accessToken}, Bearer x` } }),
    api.send('GET', '/api/probe/todos', {
      cookies: { '__Host-horux_refresh': login.refreshToken, token: login.accessToken },
    }),
    api.send('GET', '/api/probe/todos'),
  ])
  for (const answer of answers) assert.equal(answer.statusCode, 401, answer.body)
})

test('a contradiction between token and session raises an alarm, an ordinary bad token does not', async () => {
  api.log.length = 0
  await ask(forge({ claims: { databaseName: 'horux_xia190128j61' } }))
  assert.equal(api.log.filter((line) => line.includes('token_mismatch')).length, 1)
  await ask(forge({ claims: { aud: 'x' } }))
  assert.equal(api.log.filter((line) => line.includes('token_mismatch')).length, 1)
})

test('the role and e-mail of a token are not believed', async () => {
  const answer = await ask(forge({ claims: { role: 'plataforma', email: 'jefe@horux360.mx', esPlataforma: true } }))
  const { user } = answer.json()
  assert.deepEqual([user.rol, user.esPlataforma, user.email], ['admin', false, login.usuario.email])
})

test('a token that was found good does not vouch for its likes', async () => {
  const { accessToken } = login
  assert.equal((await ask(accessToken)).statusCode, 200)
  const [header = '', payload = '', signature = ''] = accessToken.split('.')
  const flipped = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
  const likes = [
    `${header}.${payload}.${flipped(signature, 0)}`,
    `${header}.${payload}.${flipped(signature, signature.length - 2)}`,
    `${header}.${flipped(payload, 10)}.${signature}`,
    `${flipped(header, 4)}.${payload}.${signature}`,
    `${header}.${payload}.${signature.slice(0, -1)}`,
  ]
  for (const like of likes) assert.equal((await ask(like)).statusCode, 401, like)
  assert.equal((await ask(accessToken)).statusCode, 200)
})

test('a token expires by the clock of the product, and is good while that says so', async (t) => {
  t.after(() => house.clock.reset())
  house.clock.hold()
  const { accessToken } = await api.login(login.usuario.email)
  house.clock.forward(14 * 60_000)
  assert.equal((await ask(accessToken)).statusCode, 200)
  house.clock.forward(61_000)
  const expired = await ask(accessToken)
  assert.deepEqual([expired.statusCode, expired.json().code], [401, 'auth.token_expired'])
})

test('a clock that was set back an hour refuses what was issued before, and recovers with it', async (t) => {
  t.after(() => house.clock.reset())
  house.clock.forward(-3_600_000)
  assert.equal((await ask(login.accessToken)).statusCode, 401)
  house.clock.reset()
  assert.equal((await ask(login.accessToken)).statusCode, 200)
})

test('a new signing key is introduced and the old one retired without one 401', async () => {
  const rotated = await house.process({ config: { jwtKeys: parseKeyRing('JWT_KEYS', NEXT_JWT_KEYS) } })
  const old = await Promise.all(
    Array.from({ length: 30 }, () => rotated.send('GET', '/api/probe/todos', { as: login.accessToken })),
  )
  for (const answer of old) assert.equal(answer.statusCode, 200)
  const fresh = await rotated.login(login.usuario.email)
  assert.equal(decode(fresh.accessToken.split('.')[0]).kid, 'k2')
  assert.equal((await rotated.send('GET', '/api/probe/todos', { as: fresh.accessToken })).statusCode, 200)
  assert.equal((await ask(fresh.accessToken)).statusCode, 401, 'a process that has not got the key yet')

  const retired = await house.process({
    config: { jwtKeys: parseKeyRing('JWT_KEYS', NEXT_JWT_KEYS.split(',')[0] ?? '') },
  })
  assert.equal((await retired.send('GET', '/api/probe/todos', { as: fresh.accessToken })).statusCode, 200)
  assert.equal((await retired.send('GET', '/api/probe/todos', { as: login.accessToken })).statusCode, 401)
})
