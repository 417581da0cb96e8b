import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ConfigError, loadConfig, parseKeyRing } from './config.ts'

const key = () => randomBytes(32).toString('base64')
const shared = key()

/** What a production that may start has, and nothing else. */
const good = {
  HORUX_ENV: 'production',
  CENTRAL_DATABASE_URL:
    'postgres://horux_central:Zk3-9fQx%2F7Lw2-pTm1@db.interna:5432/horux_central?sslmode=verify-full',
  HORUX_TENANT_KEY: `2026a:${key()}`,
  JWT_KEYS: `2026a:${key()},2025b:${key()}`,
  BILLING_ENCRYPTION_KEY: `2026a:${key()}`,
  FIEL_ENCRYPTION_KEY: `2026a:${key()}`,
  SMTP_URL: 'smtps://horux:clave@correo.interno',
  PUBLIC_URL: 'https://app.horux360.mx/',
}

const onHost = (host: string) => `postgres://horux_central:Zk3-9fQx%2F7Lw2-pTm1@${host}:5432/horux_central`

/** The problems of an environment, and that none of them tells a value of it. */
function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env, 'api')
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, `not a matter of configuration: ${error}`)
    const values = Object.values(env).flatMap((value) => value.split(/[:,@/]/).filter((part) => part.length > 9))
    for (const value of values) assert.ok(!error.message.includes(value), `${error.message} tells ${value}`)
    return error.problems
  }
}

test('a production with secrets of its own starts', () => {
  assert.deepEqual(problemsOf(good), [])
  const config = loadConfig(good, 'worker')
  assert.deepEqual([config.publicUrl, config.docsEnabled, config.trustProxy], ['https://app.horux360.mx', false, false])
  assert.deepEqual([config.jwtKeys.active.kid, config.jwtKeys.kids], ['2026a', ['2026a', '2025b']])
})

const refused: [variable: string, value: string | undefined, what: string][] = [
  ['HORUX_ENV', 'prod', 'a mode nobody knows'],
  ...['HORUX_TENANT_KEY', 'JWT_KEYS', 'BILLING_ENCRYPTION_KEY', 'FIEL_ENCRYPTION_KEY'].flatMap(
    (name): typeof refused => [
      [name, undefined, 'missing'],
      [name, '', 'empty'],
      [name, key(), 'without an id'],
      [name, `k1:${randomBytes(31).toString('base64')}`, 'short'],
      [name, `k1:${Buffer.alloc(32).toString('base64')}`, 'all zeros'],
      [name, `k1:${Buffer.from('abcabcabcabcabcabcabcabcabcabcabcabc').toString('base64')}`, 'a few letters repeated'],
      [name, `k1:${key()},k1:${key()}`, 'one id twice'],
      [name, `k1:${shared},k2:${shared}`, 'one key twice'],
      [name, `dev:${key()}`, 'the kind that make start makes'],
      [name, `k1:${key()},test:${key()}`, 'a test key among others'],
      [name, `__proto__ :${key()}`, 'an id with a blank'],
    ],
  ),
  ['CENTRAL_DATABASE_URL', undefined, 'missing'],
  ['CENTRAL_DATABASE_URL', 'mysql://a:b@c/d', 'of another database'],
  ['CENTRAL_DATABASE_URL', 'postgres://horux_central@db/horux_central', 'without a password'],
  ['CENTRAL_DATABASE_URL', 'postgres://horux_central:corta@db/horux_central', 'with a short password'],
  ['CENTRAL_DATABASE_URL', `postgres://horux_central:${'ab'.repeat(20)}@db/horux_central`, 'with a weak password'],
  ['CENTRAL_DATABASE_URL', 'postgres://horux_central:100%segura-y-larga@db/horux_central', 'badly encoded'],
  ...['', '?sslmode=disable', '?sslmode=prefer', '?sslmode=require', '?host=db.interna'].map(
    (query): (typeof refused)[number] => [
      'CENTRAL_DATABASE_URL',
      `${onHost(query.startsWith('?host') ? '127.0.0.1' : 'db.interna')}${query}`,
      `over a network whose server nobody checks (${query || 'no sslmode'})`,
    ],
  ),
  ['CENTRAL_DATABASE_URL', onHost('127.0.0.1.interna'), 'whose host only looks like this machine'],
  ['SMTP_URL', undefined, 'missing'],
  ['SMTP_URL', 'http://correo.interno', 'that is no mail server'],
  ['PUBLIC_URL', 'http://app.horux360.mx', 'without TLS'],
  ['PUBLIC_URL', undefined, 'missing: the default is localhost'],
  ['CORS_ORIGINS', 'http://app.horux360.mx', 'without TLS'],
  ['CORS_ORIGINS', '*', 'everybody'],
  ['CORS_ORIGINS', 'https://app.horux360.mx/', 'an address instead of an origin'],
  ['TRUST_PROXY', 'true', 'everybody'],
  ['TRUST_PROXY', '*', 'everybody'],
  ['TRUST_PROXY', '0.0.0.0/0', 'everybody, as a network'],
  ['TRUST_PROXY', '10.0.0.7, ::/0', 'everybody, among others'],
  ['TRUST_PROXY', '0.0.0.0/1, 128.0.0.0/1', 'everybody, in halves'],
  ['TRUST_PROXY', '1', 'a number of hops'],
  ['TRUST_PROXY', 'nginx', 'a name'],
  ['TRUST_PROXY', '10.0.0.0/33', 'a network that is none'],
  ['API_PORT', '70000', 'beyond the ports'],
  ['TENANT_DB_BUDGET', '2', 'less than one pool'],
  ['RATE_LIMIT_PER_MINUTE', '-1', 'less than nothing'],
  ['ACCESS_TOKEN_MINUTES', 'quince', 'a word'],
  ['PLATFORM_EMAIL', 'operacion', 'no address'],
  ['TEST_CLOCK', 'true', 'that lets anybody move time'],
  ['TEST_CLOCK', 'quizá', 'that is neither yes nor no'],
  ['MERCADOPAGO_URL', 'http://api.mercadopago.com', 'without TLS'],
  ['MERCADOPAGO_URL', 'http://127.0.0.1:8035', 'of the simulator'],
  ['SAT_ESTADO_URL', 'http://127.0.0.1:8045/ConsultaCFDIService.svc', 'of the simulator'],
  ['SAT_ESTADO_URL', 'http://consultaqr.facturaelectronica.sat.gob.mx/ConsultaCFDIService.svc', 'of the SAT, in clear'],
  ['SAT_ESTADO_URL', 'https://consultaqr.facturaelectronica.sat.gob.mx/', 'of the SAT, another page'],
  ['MERCADOPAGO_URL', 'https://api.mercadopago.com.interna', 'whose host only looks like it'],
  ['MERCADOPAGO_URL', 'https://api.mercadopago.com:8443', 'at another port'],
  ['MERCADOPAGO_URL', 'https://api.mercadopago.com@interna', 'whose host is behind an at'],
  ['MERCADOPAGO_URL', 'api.mercadopago.com', 'without a scheme'],
]

