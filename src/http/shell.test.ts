import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { until } from '../../test/support/until.ts'
import { AppError } from '../errors.ts'
import { createLog } from '../log.ts'
import { JsonText } from './json-text.ts'
import { answerMethodNotAllowed } from './method-not-allowed.ts'
import { createShell } from './shell.ts'
import { type App, entero, instante, texto } from './zod.ts'

const publico = { acceso: { quien: 'publico' as const } }

async function shell(
  t: TestContext,
  add: (app: App) => void,
  options: { trustProxy?: string; maxLoopDelayMs?: number; silentMs?: number } = {},
) {
  const lines: string[] = []
  const log = createLog({ level: 'trace', service: 'test', destination: { write: (line) => lines.push(line) } })
  const { app, routes } = await createShell({
    log,
    trustProxy: options.trustProxy ?? false,
    corsOrigins: ['https://app.horux360.mx'],
    maxLoopDelayMs: options.maxLoopDelayMs ?? 0,
    checkText: true,
    ...(options.silentMs !== undefined && { silentMs: options.silentMs }),
  })
  add(app)
  answerMethodNotAllowed(app, routes)
  t.after(() => app.close())
  return { app, lines }
}

const Nota = z.strictObject({ titulo: texto(20), mes: z.int().min(1).max(12).optional() })

function notas(app: App) {
  app.post('/notas', { config: publico, schema: { body: Nota, response: { 201: Nota } } }, async (request, reply) =>
    reply.code(201).send(request.body),
  )
  app.get(
    '/notas/:id',
    { config: publico, schema: { params: z.strictObject({ id: entero(1, 9) }) } },
    async (request) => ({ id: request.params.id }),
  )
  app.post('/salir', { config: publico }, async () => ({}))
}

test('a wrong body is a problem that names each field in Spanish', async (t) => {
  const { app } = await shell(t, notas)
  const answer = await app.inject({
    method: 'POST',
    url: '/notas',
    payload: { titullo: 'x', mes: 13 },
    headers: { 'x-request-id': 'cliente-0001' },
  })
  assert.equal(answer.statusCode, 400)
  assert.match(answer.headers['content-type'] as string, /^application\/problem\+json/)
  assert.equal(answer.headers['x-request-id'], 'cliente-0001')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.deepEqual(answer.json(), {
    type: 'https://horux360.mx/errores/request.invalid',
    title: 'Solicitud inválida',
    status: 400,
    detail: 'titulo: Falta este dato.',
    code: 'request.invalid',
    requestId: 'cliente-0001',
    errors: [
      { path: 'titulo', code: 'required', message: 'Falta este dato.' },
      { path: 'mes', code: 'too_big', message: 'Debe ser como máximo 12.' },
      { path: 'titullo', code: 'unknown_key', message: 'No existe este campo. ¿Quisiste decir "titulo"?' },
    ],
  })
})

test('a megabyte of combining marks is refused before it costs anything, a decomposed text is read', async (t) => {
  const { app } = await shell(t, notas)
  const started = process.cpuUsage()
  const marks = { titulo: `a${'\u0301\u0327'.repeat(200_000)}` }
  const refused = await app.inject({ method: 'POST', url: '/notas', payload: marks })
  assert.equal(refused.statusCode, 400)
  assert.equal(refused.json().detail, 'titulo: Debe tener como máximo 20 caracteres.')
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 1_000_000, `${user + system} µs`)
  const read = await app.inject({ method: 'POST', url: '/notas', payload: { titulo: ` ${'n\u0303'.repeat(20)} ` } })
  assert.equal(read.json().titulo, 'ñ'.repeat(20))
})

