import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { makeEfirma } from '../../test/support/efirmas.ts'
import { createStop, readBounded } from './answer.ts'
import { send, Unreached } from './send.ts'

/** Says what `answer` says on each connection, once it was asked something; the test ends only when all have ended. */
async function startHost(t: TestContext, answer: (socket: Socket) => void) {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
    socket.once('data', () => answer(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.close()
    await Promise.all([...open].map((socket) => once(socket, 'close')))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** What comes of one call within `ms`, as text. */
async function call(url: string, ms = 10_000): Promise<string> {
  const stop = createStop(undefined, ms)
  try {
    const response = await send(url, { headers: {}, body: 'question', signal: stop.signal })
    return await readBounded(response, 1_000).finally(() => response.destroy())
  } catch (error) {
    throw stop.why() ?? error
  } finally {
    stop.clear()
  }
}

const HEAD = 'HTTP/1.1 200 OK\r\n'

test('what ends with its connection is whole when that ends, and not when it breaks', async (t) => {
  assert.equal(await call(await startHost(t, (socket) => socket.end(`${HEAD}\r\nanswer`))), 'answer')
  const broken = await startHost(t, (socket) => socket.write(`${HEAD}\r\nans`, () => socket.resetAndDestroy()))
  await assert.rejects(call(broken), { code: 'ECONNRESET' })
})

test('less than was announced is no answer', async (t) => {
  const short = await startHost(t, (socket) => socket.end(`${HEAD}content-length: 99\r\n\r\nanswer`))
  await assert.rejects(call(short), { code: 'ECONNRESET' })
  const cut = await startHost(t, (socket) => socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n6\r\nanswer\r\n`))
  await assert.rejects(call(cut), { code: 'ECONNRESET' })
  const more = await startHost(t, (socket) => socket.end(`${HEAD}content-length: 6\r\n\r\nanswer and more`))
  assert.equal(await call(more), 'answer')
})

test('a connection that its host would keep is left all the same, once read or given up', async (t) => {
  const keeps = (body: string) =>
    startHost(t, (socket) =>
      socket.write(`${HEAD}connection: keep-alive\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
    )
  assert.equal(await call(await keeps('answer')), 'answer')
  await assert.rejects(call(await keeps('answer'.repeat(500))), /more than 1000 bytes/)
})

test('whoever would rather speak another protocol gave no answer', async (t) => {
  const other = await startHost(t, (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'),
  )
  await assert.rejects(call(other), /without an answer/)
})

test('an encoded answer, which nobody asked for, is none', async (t) => {
  const zipped = await startHost(t, (socket) => socket.end(`${HEAD}content-encoding: gzip\r\n\r\nanswer`))
  await assert.rejects(call(zipped), /encoded as gzip/)
  assert.equal(
    await call(await startHost(t, (socket) => socket.end(`${HEAD}content-encoding:\r\n\r\nanswer`))),
    'answer',
  )
})

test('a call ends at its time wherever it stands, and leaves no connection', async (t) => {
  for (const said of ['', 'HTTP/1.1 100 Continue\r\n\r\n', HEAD, `${HEAD}content-length: 99\r\n\r\nans`]) {
    const host = await startHost(t, (socket) => socket.write(said || '\r\n'))
    await assert.rejects(call(host, 50), /no whole answer within 50 ms/)
  }
})

test('whoever cannot show over TLS who they are is told nothing', async (t) => {
  const { cer, privateKey } = makeEfirma({ rfc: 'EKU9003173C9' })
  let asked = 0
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const impostor = createTlsServer({ key, cert: new X509Certificate(cer).toString() }, () => void asked++)
  impostor.listen(0, '127.0.0.1')
  await once(impostor, 'listening')
  t.after(() => impostor.close())
  await assert.rejects(call(`https://127.0.0.1:${(impostor.address() as AddressInfo).port}/`), Unreached)
  assert.equal(asked, 0)
})
