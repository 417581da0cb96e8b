import { parseCentavos } from '../../fiscal/money.ts'
import { type Atribucion, TODO_ACREDITABLE } from '../../taxes/acreditable.ts'
import type { Destino, Direccion } from '../../taxes/movimiento.ts'

/** What a person knows of a document and the document does not say. Null: nothing. */
export interface Anotaciones {
  /** Day on which the money really moved, `2026-03-31`. Of what is paid by receipts (PPD) they say it, not this. */
  readonly fechaPago: string | null
  /** Hundredths of a percent. */
  readonly porcentajeDeducible: bigint | null
  readonly destinoIva: Destino | null
  /** It does not count, for a reason that is written down. */
  readonly excluido: boolean
}

export const SIN_ANOTACIONES: Anotaciones = {
  fechaPago: null,
  porcentajeDeducible: null,
  destinoIva: null,
  excluido: false,
}

export const CAMPOS = ['fecha_pago', 'porcentaje_deducible', 'destino_iva', 'excluir'] as const
export type Campo = (typeof CAMPOS)[number]

/** The values in force of one document as they are stored. */
export function anotacionesOf(valores: Readonly<Partial<Record<Campo, string | null>>>): Anotaciones {
  const porcentaje = valores.porcentaje_deducible
  return {
    fechaPago: valores.fecha_pago ?? null,
    porcentajeDeducible: porcentaje === undefined || porcentaje === null ? null : parseCentavos(porcentaje),
    destinoIva: (valores.destino_iva ?? null) as Destino | null,
    excluido: valores.excluir === 'true',
  }
}

/** When the money of a document moved that is paid at once: its own date, or the day somebody knows. */
export function fechaDeFlujo({
  fecha,
  anotaciones: { fechaPago },
}: {
  fecha: string
  anotaciones: Anotaciones
}): string {
  // On its own day it keeps its hour. Noon otherwise, as receipts have it: the hour of a payment decides nothing.
  return fechaPago === null || fecha.startsWith(fechaPago) ? fecha : `${fechaPago}T12:00:00`
}

/**
 * How far an expense is creditable: as its own document is annotated, and else as the invoice that it pays or corrects.
 * Of what the company issues there is nothing to credit.
 */
export function atribucionDe(
  direccion: Direccion,
  own: Anotaciones,
  factura: Anotaciones = SIN_ANOTACIONES,
): Atribucion {
  if (direccion === 'emitido') return TODO_ACREDITABLE
  return {
    destinoIva: own.destinoIva ?? factura.destinoIva ?? TODO_ACREDITABLE.destinoIva,
    porcentajeDeducible: own.porcentajeDeducible ?? factura.porcentajeDeducible ?? TODO_ACREDITABLE.porcentajeDeducible,
  }
}
