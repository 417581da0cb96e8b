import type { Reduccion } from './acreditable.ts'
import type { Efecto, Motivo, Revisar } from './movimiento.ts'

/** Why a movement counts or not, for the person who asks about that peso. */
export function explicacion(efecto: Efecto, motivo: string | null): string {
  if (motivo !== null && motivo in MOTIVO) return MOTIVO[motivo as Motivo]
  return efecto === 'cuenta' ? 'Cuenta en el mes en que se cobró o se pagó.' : 'No cuenta.'
}

export const porQueRevisar = (revisar: string | null): string | null =>
  revisar !== null && revisar in REVISAR ? REVISAR[revisar as Revisar] : null

export const porQueSeReduce = (motivo: Reduccion): string => REDUCCION[motivo]

const REDUCCION: Record<Reduccion, string> = {
  destino_exento: 'Gastos para actividades exentas: su IVA no es acreditable (LIVA 5, fracción V, inciso b).',
  proporcion:
    'Gastos para actividades gravadas y exentas: su IVA se acredita en la proporción del mes (LIVA 5, fracción V, inciso c).',
  no_deducible: 'La parte no deducible de un gasto: su IVA tampoco es acreditable (LIVA 5, fracción I).',
}

const MOTIVO: Record<Motivo, string> = {
  cancelado: 'El CFDI está cancelado.',
  factura_cancelada: 'La factura que paga o corrige está cancelada.',
  excluido: 'Excluido por una persona de tu empresa: sus anotaciones dicen quién, cuándo y por qué.',
  factura_excluida: 'La factura que paga o corrige está excluida por una persona de tu empresa.',
  cuenta_de_terceros:
    'Lo emitió otra persona a nombre de tu empresa (a cuenta de terceros): revísalo con ella y regístralo aparte si te corresponde.',
  ppd_sin_pago: 'Factura en parcialidades o diferida (PPD) sin complemento de pago: todavía no se cobra ni se paga.',
  ppd_por_pagos: 'Factura PPD: cuenta por sus complementos de pago, en el mes de cada pago.',
  pagado_con_rep: 'Factura PUE con complemento de pago: cuenta sólo el complemento, para no duplicarla.',
  factura_desconocida: 'El complemento de pago no dice sus impuestos y su factura no está en el sistema.',
  rep_ajeno: 'El complemento de pago no es del emisor de la factura que menciona.',
  reduce_saldo:
    'La nota de crédito sólo reduce lo que faltaba por pagar de una factura PPD o con complementos de pago (LIVA 7).',
  egreso_ppd: 'Nota de crédito PPD: reduce el saldo y no devuelve dinero.',
  emisor_69b:
    'El SAT tiene a quien lo emitió en el listado definitivo del artículo 69-B del CFF: su IVA no es acreditable mientras siga ahí.',
  uso_sin_efectos: 'Uso S01, sin efectos fiscales: no es deducible y su IVA no es acreditable (LIVA 5, fracción I).',
  uso_deduccion_personal: 'Uso de deducción personal (D01 a D10): su IVA no es acreditable (LIVA 5, fracción I).',
  combustible_efectivo: 'Combustible pagado en efectivo: no es deducible ni acreditable (LISR 27, fracción III).',
  efectivo_mayor_2000: 'Pago en efectivo mayor a $2,000.00: no es deducible ni acreditable (LISR 27, fracción III).',
  egreso_de_rechazado: 'Nota de crédito de un gasto cuyo IVA no se acreditó.',
}

const REVISAR: Record<Revisar, string> = {
  egreso_sin_relacion: 'La nota de crédito no dice a qué factura corresponde.',
  relacionado_desconocido: 'Alguna factura que corrige la nota de crédito no está en el sistema.',
  factura_desconocida: 'La factura que se paga no está en el sistema.',
  sin_metodo_pago: 'El CFDI no dice su método de pago; se tomó como PUE.',
  rep_sin_impuestos: 'El complemento de pago no trae los impuestos de una factura que sí los tiene.',
  tasa_desconocida: 'Trae IVA a una tasa que no es 16 %, 8 %, 0 % ni exento.',
}
