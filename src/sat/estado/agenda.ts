import { mexicoCityTime } from '../../clock.ts'
import { periodoOf } from '../../fiscal/periodo.ts'
import type { EstatusCancelacion } from './respuesta.ts'

/** What decides when a CFDI is asked for again. */
export interface Consultado {
  readonly uuid: string
  /** Civil time, as text. */
  readonly fechaEmision: string
  readonly estado: 'vigente' | 'cancelado' | 'no_encontrado'
  readonly estatusCancelacion: EstatusCancelacion | null
  /** The answer was not what we knew. */
  readonly cambio: boolean
  /** Not found, and not yet on enough days to believe it. */
  readonly sinConfirmar: boolean
}

export interface Turno {
  /** Null: not by itself any more. */
  readonly siguienteEn: Date | null
  /** 0 is asked before 1. */
  readonly prioridad: 0 | 1
}

/**
 * When to ask again (sat.md 6: open months each day, weekly for 24 months). What is not settled is asked each day, however
 * old: a cancellation under way, one that just changed, one that is not found. A cancelled CFDI rarely comes back; one of
 * more than two years changes no more, and is asked for by a person only.
 */
export function turnoDe(consultado: Consultado, now: Date): Turno {
  const { uuid, fechaEmision, estado, estatusCancelacion, cambio, sinConfirmar } = consultado
  const months = monthsBefore(fechaEmision, now)
  const after = (days: number) => new Date(now.getTime() + Math.round(days * DAY_MS * spread(uuid)))
  if (cambio || sinConfirmar || estatusCancelacion === 'en_proceso') return { siguienteEn: after(1), prioridad: 0 }
  if (estado === 'cancelado') return { siguienteEn: months <= MONTHS ? after(60) : null, prioridad: 1 }
  if (estado === 'no_encontrado') return { siguienteEn: after(7), prioridad: 1 }
  // Dated in the future, it belongs to the open month as long as it does.
  if (months <= 1) return { siguienteEn: after(1), prioridad: 0 }
  return { siguienteEn: months <= MONTHS ? after(7) : null, prioridad: 1 }
}

/**
 * When to try again what failed for the n-th time in a row: soon, then less and less, each six hours. What never works (the
 * service does not understand it, or chokes on it) is tried each third day and takes nobody's place.
 */
export function trasFallo(fallos: number, uuid: string, now: Date): Turno & { siguienteEn: Date } {
  const minutes = fallos > 12 ? 3 * 24 * 60 : Math.min(360, 10 * 2 ** (fallos - 1))
  const siguienteEn = new Date(now.getTime() + Math.round(minutes * 60_000 * spread(uuid)))
  return { siguienteEn, prioridad: fallos > 3 ? 1 : 0 }
}

/** No turn is farther away: one that is was given by a clock that went wrong. */
export const FARTHEST_MS = 90 * 86_400_000

/** A document is known to the service some time after its stamp. Until then its answer would say nothing. */
export const SETTLING_MS = 2 * 3_600_000

/** Full calendar months between the month of the CFDI and the one it is now; below zero for a date of the future. */
function monthsBefore(fechaEmision: string, now: Date): number {
  const issued = periodoOf(fechaEmision)
  const current = periodoOf(mexicoCityTime(now))
  return (current.ejercicio - issued.ejercicio) * 12 + current.mes - issued.mes
}

/** 0.85 to 1.15 by the folio: what came in one load does not come due in one minute for ever. */
const spread = (uuid: string): number => 0.85 + (0.3 * Number.parseInt(uuid.slice(0, 6), 16)) / 0xffffff

const DAY_MS = 86_400_000
const MONTHS = 24