test('what the framework refuses is a problem with a code', async (t) => {
  const { app } = await shell(t, notas)
  const json = { 'content-type': 'application/json' }
  const cases = [
    [{ method: 'POST', url: '/notas', payload: '{"titulo":', headers: json }, 400, 'request.invalid_json'],
    [{ method: 'POST', url: '/notas', payload: '', headers: json }, 400, 'request.invalid'],
    [{ method: 'POST', url: '/notas', payload: '{"__proto__":{"x":1}}', headers: json }, 400, 'request.invalid_json'],
    [
      { method: 'POST', url: '/notas', payload: `{"titulo":"${'x'.repeat(1024 * 1024)}"}`, headers: json },
      413,
      'request.too_large',
    ],
    [
      { method: 'POST', url: '/notas', payload: 'x', headers: { 'content-type': 'text/plain' } },
      415,
      'request.unsupported_media_type',
    ],
    [
      { method: 'POST', url: '/notas', payload: 'x', headers: { 'content-type': 'no es un tipo' } },
      415,
      'request.unsupported_media_type',
    ],
    [{ method: 'POST', url: '/salir', payload: { x: 1 } }, 400, 'request.invalid'],
    [{ method: 'GET', url: '/notas/7?a=1' }, 400, 'request.invalid'],
    [{ method: 'DELETE', url: '/notas' }, 405, 'request.method_not_allowed'],
    [{ method: 'GET', url: '/nada' }, 404, 'request.not_found'],
    [{ method: 'GET', url: '/notas/%' }, 400, 'request.invalid_url'],
    [{ method: 'GET', url: `/notas/${'1'.repeat(300)}` }, 414, 'request.invalid_url'],
    [{ method: 'GET', url: '/notas/x%00' }, 400, 'request.invalid'],
    [{ method: 'GET', url: '/notas/7', headers: { accept: 'image/png;q=x' } }, 200, undefined],
  ] as const
  for (const [request, status, code] of cases) {
    const answer = await app.inject(request)
    assert.equal(
      answer.statusCode,
      status,
      `${request.method} ${request.url.slice(0, 40)} ${answer.body.slice(0, 200)}`,
    )
    if (code) assert.equal(answer.json().code, code)
  }
  const refused = await app.inject({ method: 'PUT', url: '/notas' })
  assert.equal(refused.headers['allow'], 'POST')
  assert.equal((await app.inject({ method: 'POST', url: '/salir', headers: json })).statusCode, 200)
})

test('an expected failure keeps its words, an unexpected one says nothing', async (t) => {
  const { app, lines } = await shell(t, (app) => {
    app.get('/ocupado', { config: publico }, async () => {
      throw new AppError('unavailable', 'database.unavailable', 'La base de datos no responde.', { retryAfterS: 1.2 })
    })
    app.get('/bicho', { config: publico }, async () => {
      throw Object.assign(new Error('column "x" of canario@empresa.mx'), { statusCode: 503, code: '42703' })
    })
    app.get('/nulo', { config: publico }, async () => {
      throw null
    })
  })
  const busy = await app.inject('/ocupado')
  assert.deepEqual([busy.statusCode, busy.headers['retry-after'], busy.json().code], [503, '2', 'database.unavailable'])
  for (const url of ['/bicho', '/nulo']) {
    const broken = await app.inject(url)
    assert.equal(broken.statusCode, 500, broken.body)
    assert.equal(broken.json().code, 'unexpected')
    assert.ok(!broken.body.includes('column'))
  }
  assert.ok(lines.some((line) => line.includes('column \\"x\\" of [correo]')))
  assert.ok(!lines.join('').includes('canario@'))
})

test('an answer that is not what the route promised is a 500, also as text', async (t) => {
  const Fila = z.strictObject({ id: z.int(), cuando: instante })
  const { app } = await shell(t, (app) => {
    const schema = { response: { 200: Fila } }
    const bien = { id: 1, cuando: new Date(0) }
    app.get('/bien', { config: publico, schema }, async () => bien)
    app.get('/demas', { config: publico, schema }, async () => ({ ...bien, password_hash: 'x' }))
    app.get(
      '/texto',
      { config: publico, schema: { response: { 200: z.strictObject({ id: z.int() }) } } },
      async () => new JsonText<{ id: number }>('{"id": 7}'),
    )
    app.get(
      '/texto-malo',
      { config: publico, schema: { response: { 200: z.strictObject({ id: z.int() }) } } },
      async () => new JsonText<{ id: number }>('{"di": 7}'),
    )
  })
  assert.deepEqual((await app.inject('/bien')).json(), { id: 1, cuando: '1970-01-01T00:00:00.000Z' })
  assert.equal((await app.inject('/demas')).statusCode, 500)
  assert.equal((await app.inject('/texto')).body, '{"id": 7}')
  assert.match((await app.inject('/texto')).headers['content-type'] as string, /^application\/json/)
  assert.equal((await app.inject('/texto-malo')).statusCode, 500)
})

test('an app with a route that does not say who may call it, or takes unknown fields, does not get ready', async (t) => {
  const open = z.object({ x: z.string() })
  const nested = z.strictObject({ lista: z.array(open) })
  const cases: [RegExp, (app: App) => void][] = [
    [/GET \/a does not say who may call it/, (app) => app.get('/a', async () => ({}))],
    [
      /POST \/b: body itself is not a z.strictObject/,
      (app) => app.post('/b', { config: publico, schema: { body: open } }, async () => ({})),
    ],
    [
      /GET \/c: response.200.+items is not a z.strictObject/,
      (app) => app.get('/c', { config: publico, schema: { response: { 200: nested } } }, async () => ({ lista: [] })),
    ],
  ]
  for (const [message, add] of cases) {
    const { app } = await shell(t, add)
    await assert.rejects(async () => await app.ready(), message)
  }
})

