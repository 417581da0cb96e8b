import { createHash } from 'node:crypto'
import { formatPeriodo } from '../../fiscal/periodo.ts'
import { CfdiFilter, type Criterio } from './schemas.ts'

/**
 * A filter and an order as the query of their address: the saved view. The same filter has one text, however it was
 * typed, and reading it gives the same filter.
 */
export function queryOf(filter: CfdiFilter, orden?: readonly Criterio[]): string {
  const pairs = Object.keys(CfdiFilter.shape).flatMap((name): [string, string][] => {
    const value = filter[name as keyof CfdiFilter]
    return value === undefined ? [] : [[name, textOf(value)]]
  })
  if (orden) pairs.push(['orden', orden.map(({ columna, desc }) => `${desc ? '-' : ''}${columna}`).join(',')])
  // A comma needs no escape in a query, and people read these.
  return new URLSearchParams(pairs).toString().replaceAll('%2C', ',')
}

/** What a cursor belongs to: another list, order or company does not take it. */
export function listOf(tenantId: string, filter: CfdiFilter, orden?: readonly Criterio[]): string {
  return createHash('sha256')
    .update(`${tenantId}?${queryOf(filter, orden)}`)
    .digest('base64url')
    .slice(0, 16)
}

function textOf(value: NonNullable<CfdiFilter[keyof CfdiFilter]>): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'object' ? formatPeriodo(value as Exclude<typeof value, readonly string[]>) : `${value}`
}
