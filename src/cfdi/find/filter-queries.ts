import { type RawBuilder, sql } from 'kysely'
import { limitsOf, type Periodo } from '../../fiscal/periodo.ts'
import { fold } from './fold.ts'
import type { CfdiFilter } from './schemas.ts'

type Condition = RawBuilder<unknown>

/** What a filter asks of `cfdis c`. They hold together; none is all of them. */
export function conditions(filter: CfdiFilter): Condition[] {
  const { rfc } = filter
  const typed = typedConditions(filter)
  return [
    ...plainConditions(filter),
    ...(rfc === undefined || filter.direccion !== undefined
      ? []
      : [sql`(c.rfc_emisor = ${rfc} or c.rfc_receptor = ${rfc})`]),
    ...(typed.length === 0
      ? []
      : [sql`c.uuid_fiscal in (select b.uuid_fiscal from cfdi_busqueda b where ${allOf(typed)})`]),
  ]
}

/** Those of the columns, without the RFC of either side, which is two sets, and without what is searched in texts. */
export function plainConditions(filter: CfdiFilter): Condition[] {
  const { periodo, desde, hasta, cuentaEn, tipo, direccion, rfc, serie, folio, montoMin, montoMax, estado } = filter
  const found: Condition[] = []
  const wanted = (value: unknown, condition: () => Condition) => {
    if (value !== undefined) found.push(condition())
  }
  if (periodo) {
    const month = limitsOf(periodo)
    found.push(sql`c.fecha_emision between ${month.desde}::timestamp and ${month.hasta}::timestamp`)
  }
  wanted(desde, () => sql`c.fecha_emision >= ${desde}::timestamp`)
  wanted(hasta, () => sql`c.fecha_emision < ${hasta}::timestamp + interval '1 day'`)
  // Words of ours stand in the statement itself: which plan is best depends on them, and some indexes hold one value only.
  wanted(tipo, () => sql`c.tipo in (${sql.join((tipo ?? []).map((one) => sql.lit(one)))})`)
  wanted(estado, () => sql`c.estado = ${sql.lit(estado)}`)
  wanted(direccion, () => sql`c.direccion = ${sql.lit(direccion === 'emitidos' ? 'emitido' : 'recibido')}`)
  if (rfc !== undefined && direccion !== undefined)
    // With the side known one column says it all, and its index gives the rows in order.
    found.push(direccion === 'emitidos' ? sql`c.rfc_receptor = ${rfc}` : sql`c.rfc_emisor = ${rfc}`)
  for (const [column, name] of EXACT) wanted(filter[name], () => sql`${sql.ref(`c.${column}`)} = ${filter[name]}`)
  wanted(serie, () => sql`lower(c.serie) = ${serie?.toLowerCase()}`)
  if (folio !== undefined) found.push(folioIs(folio))
  wanted(montoMin, () => sql`c.total >= ${montoMin}::numeric`)
  wanted(montoMax, () => sql`c.total <= ${montoMax}::numeric`)
  if (cuentaEn) found.push(sql`c.uuid_fiscal in (${countingIn(cuentaEn)})`)
  wanted(
    filter.sinRep,
    () => sql`c.metodo_pago = 'PPD' and c.uuid_fiscal in (
      select m.uuid_fiscal from movimientos m where m.motivo = 'ppd_sin_pago')`,
  )
  wanted(filter.conAvisos, () => sql`c.avisos <> '{}'`)
  wanted(filter.aviso, () => sql`c.avisos <> '{}' and c.avisos && ${filter.aviso}::text[]`)
  wanted(
    filter.complemento,
    () => sql`c.complementos <> '{}' and c.complementos @> array[${filter.complemento}]::text[]`,
  )
  return found
}

/** Ids of what counts in a month, some of them twice. */
export const countingIn = ({ ejercicio, mes }: Periodo): Condition => sql`select m.uuid_fiscal from movimientos m
  where m.ejercicio = ${ejercicio} and m.mes = ${mes} and m.efecto = 'cuenta'`