for (const [variable, value, what] of refused)
  test(`production refuses ${variable} ${what}, by its name and without its value`, () => {
    const { [variable]: _, ...rest } = good as Record<string, string>
    const problems = problemsOf(value === undefined ? rest : { ...rest, [variable]: value })
    assert.ok(
      problems.some((problem) => problem.includes(variable)),
      `${problems.join('; ') || 'accepted'}`,
    )
  })

test('on this machine the database needs no certificate', () => {
  for (const local of ['127.0.0.1', '127.0.1.1', 'localhost', '[::1]'].map(onHost))
    assert.deepEqual(problemsOf({ ...good, CENTRAL_DATABASE_URL: local }), [], local)
  const socket = `${onHost('db.interna')}?host=/var/run/postgresql`
  assert.deepEqual(problemsOf({ ...good, CENTRAL_DATABASE_URL: socket }), [])
})

test('one key for two purposes is refused', () => {
  const problems = problemsOf({ ...good, HORUX_TENANT_KEY: `a:${shared}`, JWT_KEYS: `b:${shared}` })
  assert.match(problems.join(), /HORUX_TENANT_KEY, JWT_KEYS/)
  const sealing = problemsOf({ ...good, JWT_KEYS: `a:${shared}`, BILLING_ENCRYPTION_KEY: `b:${shared}` })
  assert.match(sealing.join(), /BILLING_ENCRYPTION_KEY, FIEL_ENCRYPTION_KEY: the same key/)
})

test('addresses and networks of a proxy are taken as they are', () => {
  for (const proxy of ['127.0.0.1', '::1', '10.0.0.0/8', 'fd00::/8, 127.0.0.1', 'loopback'])
    assert.equal(loadConfig({ ...good, TRUST_PROXY: proxy }, 'api').trustProxy, proxy)
})

test('a server that is in production for Node is so for us, or does not start', () => {
  assert.deepEqual(problemsOf({ ...good, NODE_ENV: 'production' }), [])
  const { HORUX_ENV, ...forgotten } = good
  for (const env of [forgotten, { ...good, HORUX_ENV: 'test' }, { ...good, HORUX_ENV: 'development' }]) {
    assert.deepEqual(problemsOf({ ...env, NODE_ENV: 'production' }), ['HORUX_ENV: contradicts NODE_ENV'])
    assert.deepEqual(problemsOf({ ...env, NODE_ENV: 'development' }), [])
  }
})

test('all that is wrong is told at once', () => {
  const problems = problemsOf({ HORUX_ENV: 'production', CENTRAL_DATABASE_URL: 'x', API_PORT: 'y' }).join()
  for (const variable of [
    'CENTRAL_DATABASE_URL',
    'API_PORT',
    'JWT_KEYS',
    'HORUX_TENANT_KEY',
    'BILLING_ENCRYPTION_KEY',
    'FIEL_ENCRYPTION_KEY',
  ])
    assert.match(problems, new RegExp(variable))
})

test('a ring finds what it holds and nothing of Object.prototype', () => {
  const ring = parseKeyRing('JWT_KEYS', `nueva:${key()}, vieja:${key()}`)
  assert.equal(ring.get('nueva'), ring.active.key)
  assert.ok(ring.get('vieja'))
  for (const kid of ['__proto__', 'constructor', 'toString', '']) assert.equal(ring.get(kid), undefined)
})
