import type { z } from 'zod'
import { type Centavos, formatCentavos, parseCentavos } from '../../fiscal/money.ts'
import type { CfdiTotales } from './schemas.ts'
import type { Grupo } from './totals-queries.ts'

/**
 * The answer about a filtered set: its groups, and what invoices less credit notes come to. What somebody else issued in
 * the company's name is in the groups, because the list shows it, and not in the net: it is no income of the company.
 */
export function totalesOf(grupos: readonly Grupo[]): z.input<typeof CfdiTotales> {
  const inState = (estado: Grupo['estado']) =>
    [
      ...Map.groupBy(
        grupos.filter((grupo) => grupo.estado === estado),
        ({ direccion, tipo }) => `${direccion} ${tipo}`,
      ).values(),
    ].map((alike) => ({ direccion: alike[0]!.direccion, tipo: alike[0]!.tipo, ...sumOf(alike) })) as z.input<
      typeof CfdiTotales
    >['vigentes']
  const neto = (direccion: Grupo['direccion']) => {
    const own = grupos.filter(
      (grupo) => grupo.direccion === direccion && grupo.estado === 'vigente' && !grupo.cuentaTerceros,
    )
    return sumOf(
      own.filter(({ tipo }) => tipo === 'I'),
      own.filter(({ tipo }) => tipo === 'E'),
    )
  }
  return {
    cfdis: grupos.reduce((count, { cfdis }) => count + cfdis, 0),
    vigentes: inState('vigente'),
    cancelados: inState('cancelado'),
    neto: { emitidos: neto('emitido'), recibidos: neto('recibido') },
  }
}

/** How many, and what `more` come to without `less`. */
function sumOf(more: readonly Grupo[], less: readonly Grupo[] = []) {
  const sum = (of: readonly Grupo[], name: (typeof IMPORTES)[number]): Centavos =>
    of.reduce((total, grupo) => total + parseCentavos(grupo[name]), 0n)
  return {
    cfdis: [...more, ...less].reduce((count, { cfdis }) => count + cfdis, 0),
    ...(Object.fromEntries(IMPORTES.map((name) => [name, formatCentavos(sum(more, name) - sum(less, name))])) as Record<
      (typeof IMPORTES)[number],
      string
    >),
  }
}

const IMPORTES = ['subtotal', 'descuento', 'iva', 'ieps', 'isrRetenido', 'ivaRetenido', 'total'] as const
