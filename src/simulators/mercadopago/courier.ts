import { addDue, type Due } from './agenda.ts'
import { drawUuid, shuffled } from './chance.ts'
import { type Attempt, type Delivery, SIX_DAYS_MS } from './deliveries.ts'
import { strike } from './fault-rules.ts'
import { brokenSignature, signatureHeader } from './signature.ts'
import { after, MINUTE_MS } from './stamps.ts'
import type { World } from './world.ts'

/** Sends what is due, one after the other: MercadoPago promises no order, and a test that asks for disorder gets it. */
export async function deliverAll(world: World, due: readonly Due[], signal: AbortSignal): Promise<void> {
  const deliveries = due.flatMap(({ ref }) => world.state.deliveries.get(ref) ?? [])
  for (const delivery of reordered(world, deliveries)) {
    // What a closing simulator did not send yet, it sends when it is back.
    if (signal.aborted) addDue(world.state, { at: world.clock.now(), kind: 'deliver', ref: delivery.id })
    else await deliver(world, delivery, signal)
  }
}

function reordered(world: World, deliveries: readonly Delivery[]): readonly Delivery[] {
  const { state } = world
  for (const [i, { topic, resourceId }] of deliveries.entries()) {
    if (deliveries.length - i < 2) break
    const rule = strike(state, ['reorder_webhooks'], { topic, resource: resourceId })
    if (!rule) continue
    const head = deliveries.slice(0, i)
    const window = deliveries.slice(i, i + rule.window)
    return [...head, ...shuffled(state, window), ...reordered(world, deliveries.slice(i + window.length))]
  }
  return deliveries
}

async function deliver(world: World, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { state, clock } = world
  const tab = state.tabs[state.settings.tab]
  if (!tab) {
    // What a panel without URL does: nothing is queued, nothing is said (2.7).
    Object.assign(delivery, { state: 'silenced', nextAt: null })
    return
  }
  const redelivery = delivery.attempts.length > 0
  if (redelivery && !state.settings.keep_request_id) delivery.requestId = drawUuid(state)
  const attempt = prepare(world, delivery, tab)
  delivery.attempts.push(attempt)
  const timeoutMs = redelivery ? state.settings.later_timeout_ms : state.settings.first_timeout_ms
  await post(attempt, timeoutMs, signal)
  if (attempt.status === 200 || attempt.status === 201) {
    Object.assign(delivery, { state: 'delivered', nextAt: null })
    return
  }
  const wait = delivery.insists ? state.settings.redelivery_minutes[delivery.attempts.length - 1] : undefined
  if (wait === undefined) {
    Object.assign(delivery, { state: 'given_up', nextAt: null })
    return
  }
  delivery.nextAt = after(clock.now(), wait * MINUTE_MS)
  addDue(state, { at: delivery.nextAt, kind: 'deliver', ref: delivery.id })
}

/** The request as it leaves, with what the faults did to it. */
function prepare(world: World, delivery: Delivery, tab: { url: string; secret: string }): Attempt {
  const { state, clock } = world
  const { signing, requestId, topic, resourceId } = delivery
  const where = { topic, resource: resourceId }
  const bad = strike(state, ['bad_signature'], where)
  const old = strike(state, ['old_ts'], where)
  const wrongId = strike(state, ['wrong_body_id'], where)
  const dataId = new URLSearchParams(delivery.query).get('data.id') ?? ''
  const genuine = signatureHeader(
    {
      dataId,
      requestId,
      at: after(clock.now(), -(old ? SIX_DAYS_MS : signing.ageMs)),
      secret: signing.secret ?? tab.secret,
    },
    state.settings,
  )
  const signature = bad || signing.mode === 'bad' ? brokenSignature(genuine) : genuine
  const url = `${tab.url}${tab.url.includes('?') ? '&' : '?'}${delivery.query}`
  return {
    at: clock.now(),
    url,
    headers: {
      'content-type': 'application/json',
      'user-agent': `MercadoPago WebHook v1.0 ${topic}`,
      'x-request-id': requestId,
      ...(signing.mode !== 'none' && { 'x-signature': signature }),
    },
    body: wrongId ? withOtherId(delivery.body) : delivery.body,
    faults: [bad, old, wrongId].flatMap((rule) => (rule ? [rule.fault] : [])),
    status: null,
    error: null,
    answer: '',
    tookMs: 0,
  }
}

function withOtherId(body: string): string {
  const parsed: { data?: { id?: unknown } } = JSON.parse(body)
  return JSON.stringify({ ...parsed, data: { id: `${String(parsed.data?.id)}1` } })
}

async function post(attempt: Attempt, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const start = performance.now()
  try {
    const response = await fetch(attempt.url, {
      method: 'POST',
      headers: attempt.headers,
      body: attempt.body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    attempt.status = response.status
    attempt.answer = (await response.text()).slice(0, 2_000)
  } catch (error) {
    attempt.error = reasonOf(error)
  }
  attempt.tookMs = Math.round(performance.now() - start)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause as NodeJS.ErrnoException | undefined
  return cause?.code ?? (error.name === 'TimeoutError' ? 'timeout' : error.message)
}
