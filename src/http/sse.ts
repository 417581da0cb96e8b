import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { demandAdmission } from './admission.ts'
import type { Drain } from './drain.ts'
import { createPlaces } from './places.ts'

/** How something stands that takes a while. `secuencia` grows with every change of it, and is the id of its event. */
export interface Progress<T> {
  secuencia: bigint
  /** Nothing will change any more. */
  final: boolean
  datos: T
}

/** Server-sent events. A route that opens one has `config.flujo` and `handlerTimeout: STREAM_TIMEOUT_MS`. */
export interface EventStreams {
  /**
   * Tells how something stands, now and at every change, until it is final: events `progreso`, the last one `fin`. With
   * `Last-Event-ID` nothing is told twice; of what ended before, 204 tells the client not to come back.
   *
   * `read` is asked again and again; between two times nothing is held, no session of a database either. What it throws
   * the first time is the answer.
   * @throws AppError too_many `eventos.demasiados`
   */
  open<T extends object>(
    request: FastifyRequest,
    reply: FastifyReply,
    source: { company: string; read: () => Promise<Progress<T>> },
  ): Promise<FastifyReply>
}

export interface EventTiming {
  /** How often `read` is asked. */
  pollMs: number
  /** Silence after which a comment is sent, for proxies that close what seems dead. */
  heartbeatMs: number
  /** How often it is asked whether the person may still read this. */
  admissionMs: number
  /** A client that does not read cannot be told anything, not even to go: it is cut off then. */
  lifetimeMs: number
  perCompany: number
  perProcess: number
}

const TIMING: EventTiming = {
  pollMs: 500,
  heartbeatMs: 15_000,
  admissionMs: 2_000,
  lifetimeMs: 600_000,
  perCompany: 8,
  perProcess: 400,
}

/** Longer than any stream lives. */
export const STREAM_TIMEOUT_MS = 900_000

export function createEventStreams({ drain, ...given }: { drain: Drain } & Partial<EventTiming>): EventStreams {
  const timing = { ...TIMING, ...given }
  const places = createPlaces({ perKey: timing.perCompany, all: timing.perProcess })

  return {
    async open(request, reply, { company, read }) {
      const leave = places.take(company)
      if (!leave) throw tooMany()
      // Answered or not, sent or cut off: `close` comes exactly once, and not again to who is gone already.
      if (reply.raw.closed) leave()
      else reply.raw.once('close', leave)
      const first = await read()
      const seen = lastSeen(request)
      if (first.final && seen !== undefined && seen >= first.secuencia) return reply.code(204).send()
      const life = new AbortController()
      const end = setTimeout(() => body.destroy(), timing.lifetimeMs + timing.heartbeatMs).unref()
      const body = Readable.from(events(request, { first, seen, read, signal: life.signal }), { objectMode: false })
      body.once('close', () => clearTimeout(end))
      // Not the body's own end, which waits until its events have something to say: they would be read for nobody till then.
      if (reply.raw.closed) life.abort()
      else reply.raw.once('close', () => life.abort())
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store, no-transform')
        .header('x-accel-buffering', 'no')
        .send(body)
    },
  }

  async function* events<T extends object>(request: FastifyRequest, stream: Stream<T>): AsyncGenerator<string> {
    let { first: now, seen } = stream
    const began = performance.now()
    let spoke = began
    let asked = began
    let failures = 0
    yield `retry: ${RETRY_MS}\n\n`
    for (;;) {
      if (seen === undefined || now.secuencia > seen || now.final) {
        seen = now.secuencia
        spoke = performance.now()
        yield eventOf(now.final ? 'fin' : 'progreso', now.datos, now.secuencia)
        if (now.final) return
      }
      if (performance.now() - spoke >= timing.heartbeatMs) {
        spoke = performance.now()
        yield ': sigo aquí\n\n'
      }
      await sleep(timing.pollMs, undefined, { signal: stream.signal }).catch(() => undefined)
      if (stream.signal.aborted) return
      if (drain.draining || performance.now() - began >= timing.lifetimeMs) return yield eventOf('reconectar', {})
      try {
        if (performance.now() - asked >= timing.admissionMs) {
          asked = performance.now()
          await demandAdmission(request)
        }
        now = await stream.read()
        failures = 0
      } catch (error) {
        // A database that is away for a moment is worth waiting for; whoever may not read this any more is told so.
        const passing = !(error instanceof AppError) || error.kind === 'unavailable'
        if (!passing) return yield eventOf('error', { code: error.code, detail: error.mensaje })
        failures++
        request.log.warn({ err: error, failures }, 'an event stream could not read how things stand')
        if (failures >= MOST_FAILURES) return yield eventOf('reconectar', {})
      }
    }
  }
}

interface Stream<T> {
  first: Progress<T>
  seen: bigint | undefined
  read: () => Promise<Progress<T>>
  signal: AbortSignal
}

const RETRY_MS = 3_000
const MOST_FAILURES = 5

/** JSON has no line breaks outside of strings, and escapes those inside: one line, which is all that an event may have. */
const eventOf = (event: string, datos: object, id?: bigint): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(datos)}\n\n`

function lastSeen(request: FastifyRequest): bigint | undefined {
  const [, id] = /^(\d{1,18})$/.exec(String(request.headers['last-event-id'] ?? '')) ?? []
  return id === undefined ? undefined : BigInt(id)
}

const tooMany = () =>
  new AppError(
    'too_many',
    'eventos.demasiados',
    'Hay demasiadas pantallas siguiendo avances a la vez. Cierra algunas e intenta de nuevo.',
    { retryAfterS: 10 },
  )
