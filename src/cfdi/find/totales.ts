import type { z } from 'zod'
import { type Centavos, formatCentavos, parseCentavos } from '../../fiscal/money.ts'
import type { CfdiTotales } from './schemas.ts'
import type { Grupo } from './totals-queries.ts'

/** The answer about a filtered set: its groups, and what invoices less credit notes come to. */
export function totalesOf(grupos: readonly Grupo[]): z.input<typeof CfdiTotales> {
  const inState = (estado: Grupo['estado']) =>
    grupos.filter((grupo) => grupo.estado === estado).map(({ estado: _, ...grupo }) => grupo) as z.input<
      typeof CfdiTotales
    >['vigentes']
  const vigentes = inState('vigente')
  const neto = (direccion: Grupo['direccion']) => {
    const own = vigentes.filter((grupo) => grupo.direccion === direccion)
    const [facturas, notas] = ['I', 'E'].map((tipo) => own.find((grupo) => grupo.tipo === tipo))
    const less = (name: (typeof IMPORTES)[number]): Centavos =>
      parseCentavos(facturas?.[name] ?? '0.00') - parseCentavos(notas?.[name] ?? '0.00')
    return {
      cfdis: (facturas?.cfdis ?? 0) + (notas?.cfdis ?? 0),
      ...(Object.fromEntries(IMPORTES.map((name) => [name, formatCentavos(less(name))])) as Record<
        (typeof IMPORTES)[number],
        string
      >),
    }
  }
  return {
    cfdis: grupos.reduce((count, { cfdis }) => count + cfdis, 0),
    vigentes,
    cancelados: inState('cancelado'),
    neto: { emitidos: neto('emitido'), recibidos: neto('recibido') },
  }
}

const IMPORTES = ['subtotal', 'descuento', 'iva', 'ieps', 'isrRetenido', 'ivaRetenido', 'total'] as const
