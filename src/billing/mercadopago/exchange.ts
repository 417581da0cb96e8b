import { setTimeout as delay } from 'node:timers/promises'
import { MercadoPagoConfig } from 'mercadopago'
import type { Logger } from 'pino'
import type { z } from 'zod'
import { type Clock, systemClock } from '../../clock.ts'
import { createStop } from '../../outbound/answer.ts'
import { type Breaker, createBreaker } from '../../outbound/breaker.ts'
import { createPace, type Pace } from '../../outbound/pace.ts'
import { ownConnection } from './connection.ts'
import { breakerOpen, gatewayUnavailable, lostAnswer, unreadableAnswer } from './errors.ts'
import { type Failure, failureOf, unusable } from './failure.ts'
import type { GatewayStats } from './gateway.ts'

export interface ExchangeOptions {
  accessToken: string
  /** Whose calls these are, in logs and statistics: the connector. Never the token. */
  account: string
  log: Logger
  /** To be shared by all gateways of one account in this process. */
  pace?: Pace
  breaker?: Breaker
  clock?: Clock
  /** How often a call that failed is tried again, at most. Fewer where a person waits. */
  retries?: number
  /** Around the whole of one try, the body of its answer included, which has no end for the SDK (billing.md 2.10). */
  deadlineMs?: number
  sleep?: (ms: number) => Promise<unknown>
  /** In [0, 1). */
  random?: () => number
}

/** One call, whatever it asks. */
export interface Call<T> {
  operation: string
  /**
   * `never`: a repeat would do it twice, and an answer that is lost stays lost. `no`: given up at the first failure.
   * What surely was not sent is sent again all the same: that is no repeat.
   */
  repeat: 'yes' | 'no' | 'never'
  ask(config: MercadoPagoConfig): Promise<unknown>
  /** What an answer must have at least. One that has not is worth asking again. */
  shape: z.ZodType
  /** What we make of it. An answer that has the shape and cannot be read stays as it is however often we ask. */
  read: z.ZodType<T>
}

export interface Exchange {
  <T>(call: Call<T>): Promise<T>
  stats(): GatewayStats
}

/** About 60 calls back to back are answered 429, and with 350 ms between them none (billing.md 2.9). */
export const PACE = { intervalMs: 350 }

const BASE_DELAY_MS = 2_000
const MAX_DELAY_MS = 30_000

/** The way of every call: its turn, the breaker, a fresh configuration, a deadline, a check and a few more tries (5.6). */
export function createExchange(options: ExchangeOptions): Exchange {
  const { accessToken, account, log, clock = systemClock, retries = 3, sleep = delay, random = Math.random } = options
  const { pace = createPace(PACE), breaker = createBreaker({ clock }), deadlineMs = 15_000 } = options
  let calls = 0
  let failures = 0
  let lastAnswerAt: Date | null = null

  async function exchange<T>(call: Call<T>): Promise<T> {
    const { operation, repeat } = call
    let mayBeSent = false
    for (let attempt = 1; ; attempt++) {
      const answer = await once(call)
      if (!('failure' in answer)) return readAnswer(call, answer.value)
      const { failure } = answer
      if (!failure.transient) throw failure.error(0)
      // A POST that may have been done is never told to have failed, and one that never began is no mystery.
      if (repeat === 'never' && failure.mayBeDone) throw lostAnswer(failure.cause)
      mayBeSent ||= failure.mayBeSent
      const restMs = breaker.waitMs()
      const isLast = attempt > retries || restMs > 0
      if (isLast || (repeat !== 'yes' && mayBeSent)) {
        const retryAfterS = Math.ceil(Math.max(restMs, failure.retryAfterMs, 1_000) / 1_000)
        // Of all tries: that the last one was not sent says nothing of one before it.
        throw mayBeSent && !failure.mayBeSent
          ? gatewayUnavailable(failure.cause, retryAfterS)
          : failure.error(retryAfterS)
      }
      const delayMs = delayBefore(attempt, failure, random)
      log.warn(
        { account, operation, attempt, delay_ms: delayMs, why: failure.cause.message },
        'asking MercadoPago again',
      )
      await sleep(delayMs)
    }
  }

  /** One try, counted. Only failures that another try could mend count against MercadoPago. */
  async function once(call: Call<unknown>): Promise<{ value: unknown } | { failure: Failure }> {
    // Before the turn too, so that nobody queues up to be refused.
    if (breaker.waitMs() > 0) throw breakerOpen(Math.ceil(breaker.waitMs() / 1_000))
    await pace.turn()
    const ticket = breaker.enter()
    if (!ticket) throw breakerOpen(Math.ceil(Math.max(breaker.waitMs(), 1) / 1_000))
    calls++
    const result = await answerOf(call).catch((bug: unknown) => {
      // A ticket that nobody settles would hold a half-open breaker for ever.
      ticket.failed()
      throw bug
    })
    if ('failure' in result && result.failure.transient) {
      failures++
      const before = breaker.state().breaker
      ticket.failed()
      if (before === 'closed' && breaker.state().breaker === 'open')
        log.error({ account, why: result.failure.cause.message, alarm: 'mercadopago_down' }, 'MercadoPago is down')
    } else {
      ticket.succeeded()
      lastAnswerAt = clock.now()
    }
    return result
  }

  async function answerOf({ ask, shape }: Call<unknown>): Promise<{ value: unknown } | { failure: Failure }> {
    const stop = createStop(undefined, deadlineMs)
    // A new one for each call: the SDK writes an idempotency key into it, and the next POST would send that (2.10). Its own
    // timeout would say less of what it ended.
    const options = { timeout: 2 * deadlineMs, maxRetries: 0, ...ownConnection(stop.signal) }
    try {
      const value = await ask(new MercadoPagoConfig({ accessToken, options }))
      const { error } = shape.safeParse(value)
      return error ? { failure: unusable(issuesOf(error)) } : { value }
    } catch (error) {
      return { failure: failureOf(error, accessToken) }
    } finally {
      stop.clear()
    }
  }

  function readAnswer<T>({ operation, repeat, read }: Call<T>, answer: unknown): T {
    const { data, error } = read.safeParse(answer)
    if (!error) return data
    const cause = new Error(`${operation}: ${issuesOf(error)}`)
    log.error(
      { account, operation, why: cause.message, alarm: 'mercadopago_unreadable' },
      'an answer that we cannot read',
    )
    throw repeat === 'never' ? lostAnswer(cause) : unreadableAnswer(cause)
  }

  const stats = () => ({ account, ...breaker.state(), calls, failures, lastAnswerAt })
  return Object.assign(exchange, { stats })
}

/** Where and what, never the values: it is an answer about a person. */
export function issuesOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'answer'}: ${message}`).join('; ')
}

/** Full jitter, so that those who failed together do not come back together; never before what MercadoPago asked for. */
function delayBefore(attempt: number, { retryAfterMs }: Failure, random: () => number): number {
  const jittered = random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** (attempt - 1))
  return Math.min(MAX_DELAY_MS, Math.max(Math.round(jittered), retryAfterMs))
}
