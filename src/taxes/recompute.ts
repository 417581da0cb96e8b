import type { TenantTx } from '../db/databases.ts'
import { comparePeriodos, type Periodo } from '../fiscal/periodo.ts'
import { type Apertura, arrastreHacia, baseIva, ivaMensual, type MesIva } from './iva.ts'
import { deleteMonths, findMonthBefore, findReducidos, lockMonths, saveMonths, sumMonths } from './queries.ts'

/**
 * Adds up these months anew from their movements, and carries what they leave through every later month. Each month is
 * computed once, however many of its CFDI changed. The caller's transaction has written the movements already.
 */
export async function recomputeIva(trx: TenantTx, periodos: readonly Periodo[], apertura: Apertura): Promise<void> {
  const touched = distinct(periodos)
  const [first] = touched
  if (!first) return
  // Lock before summing: two uploads to one month would each sum without the other's CFDI, and the
  // second to commit would overwrite the first with a total that misses it.
  const locked = await lockMonths(trx, touched)
  const sums = await sumMonths(trx, touched)
  const reducidos = await findReducidos(trx, touched)

  let previous = await findMonthBefore(trx, first)
  const changed: MesIva[] = []
  const emptied: Periodo[] = []
  for (const stored of locked) {
    const { periodo } = stored
    const isTouched = touched.some((one) => comparePeriodos(one, periodo) === 0)
    const own = sums.filter((one) => comparePeriodos(one.periodo, periodo) === 0).map(({ suma }) => suma)
    if (isTouched && own.length === 0) {
      // As if it had never had a movement: what is stored says what there is, not what there was.
      emptied.push(periodo)
      continue
    }
    const gastos = reducidos.filter((one) => comparePeriodos(one.periodo, periodo) === 0).map(({ gasto }) => gasto)
    const base = isTouched ? baseIva(own, gastos) : stored.base
    const mes: MesIva = { periodo, base, iva: ivaMensual(base, arrastreHacia(periodo, previous, apertura)) }
    if (isTouched || !sameResult(mes, stored)) changed.push(mes)
    previous = mes
  }
  await saveMonths(trx, changed)
  await deleteMonths(trx, emptied)
}

// A later month changes only by what reaches it, and everything in it follows from these two.
const sameResult = ({ iva: a }: MesIva, { iva: b }: MesIva): boolean =>
  a.saldoAFavorAnterior === b.saldoAFavorAnterior && a.ivaRetenidoMesAnterior === b.ivaRetenidoMesAnterior

function distinct(periodos: readonly Periodo[]): Periodo[] {
  return periodos
    .toSorted(comparePeriodos)
    .filter((periodo, i, all) => i === 0 || comparePeriodos(periodo, all[i - 1]!) !== 0)
}
