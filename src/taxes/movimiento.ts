import type { Centavos } from '../fiscal/money.ts'
import type { Periodo } from '../fiscal/periodo.ts'

/**
 * What one CFDI did to the money of one month. Derived from the stored CFDI, never edited; every figure of a month is a
 * sum of these, so that each peso on a screen opens the document it came from.
 *
 * Every invoice, every credit note and every document of a payment has one, also when it counts for nothing: `efecto`
 * says whether it counts and `motivo` why not. Amounts are pesos in centavos; those of a credit note are negative.
 */
export interface Movimiento extends Importes {
  /** The CFDI that made it, and its ordinal there. */
  readonly uuid: string
  readonly n: number
  /** The invoice whose tax this is. Null for a credit note that names none. */
  readonly documento: string | null
  readonly clase: 'PUE' | 'PPD' | 'REP' | 'EGRESO'
  readonly direccion: Direccion
  /** When the money moved. */
  readonly fecha: string
  /** The month it counts in: that of `fecha`, but for LIVA art. 7's last paragraph. */
  readonly periodo: Periodo
  readonly contraparte: string
  /** Money that changed hands. */
  readonly total: Centavos
  readonly formaPago: string | null
  readonly usoCfdi: string | null
  readonly efecto: Efecto
  readonly motivo: Motivo | null
  /** Something a person should look at, whether it counts or not. */
  readonly revisar: Revisar | null
  /** It changes a month that may have been filed (LIVA art. 7: the original operation had IVA withheld). */
  readonly requiereComplementaria: boolean
  /** What the expense serves (LIVA 5-V), and how much of it is deductible, in hundredths of a percent (LIVA 5-I). */
  readonly destinoIva: Destino
  readonly porcentajeDeducible: bigint
}

/** Bases and taxes by rate, and what was withheld. */
export interface Importes {
  readonly base16: Centavos
  readonly iva16: Centavos
  readonly base8: Centavos
  readonly iva8: Centavos
  readonly base0: Centavos
  readonly baseExenta: Centavos
  readonly baseNoObjeto: Centavos
  /** Of rates the law no longer has. */
  readonly baseOtra: Centavos
  readonly ivaOtra: Centavos
  readonly ivaRetenido: Centavos
  readonly isrRetenido: Centavos
}

export type Direccion = 'emitido' | 'recibido'

/** Acts that pay IVA, exempt ones, or both alike. */
export const DESTINOS = ['gravado', 'exento', 'indistinto'] as const
export type Destino = (typeof DESTINOS)[number]

/** `no_acreditable`: paid to a supplier, and its IVA can not be credited. Only received documents are that. */
export type Efecto = 'cuenta' | 'no_acreditable' | 'sin_efecto'

/** Why a movement does not count. */
export const MOTIVOS = [
  'cancelado',
  'factura_cancelada',
  'excluido', // a person says that it does not count, and why
  'factura_excluida',
  'cuenta_de_terceros', // somebody else issued it in the company's name, for a part that only they can tell
  'ppd_sin_pago', // an invoice to be paid later, and nothing has been paid
  'ppd_por_pagos', // it counts by its payments
  'pagado_con_rep', // an invoice paid at once that nevertheless has receipts: only the receipts count
  'factura_desconocida', // a payment of 1.0 says no taxes and the invoice that does is not here
  'rep_ajeno', // a receipt for an invoice that its issuer did not issue
  'reduce_saldo', // a credit note that only lowers what was still owed
  'egreso_ppd',
  'emisor_69b', // SAT says that its issuer is on the definitive list of simulated operations
  'uso_sin_efectos',
  'uso_deduccion_personal',
  'combustible_efectivo',
  'efectivo_mayor_2000',
  'egreso_de_rechazado', // a credit note on something whose IVA was never credited
] as const
export type Motivo = (typeof MOTIVOS)[number]

export const REVISAR = [
  'egreso_sin_relacion',
  'relacionado_desconocido',
  'factura_desconocida',
  'sin_metodo_pago',
  'rep_sin_impuestos',
  'tasa_desconocida',
] as const
export type Revisar = (typeof REVISAR)[number]

/** Money paid to a supplier, as far as crediting its IVA depends on it. */
export interface Gasto {
  readonly usoCfdi: string | null
  readonly formaPago: string | null
  /** Of the payment, not of the document: the limit of cash is per payment. */
  readonly pago: Centavos
  readonly combustible: boolean
  /** The issuer is on the definitive list of CFF 69-B. */
  readonly emisor69b: boolean
}

/**
 * Why the IVA of a payment to a supplier cannot be credited, null when it can.
 *
 * CFF 69-B takes every effect from what a listed issuer issued. LIVA 5-I asks that the expense be deductible: uses S01 and
 * D01–D10 (personal deductions) are not, and LISR 27-III refuses cash above 2,000 pesos per payment and any cash for
 * vehicle fuel.
 */
export function rechazoDe({ usoCfdi, formaPago, pago, combustible, emisor69b }: Gasto): Motivo | null {
  if (emisor69b) return 'emisor_69b'
  if (usoCfdi === 'S01') return 'uso_sin_efectos'
  if (usoCfdi !== null && /^D(0[1-9]|10)$/.test(usoCfdi)) return 'uso_deduccion_personal'
  if (formaPago !== EFECTIVO) return null
  if (combustible) return 'combustible_efectivo'
  return pago > LIMITE_EFECTIVO ? 'efectivo_mayor_2000' : null
}

const EFECTIVO = '01'
/** LISR 27-III, in force since 2008. Exactly 2,000.00 is allowed: the law says "exceda". */
const LIMITE_EFECTIVO = 2_000_00n

export const SIN_IMPORTES: Importes = {
  base16: 0n,
  iva16: 0n,
  base8: 0n,
  iva8: 0n,
  base0: 0n,
  baseExenta: 0n,
  baseNoObjeto: 0n,
  baseOtra: 0n,
  ivaOtra: 0n,
  ivaRetenido: 0n,
  isrRetenido: 0n,
}

export const IMPORTES = Object.keys(SIN_IMPORTES) as (keyof Importes)[]

export function sumImportes(terms: readonly Importes[]): Importes {
  const sum: Record<keyof Importes, Centavos> = { ...SIN_IMPORTES }
  for (const term of terms) for (const key of IMPORTES) sum[key] += term[key]
  return sum
}

/** All IVA charged in it, whatever the rate. */
export const ivaTrasladadoOf = ({ iva16, iva8, ivaOtra }: Importes): Centavos => iva16 + iva8 + ivaOtra
