import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { formOf } from '../../../test/support/multipart-form.ts'
import { until } from '../../../test/support/until.ts'
import type { AppError } from '../../errors.ts'
import type { Principal } from '../../http/principal.ts'
import { createShell } from '../../http/shell.ts'
import { createLog } from '../../log.ts'
import { CargaBody } from './schemas.ts'
import { receiveUploads } from './uploads.ts'

const MB = 1024 ** 2

/** The route of uploads alone, over real connections: who asks is what a header says. */
async function listening(t: TestContext, { filesPath = temporary(t), idleMs = 60_000 } = {}) {
  const log = createLog({ level: 'silent', service: 'test' })
  const options = { log, trustProxy: false as const, corsOrigins: [], maxLoopDelayMs: 0, checkText: true }
  const { app } = await createShell(options)
  app.decorateRequest('user')
  app.addHook('onRequest', async (incoming) => {
    incoming.user = { tenantId: String(incoming.headers['x-empresa'] ?? 'una'), rfc: 'EKU9003173C9' } as Principal
  })
  const uploads = receiveUploads(app, { filesPath, times: { idleMs, totalMs: 120_000 } })
  const { preParsing, preValidation } = uploads
  const answer = z.array(z.strictObject({ nombre: z.string(), bytes: z.int(), sha256: z.string() }))
  const schema = { body: CargaBody, response: { 200: answer } }
  const config = { acceso: { quien: 'publico' as const }, cuerpoLargo: true as const }
  let refuse = false
  let handling: ((response: ServerResponse) => Promise<unknown>) | undefined
  const refused: unknown[] = []
  app.post('/bulk', { config, schema, preParsing, preValidation, handlerTimeout: 120_000 }, async (incoming, reply) => {
    if (refuse) throw Object.assign(new Error('no'), { statusCode: 409 })
    await handling?.(reply.raw)
    try {
      uploads.take(incoming)
    } catch (error) {
      refused.push(error)
      throw error
    }
    return [...incoming.body.archivos]
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const { port } = app.server.address() as { port: number }
  const folders = () => {
    const home = path.join(filesPath, 'cargas')
    return existsSync(home)
      ? readdirSync(home).flatMap((tenant) =>
          readdirSync(path.join(home, tenant)).map((id) => path.join(home, tenant, id)),
        )
      : []
  }
  const begin = (headers: Record<string, string | number>) => begun(port, headers)
  const refuseNext = () => {
    refuse = true
  }
  const handleNext = (work: typeof handling) => {
    handling = work
  }
  return { begin, folders, refuseNext, handleNext, refused }
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-subida-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

interface Answer {
  status: number
  code?: string
  body: string
}

function begun(
  port: number,
  headers: Record<string, string | number>,
): { sending: ClientRequest; answer: Promise<Answer> } {
  const sending = request({ port, host: '127.0.0.1', method: 'POST', path: '/bulk', headers, agent: false })
  const answer = new Promise<Answer>((resolve, reject) => {
    sending.on('error', reject)
    sending.on('response', async (response: IncomingMessage) => {
      let body = ''
      for await (const piece of response) body += piece
      resolve({ status: response.statusCode ?? 0, body, ...(body.startsWith('{') && { code: JSON.parse(body).code }) })
    })
  })
  answer.catch(() => undefined)
  return { sending, answer }
}

const zip = { 'content-type': 'application/zip' }
const piece = Buffer.alloc(MB, 7)

test('files are written under their hashes, for us alone', async (t) => {
  const { begin, folders } = await listening(t)
  const { payload, headers } = formOf([
    { name: 'a.xml', data: 'hola' },
    { name: 'b.xml', data: 'hola' },
    { name: 'c.zip', data: 'x' },
  ])
  const { sending, answer } = begin(headers)
  for (const byte of payload) sending.write(Buffer.from([byte]))
  sending.end()
  const files = JSON.parse((await answer).body)
  assert.deepEqual(
    files.map(({ nombre, bytes }: { nombre: string; bytes: number }) => [nombre, bytes]),
    [
      ['a.xml', 4],
      ['b.xml', 4],
      ['c.zip', 1],
    ],
  )
  const [folder = ''] = folders()
  assert.deepEqual(
    readdirSync(folder).toSorted(),
    [...new Set<string>(files.map(({ sha256 }: { sha256: string }) => sha256))].toSorted(),
  )
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  for (const file of readdirSync(folder)) assert.equal(statSync(path.join(folder, file)).mode & 0o777, 0o600)
})

test('a body of 2 GB is refused before a byte of it is read', async (t) => {
  const { begin, folders } = await listening(t)
  const { sending, answer } = begin({ ...zip, 'content-length': 2 * 1024 ** 3 })
  sending.write(piece)
  assert.deepEqual({ ...(await answer), body: '' }, { status: 413, code: 'carga.too_large', body: '' })
  assert.deepEqual(folders(), [])
  sending.destroy()
})

test('parts that are nothing are counted like files, and cost no file', async (t) => {
  const { begin, folders } = await listening(t)
  const { payload, headers } = formOf([{ name: '', data: '' }])
  const part = payload.subarray(0, payload.lastIndexOf('--limite'))
  const { sending, answer } = begin(headers)
  for (let i = 0; i < 61; i++) sending.write(Buffer.concat(Array.from({ length: 1_000 }, () => part)))
  sending.end(payload)
  const { status, code } = await answer
  assert.deepEqual([status, code], [413, 'carga.too_many_files'])
  await until(() => folders().length === 0)
})

test('a body that does not say how long it is is cut at 200 MB, and the client reads why', async (t) => {
  const { begin, folders } = await listening(t)
  const { sending, answer } = begin(zip)
  let answered = false
  void answer.then(() => {
    answered = true
  })
  for (let sent = 0; sent < 400 && !answered; sent++)
    if (!sending.write(piece)) await Promise.race([new Promise((resolve) => sending.once('drain', resolve)), answer])
  assert.deepEqual({ ...(await answer), body: '' }, { status: 413, code: 'carga.too_large', body: '' })
  await until(() => folders().length === 0)
  sending.destroy()
})

test('a connection that is cut in the middle leaves nothing, and its place is free again', async (t) => {
  const { begin, folders } = await listening(t)
  const { sending } = begin({ ...zip, 'content-length': 5 * MB })
  sending.write(piece)
  await until(() => folders().length === 1)
  sending.destroy()
  await until(() => folders().length === 0)
  const again = begin({ ...zip, 'content-length': 1 })
  again.sending.end('x')
  assert.equal((await again.answer).status, 200)
})

test('a body that stands still is given up', async (t) => {
  const { begin, folders } = await listening(t, { idleMs: 400 })
  const { sending, answer } = begin({ ...zip, 'content-length': 5 * MB })
  sending.write(piece)
  assert.deepEqual({ ...(await answer), body: '' }, { status: 408, code: 'request.timeout', body: '' })
  await until(() => folders().length === 0)
})

test('one at a time of a company, four at a time in all', async (t) => {
  const { begin, folders } = await listening(t)
  const hold = (empresa: string) => begin({ ...zip, 'content-length': 2, 'x-empresa': empresa })
  const first = ['a', 'b', 'c', 'd'].map(hold)
  for (const { sending } of first) sending.write('x')
  await until(() => folders().length === 4)
  const same = hold('a')
  same.sending.end('xx')
  assert.deepEqual({ ...(await same.answer), body: '' }, { status: 429, code: 'limite_inquilino', body: '' })
  const fifth = hold('e')
  fifth.sending.end('xx')
  assert.deepEqual({ ...(await fifth.answer), body: '' }, { status: 503, code: 'sobrecarga', body: '' })
  for (const { sending } of first) sending.end('x')
  for (const { answer } of first) assert.equal((await answer).status, 200)
})

test('files of a request that its handler refuses before taking them go', async (t) => {
  const { begin, folders, refuseNext } = await listening(t)
  refuseNext()
  const { sending, answer } = begin({ ...zip, 'content-length': 1 })
  sending.end('x')
  assert.equal((await answer).status, 409)
  await until(() => folders().length === 0)
})

test('a client that leaves when all has arrived takes its files with it: nothing is begun that cannot be found', async (t) => {
  const { begin, folders, handleNext, refused } = await listening(t)
  handleNext(async (response) => {
    sending.destroy()
    await until(() => response.closed)
  })
  const { sending, answer } = begin({ ...zip, 'content-length': 1 })
  sending.end('x')
  await assert.rejects(answer)
  const error = await until(() => refused[0])
  assert.equal((error as AppError).code, 'carga.cut')
  await until(() => folders().length === 0)
})

test('a disk without twice the room is not begun with, and one that fills up meanwhile is 507 with nothing half stored', async (t) => {
  const disk = mkdtempSync(path.join(tmpdir(), 'horux-disco-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    rmSync(disk, { recursive: true })
    t.skip('no small disk can be mounted here')
    return
  }
  const { begin, folders } = await listening(t, { filesPath: disk })
  t.after(() => {
    execFileSync('umount', ['-l', disk])
    rmSync(disk, { recursive: true })
  })
  const large = begin({ ...zip, 'content-length': 13 * MB })
  large.sending.write(piece)
  assert.deepEqual({ ...(await large.answer), body: '' }, { status: 507, code: 'carga.no_space', body: '' })
  large.sending.destroy()
  await until(() => folders().length === 0)

  const { sending, answer } = begin({ ...zip, 'content-length': 10 * MB })
  sending.write(piece)
  await until(() => folders().length === 1)
  writeFileSync(path.join(disk, 'lastre'), Buffer.alloc(21 * MB))
  for (let i = 0; i < 9; i++) sending.write(piece)
  sending.end()
  assert.deepEqual({ ...(await answer), body: '' }, { status: 507, code: 'carga.no_space', body: '' })
  await until(() => folders().length === 0)
})