/**
 * What is searched in `cfdi_busqueda b`. Every part is a pattern of its own, so that `perez juan` finds Juan Pérez, and
 * long enough for the trigram index to help.
 */
export function typedConditions({ nombre, uuid, q }: CfdiFilter): Condition[] {
  const found: Condition[] = []
  if (nombre !== undefined) found.push(...each(nombre, (part) => sql`b.texto like ${part} and b.nombres like ${part}`))
  if (uuid !== undefined) found.push(ofUuid(uuid))
  if (q !== undefined) {
    const hex = q.replaceAll('-', '').toLowerCase()
    if (/^[0-9a-f]{32}$/.test(hex)) found.push(sql`b.uuid_fiscal = ${hex}::uuid`)
    else {
      const words = each(q, (part) => sql`b.texto like ${part}`)
      // While a folio fiscal is typed, a letter or two stand behind its last dash: words apart they are in no text.
      const isFragment = /^[0-9a-f]{4,32}$/.test(hex) && hex.length < q.length
      found.push(...(isFragment ? [sql`(${allOf(words)} or b.texto like ${like(hex)})`] : words))
    }
  }
  return found
}

export const allOf = (all: readonly Condition[]): Condition => sql.join([sql`true`, ...all], sql` and `)

const EXACT = [
  ['metodo_pago', 'metodo'],
  ['forma_pago', 'forma'],
  ['uso_cfdi', 'uso'],
  ['moneda', 'moneda'],
  ['carga_id', 'carga'],
] as const satisfies readonly (readonly [string, keyof CfdiFilter])[]

// The text may hold these characters elsewhere, in an amount of a concept: the index finds candidates, the id decides.
function ofUuid(hex: string): Condition {
  if (hex.length === 32) return sql`b.uuid_fiscal = ${hex}::uuid`
  return sql`b.texto like ${like(hex)} and replace(b.uuid_fiscal::text, '-', '') like ${like(hex)}`
}

/** The folio, or serie and folio, whatever a person puts between them. Every way to cut it is one folio to look up. */
function folioIs(text: string): Condition {
  const whole = text.toLowerCase()
  const cuts = Array.from({ length: whole.length }, (_, at) => whole.slice(at))
  // What stands between may be all of its own, or end the series: `B-10` of the series B, or of the series `B-`.
  const joined = [...whole.matchAll(/[\s-]+/g)].flatMap(({ 0: gap, index }) =>
    Array.from(gap, (_, kept) => whole.slice(0, index + kept) + whole.slice(index + gap.length)),
  )
  return sql`lower(c.folio) = any(${cuts}::text[])
    and (lower(c.folio) = ${whole} or lower(c.serie) || lower(c.folio) = any(${[whole, ...joined]}::text[]))`
}

/** A condition for every part of what was typed. Of punctuation alone nothing is left, and nothing is found by it. */
function each(text: string, condition: (pattern: string) => Condition): Condition[] {
  const parts = partsOf(text)
  return parts.length === 0 ? [sql`false`] : parts.map((part) => condition(like(part)))
}

/** Words, short ones with their neighbours: `F 123`, `de la cruz`. Alone they would be in every text. */
function partsOf(text: string): string[] {
  const parts: string[] = []
  for (const word of fold(text).split(' ').filter(Boolean)) {
    const last = parts.at(-1)
    if (last !== undefined && last.length < 3) parts[parts.length - 1] = `${last} ${word}`
    else parts.push(word)
  }
  const last = parts.at(-1) ?? ''
  return parts.length > 1 && last.length < 3 ? [...parts.slice(0, -2), `${parts.at(-2)} ${last}`] : parts
}

/** Folded, a part has letters, digits and single spaces: nothing that LIKE reads as more than itself. */
const like = (part: string): string => `%${part}%`
