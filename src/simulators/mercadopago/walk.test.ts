import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { openSimulator } from './open-simulator.ts'

test('advancing walks event by event, the application along: clock, events, webhooks, idle', async (t) => {
  const app = await startApplication(t)
  const { sim, create, received } = await openSimulator(t, { appUrl: app.url })
  app.onClock = (now) => app.story.push(`${now.slice(5, 16)} clock`)
  app.onIdle = () => app.story.push('idle')
  const id = await create()
  sim.authorise(id)
  await sim.settled()
  app.story.length = 0
  received.length = 0
  app.onClock = (now) => app.story.push(`${now.slice(5, 16)} clock`)

  // The application will do something of its own at half past, and once more two hours later.
  app.next = ['2026-01-31T15:30:00.000Z', '2026-01-31T17:00:00.000Z']
  const { steps } = await sim.advance({ hours: 3 })

  assert.deepEqual(app.story, [
    ...['01-31T15:00 clock', 'idle'],
    ...['01-31T15:30 clock', 'idle'],
    ...['01-31T16:00 clock', 'idle'], // the first debit
    ...['01-31T17:00 clock', 'idle'],
    ...['01-31T18:00 clock', 'idle'],
  ])
  assert.equal(steps, 4)
  assert.equal(received.length, 2)
  assert.equal(sim.now().toISOString(), '2026-01-31T18:00:00.000Z')
})

test('the walk waits until the application is idle, and for what it does through our API meanwhile', async (t) => {
  const app = await startApplication(t)
  const { sim, create, call, received } = await openSimulator(t, { appUrl: app.url })
  const id = await create()
  sim.authorise(id)
  let asked = 0
  let isChanged = false
  app.onIdle = () => {
    asked += 1
    // A worker in the middle of something: its PUT comes while the walk waits for it.
    if (asked === 3)
      void call('PUT', `/preapproval/${id}`, { reason: 'Cambiado' }).then(() => {
        isChanged = true
      })
    return isChanged || asked < 2
  }
  await sim.advance({ minutes: 10 })
  assert.ok(asked >= 4)
  const changed = received.filter(({ body }) => body.data.id === id && body.action === 'updated')
  assert.equal(changed.length, 2)
  assert.equal(
    sim.deliveries().every(({ state }) => state === 'delivered'),
    true,
  )
})

test('an application that is never idle, or gone, ends the walk with what it said', async (t) => {
  const app = await startApplication(t)
  const { sim, call } = await openSimulator(t, { appUrl: app.url, giveUpMs: 60 })
  app.onIdle = () => false
  await assert.rejects(sim.advance({ days: 1 }), /never idle in 60 ms; its last word: {"ocioso":false/)
  const answer = await call('POST', '/__sim/clock', { advance: { days: 1 } })
  assert.deepEqual([answer.status, answer.body.error], [503, 'application'])
  app.onIdle = () => 'broken'
  await assert.rejects(sim.advance({ days: 1 }), /what nobody understands/)
  app.status = 500
  await assert.rejects(sim.advance({ days: 1 }), /answered 500 to \/__test\/clock/)
  const { sim: alone } = await openSimulator(t, { appUrl: 'http://127.0.0.1:1', giveUpMs: 1_000 })
  await assert.rejects(alone.advance({ days: 1 }), /did not answer to \/__test\/clock/)
})

test('a jump moves both clocks at once, back too, and what became due happens then', async (t) => {
  const app = await startApplication(t)
  const { sim, create, payments } = await openSimulator(t, { appUrl: app.url })
  sim.authorise(await create())
  await sim.jump(new Date('2026-03-02T09:00:00-06:00'))
  assert.deepEqual(
    payments().map(({ createdAt }) => createdAt.toISOString()),
    ['2026-03-02T15:00:00.000Z', '2026-03-02T15:00:00.000Z'],
  )
  await sim.jump(new Date('2026-01-01T09:00:00-06:00'))
  assert.deepEqual(app.clock.slice(-2), ['2026-03-02T15:00:00.000Z', '2026-01-01T15:00:00.000Z'])
  assert.equal(payments().length, 2)
})

test('real time passes too: what comes due happens by itself, from where the virtual clock stands', async (t) => {
  const heard = Promise.withResolvers<string>()
  const { sim, create, setAnswer } = await openSimulator(t, {
    frozen: false,
    at: new Date('2027-05-31T11:00:00-06:00'),
    settings: { first_charge_delay_minutes: 0, validation_charge: 'none' },
  })
  setAnswer(({ body }) => {
    if (body.type === 'payment') heard.resolve(body.data.id)
    return 200
  })
  const id = await create()
  sim.authorise(id)
  const payment = sim.state.payments.get(await heard.promise)
  assert.equal(payment?.preapprovalId, id)
  assert.equal(payment?.createdAt.toISOString().slice(0, 16), '2027-05-31T17:00')
  await sim.advance({ days: 1 })
  assert.equal(sim.now().toISOString().slice(0, 10), '2027-06-01')
})

test('a timer brings what comes due later', async (t) => {
  // A real clock that we take to a moment before the debit of an hour later.
  let base = Date.parse('2026-01-31T09:00:00-06:00')
  const started = performance.now()
  const clock = { now: () => new Date(base + performance.now() - started) }
  const heard = Promise.withResolvers<string>()
  const { sim, create, setAnswer, payments } = await openSimulator(t, {
    clock,
    frozen: false,
    settings: { validation_charge: 'none' },
  })
  setAnswer(({ body }) => {
    if (body.type === 'payment') heard.resolve(body.data.id)
    return 200
  })
  const id = await create()
  sim.authorise(id)
  await sim.settled()
  base += 3_600_000 - 300
  // Any change winds the timer anew.
  sim.setCard(id, 'APRO')
  assert.equal(await heard.promise, payments()[0]?.id)
})

test('an application that was restarted is told the time before it is told anything else', async (t) => {
  const app = await startApplication(t)
  const { sim, create } = await openSimulator(t, { appUrl: app.url, frozen: false })
  await sim.advance({ days: 40 })
  const before = app.clock.length
  await create()
  await sim.settled()
  assert.equal(app.clock.length, before + 1)
  assert.equal(app.clock.at(-1)?.slice(0, 10), sim.now().toISOString().slice(0, 10))
})

/** The application's end of the walk, with levers. */
async function startApplication(t: TestContext) {
  const app = {
    url: '',
    status: 200,
    story: [] as string[],
    clock: [] as string[],
    next: [] as string[],
    onClock: (_now: string): unknown => undefined,
    onIdle: (): unknown => true,
  }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    response.statusCode = app.status
    if (request.method === 'PUT' && request.url === '/__test/clock') {
      const { ahora } = JSON.parse(body)
      app.clock.push(ahora)
      app.onClock(ahora)
      response.end('{}')
    } else if (request.url === '/__test/idle') {
      const idle = app.onIdle()
      const now = app.clock.at(-1) ?? ''
      const siguiente = app.next.find((at) => at > now) ?? null
      response.end(idle === 'broken' ? '<html>' : JSON.stringify({ ocioso: Boolean(idle), siguiente }))
    } else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  app.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return app
}
