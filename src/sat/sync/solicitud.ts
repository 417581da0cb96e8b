import type { Consulta } from '../descarga/consulta.ts'

export const estadosSolicitud = [
  'por_enviar',
  'enviando',
  'aceptada',
  'en_proceso',
  'terminada',
  'completa',
  'vacia',
  'dividida',
  'sustituida',
  'rechazada',
  'fallida',
] as const
export type EstadoSolicitud = (typeof estadosSolicitud)[number]

/** By itself it changes no more. */
export const estadosFinales = [
  'completa',
  'vacia',
  'dividida',
  'sustituida',
  'rechazada',
  'fallida',
] as const satisfies readonly EstadoSolicitud[]

/** What is known of one request of the SAT. */
export interface Solicitud {
  readonly id: string
  readonly consulta: Consulta
  readonly estado: EstadoSolicitud
  readonly idSolicitud: string | null
  /** Sent so often that the SAT may have counted it. */
  readonly intentos: number
  readonly verificaciones: number
  /** Failures in a row. */
  readonly fallos: number
  readonly generacion: number
  readonly aceptadaEn: Date | null
}

export const estadosPaquete = [
  'pendiente',
  'descargando',
  'descargado',
  'importando',
  'importado',
  'vencido',
  'agotado',
  'ilegible',
] as const
export type EstadoPaquete = (typeof estadosPaquete)[number]

/** What is known of one package of a request. */
export interface Paquete {
  readonly id: string
  readonly estado: EstadoPaquete
  /** Downloads that the SAT may have counted: it gives a package twice. */
  readonly intentos: number
  readonly fallos: number
  readonly venceEn: Date
}
