import type { Document } from '../document.ts'
import { cobros } from './cobros.ts'
import { compras, comprasDiferidas } from './compras.ts'
import { createDesk, monthBefore } from './desk.ts'
import { creditosDeOtros, entreOtros, nomina, retenciones } from './otros.ts'
import { ventas, ventasDiferidas } from './ventas.ts'

/**
 * Everything that is issued in a month (`YYYY-MM`) of a universe that begins with the month `desde`: oldest first, ties by
 * folio fiscal. It depends on nothing but these, least of all on what day it is.
 */
export function documentsOf(seed: string, mes: string, desde: string): Document[] {
  if (mes < desde) return []
  const desk = createDesk(seed, mes)
  const earlier = [monthBefore(mes), monthBefore(mes, 2)].filter((one) => one >= desde)
  const documents = [
    ...ventas(desk, earlier[0]),
    ...compras(desk, earlier[0]),
    ...nomina(desk),
    ...retenciones(desk),
    ...entreOtros(desk),
    ...[ventasDiferidas, comprasDiferidas, creditosDeOtros].flatMap((of) => cobros(desk, earlier, of)),
  ]
  return documents.sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

const key = ({ fecha, uuid }: Document): string => `${fecha}/${uuid}`
