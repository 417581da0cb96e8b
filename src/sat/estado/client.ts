import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { createStop, isOk, NoAnswer, readBounded, type Stop } from '../../outbound/answer.ts'
import { type Breaker, createBreaker } from '../../outbound/breaker.ts'
import { createPace, type Pace } from '../../outbound/pace.ts'
import { reasonOf, send } from '../../outbound/send.ts'
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

  async function call(expresion: string, { signal }: Stop): Promise<string> {
    const response = await send(url, { headers: HEADERS, body: envelopeOf(expresion), signal })
    try {
      const body = await readBounded(response, MOST_BYTES)
      if (isOk(response)) return body
      const found = readRespuesta(body)
      throw new NoAnswer(`HTTP ${response.statusCode}${'falla' in found ? `: ${found.falla}, ${found.detalle}` : ''}`)
    } finally {
      response.destroy()
    }
  }

  /** Only what another try could mend counts against the service. */
  async function counted(expresion: string, caller: AbortSignal | undefined): Promise<Respuesta> {
    const ticket = breaker.enter()
    if (!ticket) throw paused()
    const stop = createStop(caller, deadlineMs)
    let found: Respuesta | Falla
    try {
      found = readRespuesta(await call(expresion, stop))
      if ('falla' in found && found.falla !== 'ilegible') throw new NoAnswer(`${found.falla}: ${found.detalle}`)
    } catch (error) {
      const before = breaker.state().breaker
      if (caller?.aborted) ticket.dropped()
      else ticket.failed()
      const cause = new Error(reasonOf(stop.why() ?? error), { cause: error })
      if (before === 'closed' && breaker.state().breaker === 'open')
        log.error({ why: cause.message, alarm: 'sat_estado_down' }, 'the state service of the SAT is down')
      throw satNoDisponible(cause, Math.max(60, Math.ceil(breaker.waitMs() / 1_000)))
    } finally {
      stop.clear()
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
      return { respuesta: await counted(expresion, signal), preguntadoEn }
    },
    restMs: () => breaker.waitMs(),
  }
}

const HEADERS = { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml', soapaction: `"${SOAP_ACTION}"` }
