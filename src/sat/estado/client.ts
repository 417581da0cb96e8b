import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { type Breaker, createBreaker } from '../../outbound/breaker.ts'
import { createPace, type Pace } from '../../outbound/pace.ts'
import { satEnPausa, satIlegible, satNoDisponible } from './errors.ts'
import { envelopeOf, SOAP_ACTION } from './expresion.ts'
import { type Falla, type Respuesta, readRespuesta } from './respuesta.ts'

/** SAT's state service (sat.md 3). One per process: all who ask share its pace and its breaker. */
export interface EstadoSat {
  /**
   * Asks for one CFDI, when it is its turn. `maxWaitMs`: rather not than wait longer for that.
   * @throws AppError `sat.no_disponible` (see `wasNotAsked`), `sat.respuesta_ilegible`
   */
  ask(expresion: string, options?: { signal?: AbortSignal; maxWaitMs?: number }): Promise<Contestado>
  /** Milliseconds until it may be asked at all; 0 unless it has been failing. */
  restMs(): number
}

export interface Contestado {
  readonly respuesta: Respuesta
  readonly preguntadoEn: Date
}

export interface EstadoSatOptions {
  url: string
  log: Logger
  clock: Clock
  pace?: Pace
  breaker?: Breaker
  /** Around the whole of one call, its body included. */
  deadlineMs?: number
}

/** No limit is published; about one a second has never been refused (sat.md 3). */
export const PACE = { intervalMs: 1_000 }

/** An answer has 700 bytes. */
const MOST_BYTES = 65_536

export function createEstadoSat(options: EstadoSatOptions): EstadoSat {
  const { url, log, clock, pace = createPace(PACE), breaker = createBreaker({ clock }), deadlineMs = 10_000 } = options

  async function call(expresion: string, signal: AbortSignal): Promise<string> {
    const response = await fetch(url, {
      method: 'POST',
      // An address that sends us elsewhere is not the service: what is asked is nobody else's business.
      redirect: 'manual',
      headers: { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml', soapaction: `"${SOAP_ACTION}"` },
      body: envelopeOf(expresion),
      signal,
    })
    const body = await readBounded(response)
    if (response.ok) return body
    const found = readRespuesta(body)
    throw new NoAnswer(`HTTP ${response.status}${'falla' in found ? `: ${found.falla}, ${found.detalle}` : ''}`)
  }

  /** Only what another try could mend counts against the service. */
  async function counted(work: () => Promise<string>): Promise<Respuesta> {
    const ticket = breaker.enter()
    if (!ticket) throw paused()
    let found: Respuesta | Falla
    try {
      found = readRespuesta(await work())
      if ('falla' in found && found.falla !== 'ilegible') throw new NoAnswer(`${found.falla}: ${found.detalle}`)
    } catch (error) {
      const before = breaker.state().breaker
      ticket.failed()
      const cause = causeOf(error, deadlineMs)
      if (before !== 'open' && breaker.state().breaker === 'open')
        log.error({ why: cause.message, alarm: 'sat_estado_down' }, 'the state service of the SAT is down')
      throw satNoDisponible(cause, Math.max(60, Math.ceil(breaker.waitMs() / 1_000)))
    }
    // It is there and answers; asking again would not teach us its words.
    ticket.succeeded()
    if ('falla' in found) {
      log.error({ why: found.detalle, alarm: 'sat_estado_unreadable' }, 'an answer of the SAT that we cannot read')
      throw satIlegible(new Error(found.detalle))
    }
    return found
  }

  const paused = () => satEnPausa('the breaker is open', Math.max(1, Math.ceil(breaker.waitMs() / 1_000)))

  return {
    async ask(expresion, { signal, maxWaitMs = Number.POSITIVE_INFINITY } = {}) {
      // Before the turn too, so that nobody queues up to be refused.
      if (breaker.waitMs() > 0) throw paused()
      if (pace.waitMs() > maxWaitMs) throw satEnPausa('too many wait', Math.ceil(pace.waitMs() / 1_000))
      await pace.turn()
      signal?.throwIfAborted()
      const preguntadoEn = clock.now()
      const deadline = AbortSignal.timeout(deadlineMs)
      const both = signal ? AbortSignal.any([signal, deadline]) : deadline
      const respuesta = await counted(() => call(expresion, both))
      return { respuesta, preguntadoEn }
    },
    restMs: () => breaker.waitMs(),
  }
}

class NoAnswer extends Error {}

/** What is beyond is not read: whoever sends it is not the service. */
async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new NoAnswer(`more than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8').decode(Buffer.concat(chunks))
}

/** `fetch failed` hangs the reason onto the reason. */
function causeOf(error: unknown, deadlineMs: number): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if (error.name === 'TimeoutError') return new Error(`no answer within ${deadlineMs} ms`, { cause: error })
  const inner = error.cause as { code?: unknown } | undefined
  return typeof inner?.code === 'string' ? new Error(`${error.message}: ${inner.code}`, { cause: error }) : error
}
