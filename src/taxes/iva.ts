import { type Centavos, roundToPesos } from '../fiscal/money.ts'
import { comparePeriodos, nextPeriodo, type Periodo } from '../fiscal/periodo.ts'
import { type GastoReducido, proporcionDe, type Reducido, reducir, SIN_REDUCIR } from './acreditable.ts'
import {
  type Direccion,
  type Efecto,
  type Importes,
  ivaTrasladadoOf,
  type Motivo,
  SIN_IMPORTES,
  sumImportes,
} from './movimiento.ts'

/** The movements of a month with the same direction, effect and reason, added up. */
export interface SumaIva extends Importes {
  readonly direccion: Direccion
  readonly efecto: Efecto
  readonly motivo: Motivo | null
}

/** What a month leaves to the next one. */
export interface Arrastre {
  /** Balance in favour not used yet. Zero or more. */
  readonly saldoAFavor: Centavos
  /** IVA withheld from suppliers, remitted with this month's return: what of it is creditable in the next one. */
  readonly ivaRetenidoPorAcreditar: Centavos
}

export const SIN_ARRASTRE: Arrastre = { saldoAFavor: 0n, ivaRetenidoPorAcreditar: 0n }

/** The sums of a month that its result comes from. Centavos; a month of credit notes may have negative ones. */
export interface BaseIva {
  /** Charged to customers and collected, by rate. `ivaRetenido` is what they withheld. */
  readonly trasladado: Importes
  /** Paid to suppliers and creditable, by rate. `ivaRetenido` is what we withheld. */
  readonly acreditable: Importes
  readonly noAcreditable: Centavos
  readonly noAcreditablePorMotivo: Readonly<Partial<Record<Motivo, Centavos>>>
  /** Withheld from all suppliers, creditable or not: to be remitted whole, never offset (LIVA 1-A). */
  readonly ivaRetenidoATerceros: Centavos
  /** Of the month's own acts, in ten-thousandths; null without any (LIVA 5-V c). */
  readonly proporcion: bigint | null
  /** What is not credited of `acreditable`, for what it serves and how far it is deductible. */
  readonly reducido: Reducido
}

export interface IvaMensual {
  readonly ivaTrasladado: Centavos
  readonly ivaRetenidoPorClientes: Centavos
  /** IVA of suppliers less what we withheld of it: what they were really paid (LIVA 5-III, 5-IV). */
  readonly ivaPagado: Centavos
  /** Withheld last month and remitted since. */
  readonly ivaRetenidoMesAnterior: Centavos
  readonly ivaAcreditable: Centavos
  /** Trasladado − retenido por clientes − acreditable. */
  readonly diferencia: Centavos
  readonly saldoAFavorAnterior: Centavos
  readonly saldoAFavorAplicado: Centavos
  readonly aCargo: Centavos
  /** Of this month alone. */
  readonly aFavor: Centavos
  readonly remanente: Centavos
  /** `aCargo` in whole pesos, as it is paid (CFF 20). */
  readonly importeAPagar: Centavos
  readonly arrastre: Arrastre
}

/** Adds up the movements of one month by what they are for. `reducidos`: those of `acreditable` not credited whole. */
export function baseIva(sumas: readonly SumaIva[], reducidos: readonly GastoReducido[] = []): BaseIva {
  const of = (direccion: Direccion, efecto: Efecto) =>
    sumas.filter((suma) => suma.direccion === direccion && suma.efecto === efecto)
  const acreditable = sumImportes(of('recibido', 'cuenta'))
  const rechazados = of('recibido', 'no_acreditable')
  const noAcreditablePorMotivo: Partial<Record<Motivo, Centavos>> = {}
  for (const suma of rechazados) {
    if (suma.motivo === null) continue
    noAcreditablePorMotivo[suma.motivo] = (noAcreditablePorMotivo[suma.motivo] ?? 0n) + ivaTrasladadoOf(suma)
  }
  const rechazado = sumImportes(rechazados)
  const trasladado = sumImportes(of('emitido', 'cuenta'))
  const proporcion = proporcionDe(trasladado)
  return {
    trasladado,
    acreditable,
    noAcreditable: ivaTrasladadoOf(rechazado),
    noAcreditablePorMotivo,
    ivaRetenidoATerceros: acreditable.ivaRetenido + rechazado.ivaRetenido,
    proporcion,
    reducido: reducir(reducidos, proporcion),
  }
}

