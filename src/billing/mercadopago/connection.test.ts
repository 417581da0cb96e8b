import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { MPConnectionError } from 'mercadopago'
import { pino } from 'pino'
import { z } from 'zod'
import { makeEfirma } from '../../../test/support/efirmas.ts'
import { AppError } from '../../errors.ts'
import { createBreaker } from '../../outbound/breaker.ts'
import { createPace } from '../../outbound/pace.ts'
import { type Call, createExchange, type ExchangeOptions } from './exchange.ts'

/** Where nobody listens (fetch itself refuses port 1), and a name that never is one (RFC 6761). */
const REFUSED = 'http://127.0.0.1:2/'
const NOWHERE = 'http://mercadopago.invalid/'
const MADE = 'HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"id":"a"}'

async function listen(t: TestContext, server: Server, protocol = 'http') {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** A host that does `meet` with each connection. */
const startHost = (t: TestContext, meet: (socket: Socket) => void, protocol?: string) =>
  listen(t, createServer(meet), protocol)

/** A host that answers whatever it is asked, once it has its first byte. */
const startMaker = (t: TestContext) => startHost(t, (socket) => socket.once('data', () => socket.end(MADE)))

/** A POST that may not be done twice, its tries at one address each; the last one again and again. */
async function post(
  urls: string[],
  { repeat = 'never', ...options }: Partial<ExchangeOptions & Pick<Call<unknown>, 'repeat'>> = {},
) {
  const asked: string[] = []
  const sleeps: number[] = []
  const exchange = createExchange({
    accessToken: 'APP_USR-prueba',
    account: 'prueba',
    log: pino({ level: 'silent' }),
    pace: createPace({ intervalMs: 0 }),
    breaker: createBreaker({ failures: 10 }),
    random: () => 0.999999999,
    sleep: async (ms) => void sleeps.push(ms),
    ...options,
  })
  const shape = z.object({ id: z.string() })
  const outcome = await exchange({
    operation: 'createPreapproval',
    repeat,
    shape,
    read: shape,
    // As the SDK does it, which has one address for the whole process.
    async ask(config) {
      const url = urls[Math.min(asked.length, urls.length - 1)] ?? ''
      asked.push(url)
      const init = { method: 'POST', body: '{"a":1}', ...config.options }
      const response = await fetch(url, init).catch((error: unknown) => {
        throw new MPConnectionError(error)
      })
      return response.json()
    },
  }).then(
    ({ id }) => id,
    (error: unknown) => {
      assert.ok(error instanceof AppError, String(error))
      return error.code
    },
  )
  return { outcome, tries: asked.length, sleeps }
}

const LOST = { outcome: 'gateway.lost_answer', tries: 1, sleeps: [] }
const NOT_SENT = { outcome: 'gateway.unreached', tries: 4, sleeps: [2_000, 4_000, 8_000] }

for (const [name, url] of [
  ['a host that refuses', REFUSED],
  ['a name that nobody has', NOWHERE],
] as const) {
  test(`${name} was told nothing: it is asked again, with pauses, and at last told so`, async () => {
    assert.deepEqual(await post([url]), NOT_SENT)
  })
}

test('where a person waits he is told at once that nothing was sent', async () => {
  assert.deepEqual(await post([REFUSED], { retries: 0 }), { ...NOT_SENT, tries: 1, sleeps: [] })
})

test('what was not sent goes out once there is somebody to send it to', async (t) => {
  const made = await startMaker(t)
  assert.deepEqual(await post([REFUSED, NOWHERE, made]), { outcome: 'a', tries: 3, sleeps: [2_000, 4_000] })
})

test('sent at last and then lost, it is lost: the refusals before it do not count', async (t) => {
  const resets = await startHost(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))
  assert.deepEqual(await post([REFUSED, resets, REFUSED]), { ...LOST, tries: 2, sleeps: [2_000] })
})

test('what may be repeated is not told to be unsent when one of its tries was', async (t) => {
  const resets = await startHost(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))
  const { outcome, tries } = await post([REFUSED, resets, REFUSED], { repeat: 'yes' })
  assert.deepEqual([outcome, tries], ['gateway.unavailable', 4])
})

test('a host that takes the connection and closes it without reading may have been told', async (t) => {
  assert.deepEqual(await post([await startHost(t, (socket) => void socket.end())]), LOST)
})

test('a host that resets after the first byte may have been told', async (t) => {
  const url = await startHost(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))
  assert.deepEqual(await post([url]), LOST)
})

test('a host that takes the connection and says nothing may have been told', async (t) => {
  assert.deepEqual(await post([await startHost(t, () => undefined)], { deadlineMs: 150 }), LOST)
})

test('a host that begins to answer and resets may have done it', async (t) => {
  const url = await startHost(t, (socket) =>
    socket.once('data', () => socket.write(MADE.slice(0, 40), () => socket.resetAndDestroy())),
  )
  assert.deepEqual(await post([url]), LOST)
})

// Over TLS nothing is said before the end of its greeting.

const BRIEF = { retries: 0, deadlineMs: 150 }
const TOLD_NOTHING = { ...NOT_SENT, tries: 1, sleeps: [] }

test('a host that breaks off the greeting of TLS, or never greets, was told nothing', async (t) => {
  const resets = await startHost(t, (socket) => socket.once('data', () => socket.resetAndDestroy()), 'https')
  assert.deepEqual(await post([resets], { retries: 0 }), TOLD_NOTHING)
  const closes = await startHost(t, (socket) => void socket.end(), 'https')
  assert.deepEqual(await post([closes], { retries: 0 }), TOLD_NOTHING)
  const silent = await startHost(t, () => undefined, 'https')
  assert.deepEqual(await post([silent], BRIEF), TOLD_NOTHING)
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a host that cannot show over ${version} who it is was told nothing, to the end of its connection`, async (t) => {
    const { cer, privateKey } = makeEfirma({ rfc: 'EKU9003173C9' })
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
    const cert = new X509Certificate(cer).toString()
    let bytes = 0
    const impostor = createTlsServer({ key, cert, minVersion: version, maxVersion: version }, (socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        bytes += chunk.length
      })
    })
    impostor.on('tlsClientError', () => undefined)
    const closed = new Promise((resolve) => impostor.on('connection', (socket) => socket.once('close', resolve)))
    const url = await listen(t, impostor, 'https')
    assert.deepEqual(await post([url], { retries: 0 }), TOLD_NOTHING)
    await closed
    assert.equal(bytes, 0)
  })
}

test('one try is one request: a 421, which fetch asks again by itself, may have been done', async (t) => {
  let requests = 0
  const misdirected = createHttpServer((request, response) => {
    requests += 1
    request.resume()
    response.writeHead(421, { 'content-type': 'application/json' }).end('{}')
  })
  assert.deepEqual(await post([await listen(t, misdirected)]), LOST)
  assert.equal(requests, 1)
})
