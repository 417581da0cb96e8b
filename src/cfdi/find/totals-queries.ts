import { type RawBuilder, sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { PLANNED_ANEW } from '../../db/planned-anew.ts'
import { allOf, conditions } from './filter-queries.ts'
import type { CfdiFilter } from './schemas.ts'

/** What CFDI of one kind come to, in pesos. */
export interface Grupo {
  direccion: 'emitido' | 'recibido'
  tipo: string
  estado: 'vigente' | 'cancelado'
  /** Issued by somebody else in the company's name. */
  cuentaTerceros: boolean
  cfdis: number
  subtotal: string
  descuento: string
  iva: string
  ieps: string
  isrRetenido: string
  ivaRetenido: string
  total: string
}

/**
 * Sums of all that a filter finds, by direction, type, state and whose it is. Each CFDI is converted by its own rate and rounded to
 * the centavo once, so that they are the sums of what a column of an export shows.
 */
export async function sumCfdis(db: TenantSql, filter: CfdiFilter): Promise<Grupo[]> {
  const { rows } = await sql<Grupo>`${sql.raw(PLANNED_ANEW)}
    select c.direccion, c.tipo, c.estado, c.cuenta_terceros as "cuentaTerceros", count(*)::int as cfdis,
      ${sum('subtotal')} as subtotal, ${sum('descuento')} as descuento, ${sum('iva')} as iva, ${sum('ieps')} as ieps,
      ${sum('isr_retenido')} as "isrRetenido", ${sum('iva_retenido')} as "ivaRetenido", ${sum('total')} as total
    from cfdis c
    where ${allOf(conditions(filter))}
    group by c.direccion, c.tipo, c.estado, c.cuenta_terceros
    order by c.direccion, c.tipo, c.estado, c.cuenta_terceros`.execute(db)
  return rows
}

// Pesos are multiplied by nothing: seven products of a million rows each are seconds.
const sum = (column: string): RawBuilder<string> =>
  sql.raw(`coalesce(sum(round(case when c.moneda = 'MXN' or c.tipo_cambio is null then c.${column}
    else c.${column} * c.tipo_cambio end, 2)), 0.00)::text`)
