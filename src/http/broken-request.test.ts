import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { createLog } from '../log.ts'
import { createShell } from './shell.ts'
import type { App } from './zod.ts'

let app: App
let port: number
let worked = 0

before(async () => {
  const log = createLog({ level: 'silent', service: 'test' })
  const shell = await createShell({ log, trustProxy: false, corsOrigins: [], maxLoopDelayMs: 0, checkText: true })
  app = shell.app
  app.post('/eco', { config: { acceso: { quien: 'publico' } } }, async () => {
    worked += 1
    return {}
  })
  port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
})
after(() => app.close())

/** Everything the server says until it hangs up. */
function say(bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setTimeout(60_000, () => socket.destroy(new Error(`still open, heard: ${heard}`)))
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
    })
    socket.once('close', () => resolve(heard))
    socket.once('error', reject)
  })
}

const head = (...lines: string[]) =>
  ['POST /eco HTTP/1.1', 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n')

test('bytes that are no request get a problem and the connection ends', async () => {
  const cases: [string, string | Buffer, number, string][] = [
    ['garbage', 'no es HTTP\r\n\r\n', 400, 'request.invalid'],
    ['TLS on a plain port', Buffer.from('16030100a5010000a10303', 'hex'), 400, 'request.invalid'],
    ['NUL in a header', head('X-A: a\0b'), 400, 'request.invalid'],
    ['huge headers', head(`X-A: ${'a'.repeat(20_000)}`), 431, 'request.headers_too_large'],
    ['two lengths', head('Content-Length: 1', 'Content-Length: 2'), 400, 'request.invalid'],
    [
      'length and chunks',
      `${head('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      400,
      'request.invalid',
    ],
    ['chunked, but not last', head('Transfer-Encoding: chunked, identity'), 400, 'request.invalid'],
    ['a folded header', head('X-A: a', ' b: c'), 400, 'request.invalid'],
    ['a space before the colon', head('Content-Length : 3'), 400, 'request.invalid'],
    [
      'a chunk that lies',
      `${head('Transfer-Encoding: chunked', 'Content-Type: application/json')}zz\r\n{}\r\n0\r\n\r\n`,
      400,
      'request.invalid',
    ],
  ]
  for (const [what, bytes, status, code] of cases) {
    const answer = await say(bytes)
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${what}: ${answer.slice(0, 200)}`)
    assert.match(answer, /application\/problem\+json/, what)
    assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).code, code, what)
  }
  assert.equal(worked, 0)
})

test('a client that sends its headers drop by drop is sent away', async () => {
  app.server.headersTimeout = 500 // 10 s in earnest; what is looked at every 5 s
  const answer = await say('POST /eco HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  assert.match(answer, /^HTTP\/1.1 408 /)
  assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).code, 'request.timeout')
})
