import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createLog } from '../log.ts'
import { createShell } from './shell.ts'

const publico = { acceso: { quien: 'publico' as const } }

async function listening(t: { after(end: () => unknown): void }, bodyDeadlineMs = 100) {
  const log = createLog({ level: 'silent', service: 'test' })
  const options = { log, trustProxy: false as const, corsOrigins: [], maxLoopDelayMs: 0, checkText: true }
  const { app } = await createShell({ ...options, bodyDeadlineMs })
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.post('/corto', { config: publico, schema: { hide: true } }, async () => ({ ok: true }))
  app.post('/largo', { config: { ...publico, cuerpoLargo: true }, schema: { hide: true } }, async () => ({ ok: true }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  return (app.server.address() as { port: number }).port
}

/** Sends half of a body, and the rest when `rest` resolves; what came back until the connection closed. */
function send(port: number, route: string, rest: Promise<unknown>): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (data) => {
      answer += data
      if (answer.includes('"ok":true')) socket.end()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.write(`POST ${route} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nho`)
    void rest.then(() => socket.write('la'))
  })
}

test('a body that does not arrive in time is answered 408 and its connection closed', async (t) => {
  const port = await listening(t)
  const answer = await send(port, '/corto', new Promise(() => undefined))
  assert.match(answer, /^HTTP\/1\.1 408 /)
  assert.match(answer, /"code":"request.timeout"/)
})

test('a route that watches over its bodies itself may take longer', async (t) => {
  const port = await listening(t)
  const cut = send(port, '/corto', new Promise(() => undefined))
  const answer = await send(port, '/largo', cut)
  assert.match(answer, /^HTTP\/1\.1 200 /)
})

test('one that comes in time is answered as ever', async (t) => {
  const port = await listening(t, 60_000)
  assert.match(await send(port, '/corto', Promise.resolve()), /^HTTP\/1\.1 200 /)
})
