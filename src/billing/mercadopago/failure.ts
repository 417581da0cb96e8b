import { MercadoPagoError, MPConnectionError, MPRateLimitError } from 'mercadopago'
import type { AppError } from '../../errors.ts'
import { reasonOf, Unreached } from '../../outbound/send.ts'
import {
  gatewayNotFound,
  gatewayRejected,
  gatewayUnauthorized,
  gatewayUnavailable,
  gatewayUnreached,
  unusableAnswer,
} from './errors.ts'

/** What went wrong in one try. */
export interface Failure {
  /** Another try may go better, and it counts against MercadoPago: network, 408, 423, 424, 429, 5xx, unusable bodies. */
  transient: boolean
  /** At least one byte of it may have left. */
  mayBeSent: boolean
  /** What was asked for may have been done nevertheless. */
  mayBeDone: boolean
  /** What MercadoPago asked us to wait; 0 when it did not. The SDK shows it of a 429 only. */
  retryAfterMs: number
  /** Words of ours and MercadoPago's, without the request and without the access token. */
  cause: Error
  error(retryAfterS: number): AppError
}

/**
 * Tells what the SDK threw. Its errors hold the answer and not the request; still the access token is cut out of their
 * words, because an answer may repeat it.
 * @throws what is no failure of a call but a bug
 */
export function failureOf(error: unknown, accessToken: string): Failure {
  const said = (text: string) => new Error(text.replaceAll(accessToken, '[token]').slice(0, 300))
  if (error instanceof MPConnectionError) {
    const why = behind(error)
    return why instanceof Unreached
      ? unreached(said(`not sent: ${reasonOf(why)}`))
      : unavailable(said(`network: ${reasonOf(why)}`))
  }
  if (error instanceof MercadoPagoError) {
    const causes = Array.isArray(error.causes) ? error.causes : []
    const words = [error.message, error.error, ...causes.map((cause) => JSON.stringify(cause))]
      .filter(Boolean)
      .join(' ')
    return answered(error.status, words, said(`HTTP ${error.status}: ${words}`), retryAfterMs(error))
  }
  // What the SDK makes of a body that is `null`, a number or a text.
  if (error instanceof TypeError) return unusable('no object')
  throw error
}

/** An answer of HTTP 200 that says nothing: HTML, an empty body, no id. */
export function unusable(what: string): Failure {
  const cause = new Error(`unusable answer: ${what}`)
  const error = () => unusableAnswer(cause)
  return { transient: true, mayBeSent: true, mayBeDone: true, retryAfterMs: 0, cause, error }
}

function unavailable(cause: Error): Failure {
  const error = (retryAfterS: number) => gatewayUnavailable(cause, retryAfterS)
  return { transient: true, mayBeSent: true, mayBeDone: true, retryAfterMs: 0, cause, error }
}

function unreached(cause: Error): Failure {
  const error = (retryAfterS: number) => gatewayUnreached(cause, retryAfterS)
  return { transient: true, mayBeSent: false, mayBeDone: false, retryAfterMs: 0, cause, error }
}

function answered(status: number, words: string, cause: Error, retryAfterMs: number): Failure {
  if (BUSY.has(status) || status >= 500)
    // Of these only "too many" is sure to have done nothing.
    return { ...unavailable(cause), mayBeDone: status !== 429, retryAfterMs }
  if (status < 400) return unusable(`HTTP ${status}`)
  const error = () => refusal(status, words, cause)
  return { transient: false, mayBeSent: true, mayBeDone: false, retryAfterMs: 0, cause, error }
}

const BUSY: ReadonlySet<number> = new Set([408, 423, 424, 429])

function refusal(status: number, words: string, cause: Error): AppError {
  if (status === 401) return gatewayUnauthorized(cause)
  if (status === 404) return gatewayNotFound(cause)
  return gatewayRejected(status, words, cause)
}

const retryAfterMs = (error: MercadoPagoError): number =>
  error instanceof MPRateLimitError ? Math.max(0, error.retryAfter ?? 0) * 1_000 : 0

/** What our connection failed with: fetch hangs the reason onto its own, and an abort hangs it onto another. */
function behind(error: MPConnectionError): unknown {
  let found: unknown = error
  for (let cause = (error as unknown as { __cause__: unknown }).__cause__; cause instanceof Error; cause = cause.cause)
    found = cause
  return found
}