test('a request id is taken from outside only when it is a plain name', async (t) => {
  const { app } = await shell(t, notas)
  for (const id of ['corto', 'x'.repeat(65), 'con espacio', 'ñandú-123', '"}{"level":"error']) {
    const answer = await app.inject({ url: '/nada', headers: { 'x-request-id': id } })
    assert.match(answer.headers['x-request-id'] as string, /^[0-9a-f-]{36}$/)
  }
})

test('one line per request, by route pattern and without the address', async (t) => {
  const { app, lines } = await shell(t, notas)
  await app.inject('/notas/EKU9003173C9?token=canario')
  const requests = lines.map((line) => JSON.parse(line))
  assert.equal(requests.length, 1)
  const { request_id, duration_ms, timestamp, ...rest } = requests[0]
  assert.deepEqual(rest, {
    level: 'info',
    service: 'test',
    method: 'GET',
    route: '/notas/:id',
    status: 400,
    code: 'request.invalid',
    tenant_id: null,
    user_id: null,
    message: 'request',
  })
  assert.ok(request_id && timestamp && duration_ms >= 0)
})

test('answers carry the headers a browser needs to be careful, and only known origins may read them', async (t) => {
  const { app } = await shell(t, notas)
  const { headers } = await app.inject({ url: '/nada', headers: { origin: 'https://app.horux360.mx' } })
  assert.equal(headers['access-control-allow-origin'], 'https://app.horux360.mx')
  assert.equal(headers['access-control-allow-credentials'], undefined)
  assert.equal(
    headers['content-security-policy'],
    "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
  )
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.match(String(headers['strict-transport-security']), /max-age=31536000/)
  for (const origin of [
    'null',
    'https://app.horux360.mx.evil.com',
    'http://app.horux360.mx',
    'https://app.horux360.mx:444',
    'https://evil-app.horux360.mx',
  ]) {
    const refused = await app.inject({
      method: 'OPTIONS',
      url: '/notas',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    assert.equal(refused.headers['access-control-allow-origin'], undefined, origin)
  }
  const refresh = await app.inject({
    method: 'OPTIONS',
    url: '/api/auth/refresh',
    headers: { origin: 'https://app.horux360.mx', 'access-control-request-method': 'POST' },
  })
  assert.equal(refresh.headers['access-control-allow-credentials'], 'true')
})

test('only our own proxy may say who the client is', async (t) => {
  const { app } = await shell(
    t,
    (app) => app.get('/ip', { config: publico }, async (request) => ({ ip: request.ip })),
    { trustProxy: '127.0.0.1' },
  )
  const headers = { 'x-forwarded-for': '203.0.113.9' }
  assert.equal((await app.inject({ url: '/ip', remoteAddress: '127.0.0.1', headers })).json().ip, '203.0.113.9')
  assert.equal((await app.inject({ url: '/ip', remoteAddress: '198.51.100.7', headers })).json().ip, '198.51.100.7')
})

test('a handler that takes too long is answered for, and its work is told to stop', async (t) => {
  const told = Promise.withResolvers<void>()
  const { app } = await shell(t, (app) =>
    app.get('/lento', { config: publico, handlerTimeout: 50 }, (request) => {
      request.signal.addEventListener('abort', () => told.resolve())
      return new Promise(() => {})
    }),
  )
  const answer = await app.inject('/lento')
  assert.deepEqual(
    [answer.statusCode, answer.json().code, answer.headers['retry-after']],
    [503, 'request.timeout', '5'],
  )
  await told.promise
})

test('while the loop is late requests are refused with 503, and probes of life are not', async (t) => {
  const probe = { ...publico, probe: true as const, pressureHandler: () => undefined }
  const { app } = await shell(
    t,
    (app) => {
      notas(app)
      app.get('/vivo', { config: probe }, async () => ({}))
    },
    { maxLoopDelayMs: 3 },
  )
  const busy = await until(async () => {
    for (const end = performance.now() + 100; performance.now() < end; );
    const answer = await app.inject('/notas/7')
    return answer.statusCode === 503 ? answer : undefined
  })
  assert.equal(busy.json().code, 'sobrecarga')
  assert.ok(busy.headers['retry-after'])
  assert.equal((await app.inject('/vivo')).statusCode, 200)
})

test('a client that takes nothing of its answer is cut off', async (t) => {
  let closed = false
  const large = (app: App) =>
    app.get('/grande', { config: publico }, async (_request, reply) => {
      reply.raw.once('close', () => {
        closed = true
      })
      return reply.type('application/octet-stream').send(Buffer.alloc(64 * 1024 ** 2))
    })
  const { app } = await shell(t, large, { silentMs: 300 })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  const client = connect(port, '127.0.0.1').on('error', () => undefined)
  t.after(() => client.destroy())
  client.pause()
  client.write('GET /grande HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => closed)
})
