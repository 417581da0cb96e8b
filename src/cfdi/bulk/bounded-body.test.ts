import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { boundedBody } from './bounded-body.ts'

const MIB = 1024 ** 2
const BOUNDS = { maxBytes: 200 * MIB, idleMs: 20_000, totalMs: 60_000 }

/** A server that reads one body as `read` does, and what a client does to it. */
async function reading<T>(t: TestContext, read: (payload: Readable) => Promise<T>) {
  const done = Promise.withResolvers<T>()
  done.promise.catch(() => undefined)
  const server = createServer((incoming, answer) => {
    read(incoming)
      .then(done.resolve, done.reject)
      .finally(() => answer.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const sending = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST' })
  sending.on('error', () => undefined).on('response', (response) => response.resume())
  return { sending, done: done.promise }
}

test('a body of 150 MB goes by and is whole, and what it brought is never in memory together', async (t) => {
  const { sending, done } = await reading(t, async (payload) => {
    const hash = createHash('sha256')
    let most = 0
    let bytes = 0
    for await (const chunk of boundedBody(payload, BOUNDS)) {
      hash.update(chunk)
      bytes += chunk.length
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    return { hash: hash.digest('hex'), bytes, most }
  })
  const before = process.memoryUsage().arrayBuffers
  const piece = Buffer.alloc(MIB, 'horux')
  const hash = createHash('sha256')
  for (let i = 0; i < 150; i++) {
    hash.update(piece)
    if (!sending.write(piece)) await new Promise((resolve) => sending.once('drain', resolve))
  }
  sending.end()
  const { most, ...came } = await done
  assert.deepEqual(came, { hash: hash.digest('hex'), bytes: 150 * MIB })
  // Without giving back it is all of the 150.
  assert.ok(most - before < 32 * MIB, `${Math.round((most - before) / MIB)} MiB`)
})

test('many small chunks, with a disk that is slower than the client, come one by one and in order', async (t) => {
  const { sending, done } = await reading(t, async (payload) => {
    const hash = createHash('sha256')
    let freed = true
    let last: Buffer | undefined
    for await (const chunk of boundedBody(payload, BOUNDS)) {
      freed &&= (last?.length ?? 0) === 0
      await new Promise((resolve) => setImmediate(resolve))
      hash.update(chunk)
      last = chunk
    }
    return { hash: hash.digest('hex'), freed }
  })
  const hash = createHash('sha256')
  for (let i = 0; i < 3_000; i++) {
    const piece = Buffer.from(`${i} `.repeat((i % 700) + 1))
    hash.update(piece)
    sending.write(piece)
  }
  sending.end()
  assert.deepEqual(await done, { hash: hash.digest('hex'), freed: true })
})

test('chunks of anything but a connection stay as they are: they belong to whoever made them', async () => {
  const chunks = [Buffer.from('uno'), Buffer.alloc(100_000, 'dos')]
  const got: Buffer[] = []
  for await (const chunk of boundedBody(Readable.from(chunks), BOUNDS)) got.push(chunk)
  assert.deepEqual(
    got.map((chunk) => chunk.length),
    [3, 100_000],
  )
})

test('a connection that breaks while nobody asks is a body that was cut, after what came of it', async (t) => {
  const { sending, done } = await reading(t, async (payload) => {
    const got: string[] = []
    try {
      for await (const chunk of boundedBody(payload, BOUNDS)) {
        got.push(chunk.toString())
        sending.destroy()
        if (!payload.destroyed) await new Promise((resolve) => payload.once('close', resolve))
      }
      return { got, code: undefined }
    } catch (error) {
      return { got, code: (error as { code?: string }).code }
    }
  })
  sending.write('hola')
  assert.deepEqual(await done, { got: ['hola'], code: 'carga.cut' })
})

test('a body that had ended, or was gone, before anybody asked', async () => {
  const empty = Readable.from([])
  empty.resume()
  await new Promise((resolve) => empty.once('close', resolve))
  for await (const _ of boundedBody(empty, BOUNDS)) assert.fail()
  const gone = Readable.from(['x'])
  gone.destroy()
  await assert.rejects(boundedBody(gone, BOUNDS).next(), { code: 'carga.cut' })
})

test('whoever stops in the middle leaves the connection open, to answer over it', async (t) => {
  const { sending, done } = await reading(t, async (payload) => {
    for await (const _ of boundedBody(payload, { ...BOUNDS, maxBytes: 10 }));
  })
  const answered = new Promise((resolve) => sending.once('response', resolve))
  sending.write('más de diez bytes')
  await assert.rejects(done, { code: 'carga.too_large' })
  await answered
  sending.destroy()
})
