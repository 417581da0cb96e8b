/** What is known of a document that another names. */
export interface Conocido {
  readonly tipo: 'I' | 'E' | 'P' | 'N' | 'T' | 'R'
  readonly direccion: 'emitido' | 'recibido'
  readonly serie: string | null
  readonly folio: string | null
  readonly fechaEmision: string
  readonly rfcEmisor: string
  readonly rfcReceptor: string
  readonly total: string
  readonly moneda: string
  readonly metodoPago: 'PUE' | 'PPD' | null
  readonly estado: 'vigente' | 'cancelado'
}

export interface Relacion {
  readonly tipoRelacion: string
  readonly uuid: string
  /** Null when it is not here. */
  readonly cfdi: Conocido | null
}

export interface PagoRecibido {
  /** Of the receipt. */
  readonly uuid: string
  readonly fechaPago: string
  readonly formaPago: string | null
  readonly numOperacion: string | null
  readonly parcialidad: string | null
  readonly moneda: string | null
  readonly saldoAnterior: string | null
  readonly pagado: string | null
  readonly saldoInsoluto: string | null
  readonly efecto: 'cuenta' | 'no_acreditable' | 'sin_efecto' | null
  readonly motivo: string | null
  readonly cfdi: Conocido
}

/** As many as are shown, and how many there are. */
export interface Lista<T> {
  readonly total: number
  readonly datos: readonly T[]
}

export interface EnCadena extends Relacion {
  /** What it names with the relation of the chain. */
  readonly nombra: readonly string[]
}

export interface EnAnticipo extends EnCadena {
  readonly papel: 'anticipo' | 'factura' | 'aplicacion'
}

/**
 * What each document of an advance is in it: the credit note applies it, an invoice that names others is the final one,
 * and what only is named is the advance, here or not. Empty when no other document belongs to it.
 */
export function anticipoOf(cadena: readonly EnCadena[]): EnAnticipo[] {
  if (cadena.length < 2) return []
  return cadena.map((uno) => ({
    ...uno,
    papel: uno.cfdi?.tipo === 'E' ? 'aplicacion' : uno.nombra.length > 0 ? 'factura' : 'anticipo',
  }))
}
