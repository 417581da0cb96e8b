import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../../test/support/until.ts'
import { AppError } from '../errors.ts'
import { createLog } from '../log.ts'
import { noteAdmission } from './admission.ts'
import { createDrain } from './drain.ts'
import { createShell } from './shell.ts'
import { createEventStreams, type EventTiming, type Progress, STREAM_TIMEOUT_MS } from './sse.ts'

test('tells how it stands now, every change once, and ends with the last one', async (t) => {
  const world = await unit(t)
  const stream = await world.listen()
  assert.deepEqual(
    [stream.status, stream.headers.get('content-type'), stream.headers.get('cache-control')],
    [200, 'text/event-stream; charset=utf-8', 'no-store, no-transform'],
  )
  assert.equal(stream.headers.get('x-content-type-options'), 'nosniff')
  await stream.next('id: 1\nevent: progreso\ndata: {"n":"uno\\ndos"}')
  world.become({ secuencia: 7n, final: false, datos: { n: 'siete' } })
  await stream.next('id: 7\nevent: progreso\ndata: {"n":"siete"}')
  world.become({ secuencia: 9n, final: true, datos: { n: 'nueve' } })
  await stream.next('id: 9\nevent: fin\ndata: {"n":"nueve"}')
  assert.equal(await stream.rest(), '')
  await until(() => world.places() === 0)
})

test('goes on after the event that was seen last, and sends nobody back to what has ended', async (t) => {
  const world = await unit(t)
  world.become({ secuencia: 7n, final: false, datos: { n: 'siete' } })
  const stream = await world.listen({ 'last-event-id': '7' })
  world.become({ secuencia: 8n, final: false, datos: { n: 'ocho' } })
  await stream.next('id: 8\nevent: progreso\ndata: {"n":"ocho"}')
  world.become({ secuencia: 9n, final: true, datos: { n: 'nueve' } })
  await stream.next('id: 9\nevent: fin\ndata: {"n":"nueve"}')

  assert.equal((await world.listen({ 'last-event-id': '9' })).status, 204)
  const late = await world.listen({ 'last-event-id': '8' })
  await late.next('id: 9\nevent: fin\ndata: {"n":"nueve"}')
  const strange = await world.listen({ 'last-event-id': '-1; drop' })
  await strange.next('id: 9\nevent: fin\ndata: {"n":"nueve"}')
})

test('is silent but for a comment now and then, and stops reading when nobody listens any more', async (t) => {
  const world = await unit(t, { heartbeatMs: 20 })
  const stream = await world.listen()
  await stream.next('id: 1\nevent: progreso\ndata: {"n":"uno\\ndos"}')
  await stream.next(': sigo aquí')
  await stream.cancel()
  await until(() => world.places() === 0)
  const [reads, ticks] = [world.reads(), world.ticks()]
  await until(() => world.ticks() > ticks + 5)
  assert.ok(world.reads() <= reads + 1, 'it went on reading for nobody')
})

test('a HEAD gets no events, and nothing is read for it afterwards', async (t) => {
  const world = await unit(t)
  const answer = await fetch(world.address, { method: 'HEAD' })
  assert.deepEqual([answer.status, await answer.text()], [200, ''])
  await until(() => world.places() === 0)
  const [reads, ticks] = [world.reads(), world.ticks()]
  await until(() => world.ticks() > ticks + 5)
  assert.equal(world.reads(), reads)
})

test('sends everybody elsewhere when the process leaves', async (t) => {
  const world = await unit(t)
  const stream = await world.listen()
  await stream.next('id: 1\nevent: progreso\ndata: {"n":"uno\\ndos"}')
  world.drain.begin()
  await stream.next('event: reconectar\ndata: {}')
  assert.equal(await stream.rest(), '')
})

test('ends with the session it was begun with, and says why', async (t) => {
  const world = await unit(t)
  const stream = await world.listen()
  await stream.next('id: 1\nevent: progreso\ndata: {"n":"uno\\ndos"}')
  world.expire()
  await stream.next('event: error\ndata: {"code":"auth.token_expired","detail":"Tu sesión venció."}')
  assert.equal(await stream.rest(), '')
})

