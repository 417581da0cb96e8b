import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import { asError, createStop, isOk, NoAnswer, readBounded, type Stop } from '../../outbound/answer.ts'
import { type Breaker, createBreaker, type Ticket } from '../../outbound/breaker.ts'
import { createPace, type Pace } from '../../outbound/pace.ts'
import { reasonOf, send, Unreached } from '../../outbound/send.ts'
import { notSent, satEnPausa, satIlegible, satInterrumpida, satNoDisponible, satSeguridad } from './errors.ts'
import type { Direccion } from './hosts.ts'
import { readFalla } from './respuestas.ts'
import { type Salud, saludDe } from './salud.ts'
import type { Falla } from './soap.ts'

/** Sends messages, each host at its pace and not while it is down. Knows HTTP and nothing of what is said. */
export interface Transport {
  /** A short answer, read whole. */
  ask<T extends object>(message: Message, read: (body: string) => T | Falla): Promise<T>
  /** A long one, given to `receive` as it comes. Its failures with a code `sat.no_disponible` are the host's. */
  stream<T>(message: Message, receive: (body: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<T>): Promise<T>
  restMs(host: string): number
  salud(host: string): Salud
}

export interface Message {
  readonly direccion: Direccion
  /** Made when it is its turn: a login says what time it is. */
  readonly body: () => string
  readonly token?: string
  readonly signal: AbortSignal
}

export interface TransportOptions {
  log: Logger
  clock: Clock
  limits?: Partial<Limits>
  /** Of each host, by its name. */
  breaker?: (host: string) => Breaker
  /** Milliseconds between the beginnings of two calls to a host. */
  paceMs?: number
}

/** sat.md 2.5. In milliseconds. */
export interface Limits {
  /** Around the whole of a short call. */
  answerMs: number
  /** Around the whole of a long one. */
  packageMs: number
  /** Between two pieces of a long answer. */
  stallMs: number
}

const LIMITS: Limits = { answerMs: 60_000, packageMs: 600_000, stallMs: 60_000 }

/** A short answer has some kilobytes. */
const MOST_BYTES = 1_048_576

export function createTransport(options: TransportOptions): Transport {
  const { log, clock, breaker: breakerOf = () => createBreaker({ clock }), paceMs = 200 } = options
  const limits = { ...LIMITS, ...options.limits }
  const hosts = new Map<string, { breaker: Breaker; pace: Pace }>()

  function hostOf(name: string) {
    const known = hosts.get(name) ?? { breaker: breakerOf(name), pace: createPace({ intervalMs: paceMs }) }
    hosts.set(name, known)
    return known
  }

  /** Waits for its turn, sends, and has the breaker learn what came of it. */
  async function exchange<T>(
    message: Message,
    ms: number,
    work: (response: IncomingMessage, stop: Stop) => Promise<T>,
  ): Promise<T> {
    const { direccion, signal } = message
    const { breaker, pace } = hostOf(direccion.host)
    const paused = () => satEnPausa(direccion.host, inSeconds(breaker.waitMs()))
    // Before the turn too, so that nobody queues up to be refused.
    if (breaker.waitMs() > 0) throw paused()
    await pace.turn()
    if (signal.aborted) throw notSent(satInterrumpida(asError(signal.reason)))
    const body = message.body()
    const ticket = breaker.enter()
    if (!ticket) throw paused()
    const stop = createStop(signal, ms)
    let response: IncomingMessage | undefined
    try {
      response = await send(direccion.url, { headers: headersOf(message), body, signal: stop.signal })
      const result = await work(response, stop)
      ticket.succeeded()
      return result
    } catch (error) {
      const failure = failureOf(error, message, stop, ticket)
      throw error instanceof Unreached ? notSent(failure) : failure
    } finally {
      stop.clear()
      // Whoever was to receive it may not have come so far as to begin.
      response?.destroy()
    }
  }

  /** Only what another try could mend counts against the host. */
  function failureOf(error: unknown, { direccion: { host }, signal }: Message, stop: Stop, ticket: Ticket): unknown {
    if (signal.aborted) {
      ticket.dropped()
      return satInterrumpida(asError(signal.reason))
    }
    if (error instanceof Refused || error instanceof NotTheHost || isOthers(error)) {
      ticket.succeeded()
      return error instanceof Refused ? told(error, host) : error instanceof NotTheHost ? error.cause : error
    }
    const { breaker } = hostOf(host)
    const before = breaker.state().breaker
    ticket.failed()
    const cause = error instanceof AppError ? asError(error.cause) : new Error(reasonOf(stop.why() ?? error))
    if (before === 'closed' && breaker.state().breaker === 'open')
      log.error({ host, why: cause.message, alarm: 'sat_descarga_down' }, 'the mass download of the SAT is down')
    else log.warn({ host, why: cause.message }, 'the mass download of the SAT did not answer')
    return satNoDisponible(cause, Math.max(60, inSeconds(breaker.waitMs())))
  }

  /** It is there and answers, and asking the same again would bring the same. */
  function told({ falla, detalle }: Refused, host: string): AppError {
    const cause = new Error(`${falla}: ${detalle}`)
    const isClock = falla === 'seguridad'
    const alarm = isClock ? 'sat_descarga_security' : 'sat_descarga_unreadable'
    log.error(
      { host, why: cause.message, alarm },
      'the mass download of the SAT does not take, or give, what it should',
    )
    return isClock ? satSeguridad(cause) : satIlegible(cause)
  }

  return {
    ask: (message, read) =>
      exchange(message, limits.answerMs, async (response) => {
        const body = await readBounded(response, MOST_BYTES)
        return demand(isOk(response) ? read(body) : readFalla(body), response)
      }),
    stream: (message, receive) =>
      exchange(message, limits.packageMs, async (response, stop) => {
        if (!isOk(response)) return demand<never>(readFalla(await readBounded(response, MOST_BYTES)), response)
        return receive(unstalled(response, limits.stallMs, stop), stop.signal).catch((error: unknown) => {
          throw error instanceof AppError || stop.signal.aborted ? error : new NotTheHost({ cause: error })
        })
      }),
    restMs: (host) => hosts.get(host)?.breaker.waitMs() ?? 0,
    salud: (host) => saludDe(hosts.get(host)?.breaker),
  }
}

const headersOf = ({ direccion, token }: Message) => ({
  'content-type': 'text/xml;charset="utf-8"',
  accept: 'text/xml',
  soapaction: direccion.accion,
  ...(token !== undefined && { authorization: `WRAP access_token="${token}"` }),
})

function demand<T extends object>(found: T | Falla, response: IncomingMessage): T {
  if (!('falla' in found)) return found
  const { falla, detalle } = found
  const ok = isOk(response)
  if (falla === 'seguridad' || falla === 'contrato' || (falla === 'ilegible' && ok)) throw new Refused(falla, detalle)
  throw new NoAnswer(`${ok ? '' : `HTTP ${response.statusCode}, `}${falla}: ${detalle}`)
}

/** Whoever received it failed, for reasons of its own. */
class NotTheHost extends Error {
  constructor(options: ErrorOptions) {
    super('what came was not received', options)
  }
}

class Refused extends Error {
  readonly falla: Falla['falla']
  readonly detalle: string

  constructor(falla: Falla['falla'], detalle: string) {
    super(`${falla}: ${detalle}`)
    this.falla = falla
    this.detalle = detalle
  }
}

/** A package that is none, a disk that is full: the host did its part. */
const isOthers = (error: unknown): boolean => error instanceof AppError && error.code !== 'sat.no_disponible'

/** Only waiting for the SAT counts, not what whoever reads does with a piece. */
async function* unstalled(response: IncomingMessage, ms: number, stop: Stop): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]()
  try {
    for (;;) {
      const timer = setTimeout(() => stop.now(new NoAnswer(`nothing more for ${ms} ms`)), ms)
      const next = await chunks.next().finally(() => clearTimeout(timer))
      if (next.done) return
      yield next.value
    }
  } finally {
    response.destroy()
  }
}

const inSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000))
