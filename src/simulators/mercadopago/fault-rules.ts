import { z } from 'zod'
import { draw, nextId } from './chance.ts'
import type { State } from './state.ts'
import { TOPICS } from './topics.ts'

/** What goes wrong with an answer of the API. */
export const HTTP_FAULTS = [
  'latency', // the answer takes `ms` real milliseconds longer
  'timeout', // no answer at all; the connection stays open
  'stall_body', // headers and half a body, then silence
  'http_500',
  'http_502',
  'http_503',
  'http_429', // with Retry-After when `retry_after` says seconds
  'http_423',
  'html_200', // a page of somebody's proxy
  'empty_200',
  'lost_response', // the write happens, the answer does not
  'stale_read', // a GET answers what was true `seconds` ago
  'outage', // every connection is cut, and no webhook leaves
] as const

/** What goes wrong with a webhook on its way. */
export const WEBHOOK_FAULTS = [
  'drop_webhook', // never sent
  'duplicate_webhook', // twice; under the same request id with `same_request_id`
  'reorder_webhooks', // among those that leave at one instant, in windows of `window`
  'delay_webhook', // `minutes` late on the virtual clock
  'bad_signature',
  'old_ts', // genuine signature of six days ago
  'wrong_body_id', // the body names another resource than the signed address
] as const

const FAULTS = [...HTTP_FAULTS, ...WEBHOOK_FAULTS] as const
export type HttpFault = (typeof HTTP_FAULTS)[number]
export type WebhookFault = (typeof WEBHOOK_FAULTS)[number]

/** One rule: which fault, where (nothing: everywhere), and how often (nothing: always). */
export const NewFault = z.strictObject({
  fault: z.enum(FAULTS),
  /** `GET /v1/payments/:id`, as the table of routes writes it. */
  route: z.string().max(100).optional(),
  topic: z.enum(TOPICS).optional(),
  resource: z.string().max(64).optional(),
  probability: z.number().min(0).max(1).optional(),
  /** Strikes this many more times and is gone. */
  next: z.number().int().min(1).max(100_000).optional(),
  ms: z.number().int().min(0).max(120_000).default(1_000),
  seconds: z.number().int().min(1).max(1_000_000).default(60),
  minutes: z.number().int().min(1).max(100_000).default(60),
  window: z.number().int().min(2).max(100).default(3),
  retry_after: z.number().int().min(0).max(10_000).optional(),
  same_request_id: z.boolean().default(false),
})
export type NewFault = z.input<typeof NewFault>
export type FaultRule = z.output<typeof NewFault> & { id: string }

export function addFault(state: State, input: NewFault): FaultRule {
  const rule = { id: nextId(state, 'fault'), ...NewFault.parse(input) }
  state.faults.push(rule)
  return rule
}

/** The rule of `fault` that strikes here and now, if any. Uses up one of its strikes and, by chance, one draw. */
export function strike<F extends HttpFault | WebhookFault>(
  state: State,
  faults: readonly F[],
  where: { route?: string; topic?: string; resource?: string | undefined },
): (FaultRule & { fault: F }) | undefined {
  const rule = state.faults.find(
    (candidate) =>
      (faults as readonly string[]).includes(candidate.fault) &&
      matches(candidate.route, where.route) &&
      matches(candidate.topic, where.topic) &&
      matches(candidate.resource, where.resource) &&
      (candidate.probability === undefined || draw(state) < candidate.probability),
  )
  if (rule?.next !== undefined) {
    rule.next -= 1
    if (rule.next === 0) state.faults = state.faults.filter((other) => other !== rule)
  }
  return rule as (FaultRule & { fault: F }) | undefined
}

/** MercadoPago is out as a whole: neither the API nor its webhooks say anything. */
export const isOut = (state: State): boolean =>
  state.faults.some(
    ({ fault, route, resource, topic, probability }) =>
      fault === 'outage' && !route && !resource && !topic && probability === undefined,
  )

const matches = (wanted: string | undefined, is: string | undefined) => wanted === undefined || wanted === is
