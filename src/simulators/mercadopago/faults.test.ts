import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../../test/support/until.ts'
import { mandate, openSimulator } from './open-simulator.ts'

test('errors come with the status and the words asked for, as often as asked for', async (t) => {
  const { sim, call } = await openSimulator(t)
  for (const [fault, status, error] of [
    ['http_500', 500, 'internal_server_error'],
    ['http_503', 503, 'service_unavailable'],
    ['http_423', 423, 'resource_locked'],
    ['http_429', 429, 'usage_quota_exceeded'],
  ] as const) {
    sim.addFault({ fault, next: 2 })
    for (let i = 0; i < 2; i++) {
      const answer = await call('GET', '/users/me')
      assert.deepEqual([answer.status, answer.body.error, answer.headers.get('retry-after')], [status, error, null])
    }
    assert.equal((await call('GET', '/users/me')).status, 200)
  }
  sim.addFault({ fault: 'http_429', retry_after: 7, next: 1 })
  assert.equal((await call('GET', '/users/me')).headers.get('retry-after'), '7')
  assert.deepEqual(sim.requests().at(-1)?.faults, ['http_429'])

  sim.addFault({ fault: 'http_502', next: 1 })
  const bad = await call('GET', '/users/me')
  assert.deepEqual([bad.status, bad.body], [502, null])
  sim.addFault({ fault: 'html_200', next: 1 })
  const page = await call('GET', '/users/me')
  assert.equal(page.status, 200)
  assert.match(page.text, /^<!DOCTYPE html>/)
  sim.addFault({ fault: 'empty_200', next: 1 })
  assert.deepEqual([(await call('GET', '/users/me')).text, sim.state.faults.length], ['', 0])
})

test('a write that meets an error did not happen; one whose answer is lost did', async (t) => {
  const { sim, call } = await openSimulator(t)
  sim.addFault({ fault: 'http_500', next: 1 })
  assert.equal((await call('POST', '/preapproval', mandate())).status, 500)
  assert.equal(sim.state.preapprovals.size, 0)

  sim.addFault({ fault: 'lost_response', next: 1 })
  await assert.rejects(call('POST', '/preapproval', mandate(), { 'x-idempotency-key': 'K' }), /fetch failed/)
  assert.equal(sim.state.preapprovals.size, 1)
  const retried = await call('POST', '/preapproval', mandate(), { 'x-idempotency-key': 'K' })
  assert.deepEqual([retried.status, sim.state.preapprovals.size], [201, 1])
})

test('a fault keeps to its route and its resource', async (t) => {
  const { sim, call, create } = await openSimulator(t)
  const [one, other] = [await create(), await create()]
  sim.addFault({ fault: 'http_500', route: 'GET /preapproval/:id', resource: one })
  assert.equal((await call('GET', `/preapproval/${one}`)).status, 500)
  assert.equal((await call('GET', `/preapproval/${other}`)).status, 200)
  assert.equal((await call('PUT', `/preapproval/${one}`, { reason: 'x' })).status, 200)
  assert.equal((await call('GET', '/preapproval/search')).status, 200)
})

test('a probability strikes about as often as it says, and the same calls with the same seed', async (t) => {
  const statuses = async (seed: number) => {
    const { sim, call } = await openSimulator(t, { seed })
    sim.addFault({ fault: 'http_500', probability: 0.3 })
    const all: number[] = []
    for (let i = 0; i < 150; i++) all.push((await call('GET', '/users/me')).status)
    return all
  }
  const [one, same, other] = [await statuses(3), await statuses(3), await statuses(4)]
  assert.deepEqual(one, same)
  assert.notDeepEqual(one, other)
  const struck = one.filter((status) => status === 500).length
  assert.ok(struck > 25 && struck < 65, String(struck))
})

test('latency, silence and half a body', async (t) => {
  const { sim } = await openSimulator(t)
  const ask = (signal = AbortSignal.timeout(60_000)) =>
    fetch(`${sim.url}/users/me`, { headers: { authorization: `Bearer ${sim.accessToken}` }, signal })
  sim.addFault({ fault: 'latency', ms: 80, next: 1 })
  const start = performance.now()
  assert.equal((await ask()).status, 200)
  assert.ok(performance.now() - start >= 78)

  // Latency goes with the others.
  sim.addFault({ fault: 'latency', ms: 20, next: 1 })
  sim.addFault({ fault: 'http_500', next: 1 })
  assert.equal((await ask()).status, 500)
  assert.deepEqual(sim.requests().at(-1)?.faults, ['latency', 'http_500'])

  sim.addFault({ fault: 'timeout', next: 1 })
  const leaving = new AbortController()
  const waited = ask(leaving.signal)
  waited.catch(() => undefined)
  // Not before it is there: the next one would be given this silence.
  await until(() => sim.state.faults.length === 0)
  assert.equal(await Promise.race([waited, sleep(60, 'silence')]), 'silence')
  leaving.abort()
  await assert.rejects(waited, { name: 'AbortError' })
  sim.addFault({ fault: 'stall_body', next: 1 })
  const stalled = await ask()
  assert.equal(stalled.status, 200)
  const reader = stalled.body?.getReader()
  const half = new TextDecoder().decode((await reader?.read())?.value)
  assert.match(half, /^\{"id":/)
  assert.throws(() => JSON.parse(half), SyntaxError)
  const more = reader?.read().then(
    () => 'more',
    () => 'cut',
  )
  assert.equal(await Promise.race([more, sleep(30, 'silence')]), 'silence')
  await sim.close()
  assert.equal(await more, 'cut')
})

test('a stale read answers what was true then, and what is younger does not exist yet', async (t) => {
  const { sim, call, create } = await openSimulator(t)
  const id = await create()
  const read = () => call('GET', `/preapproval/${id}`)
  sim.addFault({ fault: 'stale_read', seconds: 60 })
  assert.equal((await read()).status, 404)
  await sim.advance({ minutes: 1 })
  sim.authorise(id)
  assert.equal((await read()).body.status, 'pending')
  await sim.advance({ minutes: 1 })
  assert.equal((await read()).body.status, 'authorized')
  sim.pause(id)
  assert.equal((await read()).body.status, 'authorized')
  sim.clearFaults()
  assert.equal((await read()).body.status, 'paused')
})

test('an outage cuts every connection and holds the webhooks back until it ends', async (t) => {
  const { sim, call, create, received } = await openSimulator(t)
  const id = await create()
  await sim.settled()
  const { id: fault } = sim.addFault({ fault: 'outage' })
  await assert.rejects(call('GET', '/users/me'), /fetch failed/)
  await assert.rejects(call('GET', `/subscriptions/checkout?preapproval_id=${id}`), /fetch failed/)
  assert.equal((await call('GET', '/__sim/clock')).status, 200)
  sim.authorise(id)
  await sim.advance({ hours: 2 })
  assert.equal(received.length, 1)
  // Its billing goes on meanwhile.
  assert.equal([...sim.state.payments.values()].at(-1)?.status, 'approved')
  sim.removeFault(fault)
  await sim.settled()
  assert.equal(received.length, 6)
  assert.equal((await call('GET', '/users/me')).status, 200)
  assert.throws(() => sim.removeFault(fault), /no fault/)
})