/**
 * The IVA of one calendar month, on a cash basis.
 *
 * Difference = collected from customers − withheld by them − creditable. Above zero, balances of earlier months pay it
 * first and the rest is due; below zero it is a balance in favour that is carried. Nothing is rounded here but the
 * payment. At most one of `aCargo` and `aFavor` is above zero.
 *
 * Rule: LIVA 5-D and 6; creditable is what suppliers were paid (5-III), less what serves exempt acts or is not deductible
 * (5-V, 5-I), plus what was withheld from them last month and remitted since (5-IV: "en la declaración de pago mensual
 * siguiente"), which follows its document in what it loses.
 */
export function ivaMensual({ trasladado, acreditable, reducido }: BaseIva, anterior: Arrastre): IvaMensual {
  const ivaTrasladado = ivaTrasladadoOf(trasladado)
  const ivaPagado = ivaTrasladadoOf(acreditable) - acreditable.ivaRetenido
  const ivaAcreditable = ivaPagado - reducido.pagado + anterior.ivaRetenidoPorAcreditar
  const diferencia = ivaTrasladado - trasladado.ivaRetenido - ivaAcreditable
  const saldoAFavorAplicado = diferencia > 0n ? min(diferencia, anterior.saldoAFavor) : 0n
  const aCargo = diferencia > 0n ? diferencia - saldoAFavorAplicado : 0n
  const aFavor = diferencia < 0n ? -diferencia : 0n
  const remanente = anterior.saldoAFavor - saldoAFavorAplicado + aFavor
  return {
    ivaTrasladado,
    ivaRetenidoPorClientes: trasladado.ivaRetenido,
    ivaPagado,
    ivaRetenidoMesAnterior: anterior.ivaRetenidoPorAcreditar,
    ivaAcreditable,
    diferencia,
    saldoAFavorAnterior: anterior.saldoAFavor,
    saldoAFavorAplicado,
    aCargo,
    aFavor,
    remanente,
    importeAPagar: roundToPesos(aCargo),
    arrastre: { saldoAFavor: remanente, ivaRetenidoPorAcreditar: acreditable.ivaRetenido - reducido.retenido },
  }
}

/** Where the books of a company begin here: the balance in favour it brought along. */
export interface Apertura {
  readonly saldoAFavor: Centavos
  /** The first month that may use it; balances from before it are no longer carried. Null: from the first movement. */
  readonly desde: Periodo | null
}

export interface MesIva {
  readonly periodo: Periodo
  readonly base: BaseIva
  readonly iva: IvaMensual
}

/**
 * What reaches `periodo` from `anterior`, the last month before it that has movements, over the empty months between.
 */
export function arrastreHacia(periodo: Periodo, anterior: MesIva | undefined, apertura: Apertura): Arrastre {
  const { saldoAFavor, desde } = apertura
  if (desde === null) return anterior ? over(anterior, periodo) : { saldoAFavor, ivaRetenidoPorAcreditar: 0n }
  const opens = comparePeriodos(desde, periodo) <= 0 && (!anterior || comparePeriodos(anterior.periodo, desde) < 0)
  if (!opens) return anterior ? over(anterior, periodo) : SIN_ARRASTRE
  // The balance that was brought replaces the one carried here. What was withheld the month before is no part of it: it
  // is remitted with that month's return and becomes creditable now.
  const { ivaRetenidoPorAcreditar } = anterior ? over(anterior, desde) : SIN_ARRASTRE
  const opening = { saldoAFavor, ivaRetenidoPorAcreditar }
  return comparePeriodos(desde, periodo) === 0 ? opening : ivaMensual(SIN_BASE, opening).arrastre
}

// Of empty months only the first does anything: it credits what the month before it withheld.
function over({ periodo, iva }: MesIva, to: Periodo): Arrastre {
  return comparePeriodos(nextPeriodo(periodo), to) >= 0 ? iva.arrastre : ivaMensual(SIN_BASE, iva.arrastre).arrastre
}

/** A month without movements: it may still be owed or in favour because of what the one before left. */
export const SIN_BASE: BaseIva = {
  trasladado: SIN_IMPORTES,
  acreditable: SIN_IMPORTES,
  noAcreditable: 0n,
  noAcreditablePorMotivo: {},
  ivaRetenidoATerceros: 0n,
  proporcion: null,
  reducido: SIN_REDUCIR,
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
