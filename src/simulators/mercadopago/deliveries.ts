import { addDue } from './agenda.ts'
import { drawUuid, nextId } from './chance.ts'
import { strike } from './fault-rules.ts'
import { after, HOUR_MS, MINUTE_MS, stamp } from './stamps.ts'
import type { Topic } from './topics.ts'
import type { World } from './world.ts'

/** One webhook: what it says, how it is signed, and what became of each attempt. */
export interface Delivery {
  id: string
  origin: 'event' | 'duplicate' | 'replay' | 'edited' | 'forged' | 'ipn'
  topic: string
  action: string | null
  resourceId: string
  /** Everything after the address of the tab. */
  query: string
  body: string
  requestId: string
  signing: Signing
  createdAt: Date
  state: 'pending' | 'delivered' | 'given_up' | 'dropped' | 'silenced'
  nextAt: Date | null
  /** A forger does not insist, and `stop_delivery_op_wh` is said once (2.6). */
  insists: boolean
  attempts: Attempt[]
}

export interface Signing {
  mode: 'genuine' | 'bad' | 'none'
  /** Signed with this instead of the tab's. */
  secret: string | null
  /** How old its `ts` is. */
  ageMs: number
}

export interface Attempt {
  at: Date
  url: string
  headers: Record<string, string>
  body: string
  /** What it suffered from by a fault of the simulator. */
  faults: string[]
  status: number | null
  error: string | null
  answer: string
  /** Real milliseconds. */
  tookMs: number
}

export const GENUINE: Signing = { mode: 'genuine', secret: null, ageMs: 0 }
export const SIX_DAYS_MS = 144 * HOUR_MS

/** Tells the application to look at a resource, unless a fault keeps the news from leaving. */
export function notify(world: World, topic: Topic, action: string, resourceId: string): void {
  const { state } = world
  const delivery = addDelivery(world, {
    origin: 'event',
    topic,
    action,
    resourceId,
    query: queryOf(world, topic, resourceId),
    body: JSON.stringify(bodyOf(world, topic, action, resourceId)),
  })
  const where = { topic, resource: resourceId }
  if (strike(state, ['drop_webhook'], where)) {
    Object.assign(delivery, { state: 'dropped', nextAt: null })
    return
  }
  const delay = strike(state, ['delay_webhook'], where)
  send(world, delivery, delay ? delay.minutes * MINUTE_MS : 0)
  const twice = strike(state, ['duplicate_webhook'], where)
  if (twice) send(world, duplicate(world, delivery, 'duplicate', twice.same_request_id), 0)
  if (topic === 'payment' && state.settings.legacy_ipn) notifyTheOldWay(world, resourceId)
}

/** Keeps a new delivery in the log; `send` makes it leave. */
export function addDelivery(
  world: World,
  what: Pick<Delivery, 'origin' | 'topic' | 'action' | 'resourceId' | 'query' | 'body'> & Partial<Delivery>,
): Delivery {
  const { state, clock } = world
  const delivery: Delivery = {
    id: nextId(state, 'delivery'),
    requestId: drawUuid(state),
    signing: GENUINE,
    createdAt: clock.now(),
    state: 'pending',
    nextAt: null,
    insists: what.topic !== 'stop_delivery_op_wh',
    attempts: [],
    ...what,
  }
  state.deliveries.set(delivery.id, delivery)
  if (state.deliveries.size > MOST_DELIVERIES) forgetOldest(world)
  return delivery
}

export function send(world: World, delivery: Delivery, delayMs: number): void {
  delivery.nextAt = after(world.clock.now(), delayMs)
  addDue(world.state, { at: delivery.nextAt, kind: 'deliver', ref: delivery.id })
  world.stir()
}

/** The same news again: same event, and its own request id unless asked. */
export function duplicate(
  world: World,
  delivery: Delivery,
  origin: Delivery['origin'],
  sameRequestId: boolean,
): Delivery {
  const { topic, action, resourceId, query, body, signing } = delivery
  const copy = { origin, topic, action, resourceId, query, body, signing }
  return addDelivery(world, sameRequestId ? { ...copy, requestId: delivery.requestId } : copy)
}

export function bodyOf({ state, clock }: World, topic: string, action: string | null, resourceId: string) {
  return {
    id: Number(nextId(state, 'event')),
    // Says nothing: true for test accounts too (2.6).
    live_mode: true,
    type: topic,
    date_created: stamp(clock.now()),
    application_id: state.account.applicationId,
    user_id: state.account.id,
    version: 1,
    api_version: 'v1',
    action,
    data: { id: idAsSent(state, resourceId) },
  }
}

export const queryOf = ({ state }: World, topic: string, resourceId: string): string =>
  String(new URLSearchParams({ 'data.id': idAsSent(state, resourceId), type: topic }))

const idAsSent = ({ settings }: World['state'], id: string) =>
  settings.url_id_case === 'upper' ? id.toUpperCase() : id

/** The IPN of old: unsigned, and with the resource in the address. Two orders come with what a preference sold. */
function notifyTheOldWay(world: World, paymentId: string): void {
  const payment = world.state.payments.get(paymentId)
  const old = (topic: string, id: string, path: string) => {
    const query = String(new URLSearchParams({ id, topic }))
    const body = JSON.stringify({ resource: `${world.url()}${path}`, topic })
    const signing: Signing = { ...GENUINE, mode: 'none' }
    send(world, addDelivery(world, { origin: 'ipn', topic, action: null, resourceId: id, query, body, signing }), 0)
  }
  old('payment', paymentId, `/v1/payments/${paymentId}`)
  if (payment?.kind !== 'checkout') return
  for (let i = 0; i < 2; i++) old('merchant_order', paymentId, `/merchant_orders/${paymentId}`)
}

/** The log is for people, and goes whole into each snapshot: five thousand are some years of a few companies. */
const MOST_DELIVERIES = 5_000

function forgetOldest({ state }: World): void {
  for (const [id, delivery] of state.deliveries) {
    if (delivery.nextAt !== null) continue
    state.deliveries.delete(id)
    return
  }
}
