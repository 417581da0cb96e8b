import { type Centavos, formatCentavos } from '../../fiscal/money.ts'
import { comparePeriodos, formatPeriodo, type Periodo } from '../../fiscal/periodo.ts'

/** What a return says of the IVA of a month, in centavos. */
export interface Declarable {
  readonly periodo: Periodo
  readonly acreditable: Centavos
  /** Of earlier months, carried into it. */
  readonly saldoAnterior: Centavos
  readonly aCargo: Centavos
  readonly aFavor: Centavos
}

/** A month that is over and whose return would say something else now. */
export interface Complementaria {
  readonly periodo: Periodo
  readonly acreditable: Cambio
  readonly aCargo: Cambio
  readonly aFavor: Cambio
}

export interface Cambio {
  readonly antes: Centavos
  readonly despues: Centavos
}

/**
 * The returns that a change made wrong: months before `actual` that credit otherwise (`propios`), and those after them that
 * a balance reaches that is another now. Months cannot be closed here yet: one that is over counts as declared. `antes` and
 * `despues` are all months; one that is not in them has nothing to declare.
 *
 * Rule: CFDI_RECIBIDO_CANCELADO of fiscal.md 3, "draft complementaria"; balances are carried by LIVA 6.
 */
export function complementariasDe(
  propios: readonly Periodo[],
  { antes, despues, actual }: { antes: readonly Declarable[]; despues: readonly Declarable[]; actual: Periodo },
): Complementaria[] {
  const [first] = propios.toSorted(comparePeriodos)
  if (!first) return []
  const byMonth = (rows: readonly Declarable[]) => new Map(rows.map((row) => [formatPeriodo(row.periodo), row]))
  const [before, after] = [byMonth(antes), byMonth(despues)]
  const own = new Set(propios.map(formatPeriodo))
  return [...new Map([...before, ...after]).values()]
    .map(({ periodo }) => periodo)
    .sort(comparePeriodos)
    .filter((periodo) => comparePeriodos(periodo, first) >= 0 && comparePeriodos(periodo, actual) < 0)
    .flatMap((periodo) => {
      const key = formatPeriodo(periodo)
      const [was, is] = [before.get(key) ?? { ...NADA, periodo }, after.get(key) ?? { ...NADA, periodo }]
      if (!own.has(key) && was.saldoAnterior === is.saldoAnterior) return []
      const change = (of: 'acreditable' | 'aCargo' | 'aFavor'): Cambio => ({ antes: was[of], despues: is[of] })
      const cambios = { acreditable: change('acreditable'), aCargo: change('aCargo'), aFavor: change('aFavor') }
      return Object.values(cambios).some((cambio) => diferencia(cambio) !== 0n) ? [{ periodo, ...cambios }] : []
    })
}

const NADA = { acreditable: 0n, saldoAnterior: 0n, aCargo: 0n, aFavor: 0n }

/** Above zero: it is more than it was. */
export const diferencia = ({ antes, despues }: Cambio): Centavos => despues - antes

/** For whoever makes a return of it. */
export const toDetalle = ({ periodo, acreditable, aCargo, aFavor }: Complementaria) => ({
  periodo: formatPeriodo(periodo),
  ivaAcreditable: importes(acreditable),
  aCargo: importes(aCargo),
  aFavor: importes(aFavor),
})

const importes = (cambio: Cambio) => ({
  antes: formatCentavos(cambio.antes),
  despues: formatCentavos(cambio.despues),
  diferencia: formatCentavos(diferencia(cambio)),
})
