import type { Fecha } from '../../fiscal/fecha.ts'
import type { Efos, EsCancelable, EstatusCancelacion, Respuesta } from './respuesta.ts'

/** What is known of a CFDI before an answer. */
export interface Conocido {
  readonly estado: 'vigente' | 'cancelado'
  readonly direccion: 'emitido' | 'recibido'
  /** The last row of its history, or what a CFDI is when it comes in. */
  readonly historia: Hecho
  readonly efos: Efos
  /** On how many days in a row it was not found, and the last of them. */
  readonly ausencias: number
  readonly ausenteEl: Fecha | null
}

/** A row of the history. */
export interface Hecho {
  readonly estado: 'vigente' | 'cancelado' | 'no_encontrado'
  readonly estatusCancelacion: EstatusCancelacion | null
  readonly listado: boolean
}

export interface Veredicto {
  /** What the last answer says, for whoever looks. */
  readonly dicho: 'vigente' | 'cancelado' | 'no_encontrado'
  readonly esCancelable: EsCancelable | null
  readonly estatusCancelacion: EstatusCancelacion | null
  readonly efos: Efos
  readonly ausencias: number
  readonly ausenteEl: Fecha | null
  /** It was not found, and that is not to be believed yet. */
  readonly sinConfirmar: boolean
  /** The state to give it; null leaves it as it is. */
  readonly estado: 'vigente' | 'cancelado' | null
  /** What the history gains; null when nothing changed. */
  readonly hecho: Hecho | null
  /** Which warnings it has from now on. */
  readonly avisos: Readonly<Record<CodigoSat, boolean>>
}

export type CodigoSat = 'sat.emisor_69b' | 'sat.no_encontrado'

/** Of a CFDI nobody asked for: it came with its stamp. */
export const RECIEN_LLEGADO: Hecho = { estado: 'vigente', estatusCancelacion: null, listado: false }

/** "No encontrado" is believed on this many different days in a row: the service says it of CFDI that exist, for hours. */
export const DIAS_PARA_CREER = 3

/**
 * What an answer makes of what is known. `Vigente` and `Cancelado` are taken at their word, also back: the SAT corrects
 * itself. Not found never takes a stored CFDI's effect away (sat.md 3), but is told once it has been so for days.
 * `hoy` is the day in Mexico City.
 */
export function veredictoDe(
  conocido: Conocido,
  respuesta: Respuesta & { estado: Exclude<Respuesta['estado'], 'expresion_invalida'> },
  hoy: Fecha,
): Veredicto {
  // An answer without it takes nothing back.
  const efos = respuesta.efos === 'desconocido' ? conocido.efos : respuesta.efos
  const listado = efos === 'listado'
  const { estado: dicho, esCancelable, estatusCancelacion } = respuesta
  const ausente = dicho === 'no_encontrado' ? otraAusencia(conocido, hoy) : { ausencias: 0, ausenteEl: null }
  const creido = ausente.ausencias >= DIAS_PARA_CREER
  const sinConfirmar = dicho === 'no_encontrado' && !creido
  // What is not believed yet leaves the history where it was.
  const hecho: Hecho = sinConfirmar ? { ...conocido.historia, listado } : { estado: dicho, estatusCancelacion, listado }
  return {
    dicho,
    esCancelable,
    estatusCancelacion,
    efos,
    ...ausente,
    sinConfirmar,
    estado: dicho !== 'no_encontrado' && dicho !== conocido.estado ? dicho : null,
    hecho: isSame(hecho, conocido.historia) ? null : hecho,
    avisos: {
      // Of what the company issues the issuer is itself: that is another matter than a CFDI's.
      'sat.emisor_69b': listado && conocido.direccion === 'recibido',
      'sat.no_encontrado': creido,
    },
  }
}

/** One more day. A second answer of one day, or one of a clock that was set back, is no other day. */
function otraAusencia({ ausencias, ausenteEl }: Conocido, hoy: Fecha) {
  return ausenteEl !== null && hoy <= ausenteEl
    ? { ausencias, ausenteEl }
    : { ausencias: ausencias + 1, ausenteEl: hoy }
}

const isSame = (a: Hecho, b: Hecho): boolean =>
  a.estado === b.estado && a.estatusCancelacion === b.estatusCancelacion && a.listado === b.listado