test('a database that is away for a moment ends nothing; one that stays away sends the client elsewhere', async (t) => {
  const world = await unit(t)
  const stream = await world.listen()
  await stream.next('id: 1\nevent: progreso\ndata: {"n":"uno\\ndos"}')
  world.fail(2)
  world.become({ secuencia: 2n, final: false, datos: { n: 'dos' } })
  await stream.next('id: 2\nevent: progreso\ndata: {"n":"dos"}')
  world.fail(100)
  await stream.next('event: reconectar\ndata: {}')
})

test('a company has so many at once; the one too many is told so, and a place that was left is free', async (t) => {
  const world = await unit(t, { perCompany: 2 })
  const first = await world.listen()
  await world.listen()
  const refused = await world.listen()
  assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [429, 'eventos.demasiados'])
  await first.cancel()
  await until(() => world.places() === 1)
  assert.equal((await world.listen()).status, 200)
})

test('what cannot be read at all is a problem, and no stream', async (t) => {
  const world = await unit(t)
  world.fail(1)
  assert.equal((await world.listen()).status, 503)
  await until(() => world.places() === 0)
})

async function unit(t: TestContext, timing: Partial<EventTiming> = {}) {
  const log = createLog({ level: 'silent', service: 'test' })
  const { app } = await createShell({ log, trustProxy: false, corsOrigins: [], maxLoopDelayMs: 0, checkText: true })
  const drain = createDrain()
  const streams = createEventStreams({ drain, pollMs: 5, admissionMs: 0, ...timing })
  let state: Progress<{ n: string }> = { secuencia: 1n, final: false, datos: { n: 'uno\ndos' } }
  let failures = 0
  let reads = 0
  let ticks = 0
  let places = 0
  let expired = false
  const ticking = setInterval(() => ticks++, 5)
  const config = { acceso: { quien: 'publico' as const }, flujo: true as const }
  app.get('/eventos', { config, handlerTimeout: STREAM_TIMEOUT_MS }, async (request, reply) => {
    places++
    reply.raw.once('close', () => places--)
    noteAdmission(request, async () => {
      if (expired) throw new AppError('unauthenticated', 'auth.token_expired', 'Tu sesión venció.')
    })
    const read = async () => {
      reads++
      if (failures > 0) {
        failures--
        throw new AppError('unavailable', 'database.unavailable', 'No contesta.')
      }
      return state
    }
    return streams.open(request, reply, { company: 'una', read })
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const aborts = new AbortController()
  t.after(async () => {
    clearInterval(ticking)
    aborts.abort()
    app.server.closeAllConnections()
    await app.close()
  })
  return {
    address: `${url}/eventos`,
    drain,
    reads: () => reads,
    ticks: () => ticks,
    places: () => places,
    become: (next: typeof state) => {
      state = next
    },
    fail: (times: number) => {
      failures = times
    },
    expire: () => {
      expired = true
    },
    listen: async (headers: Record<string, string> = {}) => {
      const answer = await fetch(`${url}/eventos`, { headers, signal: aborts.signal })
      return Object.assign(answer, reader(answer))
    },
  }
}

/** Events of an answer, one by one; comments are passed over unless they are asked for. */
function reader(answer: Response) {
  const source = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let held = ''
  const block = async (): Promise<string | undefined> => {
    for (;;) {
      const end = held.indexOf('\n\n')
      if (end >= 0) {
        const found = held.slice(0, end)
        held = held.slice(end + 2)
        return found
      }
      const chunk = await source?.read()
      if (!chunk || chunk.done) return undefined
      held += chunk.value
    }
  }
  return {
    async next(expected: string) {
      for (;;) {
        const found = await block()
        if (found?.startsWith('retry:') || (found?.startsWith(':') && !expected.startsWith(':'))) continue
        assert.equal(found, expected)
        return
      }
    },
    async rest() {
      const found = []
      for (let next = await block(); next !== undefined; next = await block()) found.push(next)
      return found.join('\n')
    },
    cancel: async () => void (await source?.cancel()),
    json: async () => {
      let text = held
      for (let chunk = await source?.read(); chunk && !chunk.done; chunk = await source?.read()) text += chunk.value
      return JSON.parse(text)
    },
  }
}
