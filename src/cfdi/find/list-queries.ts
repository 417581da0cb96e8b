import { type RawBuilder, sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { PLANNED_ANEW } from '../../db/planned-anew.ts'
import { allOf, conditions, countingIn, plainConditions, typedConditions } from './filter-queries.ts'
import { type Order, orderOf } from './order-queries.ts'
import type { CfdiFilter, Criterio } from './schemas.ts'

export interface Page {
  orden?: readonly Criterio[] | undefined
  /** Id of the last row that was shown. */
  after?: string | undefined
  limit: number
}

/**
 * A page of the list, newest first unless `orden` says otherwise, as JSON text: PostgreSQL writes it faster than it could
 * be taken apart and put together again here. `last` is the id of its last row when more follow.
 */
export async function listCfdis(db: TenantSql, filter: CfdiFilter, { orden, after, limit }: Page) {
  const order = orderOf(orden)
  const plan = { order, where: plainConditions(filter), after: after === undefined ? sql`true` : order.after(after) }
  // A row is a line: row_to_json escapes every line break inside of it. That takes the server, which a page is bound
  // by, half of what numbering the rows and building one array of them takes.
  const { rows } = await sql<{ lines: string | null; n: number }>`
    ${isAlike(filter, orden) ? sql`` : ANEW}select string_agg(row_to_json(d)::text, ${ROW_END}) as lines, count(*)::int as n
    from (${rowsOf(filter, plan, limit + 1)}) d`.execute(db)
  const { lines, n } = rows[0] ?? { lines: null, n: 0 }
  if (lines === null || n <= limit) return { datos: `[${lines ?? ''}]`, last: undefined }
  const shown = lines.slice(0, lines.lastIndexOf(ROW_END))
  const last = JSON.parse(shown.slice(shown.lastIndexOf('\n') + 1)) as { uuid: string }
  return { datos: `[${shown}]`, last: last.uuid }
}

interface Plan {
  readonly order: Order
  /** All but what takes a way of its own. */
  readonly where: readonly RawBuilder<unknown>[]
  /** What follows the page before. */
  readonly after: RawBuilder<unknown>
}

const ROW_END = ',\n'
const ANEW = sql.raw(PLANNED_ANEW)

/** What a row of the list says, of `cfdis c`. */
export const RESUMEN = sql.raw(`
  c.uuid_fiscal as uuid, c.version, c.tipo, c.direccion, c.serie, c.folio, c.fecha_emision as "fechaEmision",
  c.rfc_emisor as "rfcEmisor", c.nombre_emisor as "nombreEmisor",
  c.rfc_receptor as "rfcReceptor", c.nombre_receptor as "nombreReceptor",
  round(c.subtotal, 2)::text as subtotal, round(c.descuento, 2)::text as descuento, round(c.iva, 2)::text as iva,
  round(c.isr_retenido, 2)::text as "isrRetenido", round(c.iva_retenido, 2)::text as "ivaRetenido",
  round(c.total, 2)::text as total, c.moneda, trim_scale(c.tipo_cambio)::text as "tipoCambio",
  c.metodo_pago as "metodoPago", c.forma_pago as "formaPago", c.uso_cfdi as "usoCfdi", c.estado,
  c.fecha_cancelacion as "fechaCancelacion", c.avisos, c.complementos, c.carga_id as carga`)

function rowsOf(filter: CfdiFilter, plan: Plan, limit: number): RawBuilder<unknown> {
  const typed = typedConditions(filter)
  if (typed.length > 0) return typedRows(filter, plan, typed, limit)
  if (isEitherSide(filter))
    return sql`select ${RESUMEN} from (${inOrder('c.*', filter, plan, limit)}) c order by ${plan.order.by('c')}`
  return inOrder(RESUMEN, filter, plan, limit)
}

const isEitherSide = ({ rfc, direccion }: CfdiFilter) => rfc !== undefined && direccion === undefined

/**
 * The first `limit` rows. An RFC on either side is two sets that have nothing in common, each found in order by an index
 * of its own; with `or` the server would have to choose between reading the whole list and sorting all that it finds.
 */
function inOrder(columns: RawBuilder<unknown> | 'c.*', filter: CfdiFilter, plan: Plan, limit: number) {
  const shown = columns === 'c.*' ? sql.raw(columns) : columns
  const { rfc } = filter
  if (rfc === undefined || !isEitherSide(filter)) return firstRows(shown, filter, plan, limit)
  const side = (own: RawBuilder<unknown>) => firstRows(shown, filter, { ...plan, where: [own, ...plan.where] }, limit)
  return sql`select c.* from (
    (${side(sql`c.rfc_emisor = ${rfc}`)}) union all
    (${side(sql`c.rfc_receptor = ${rfc} and c.rfc_emisor <> ${rfc}`)})
  ) c order by ${plan.order.by('c')} limit ${limit}`
}

function firstRows(shown: RawBuilder<unknown>, filter: CfdiFilter, plan: Plan, limit: number): RawBuilder<unknown> {
  const { order, where, after } = plan
  const { cuentaEn, sinRep, ...rest } = filter
  const alone = asked(rest).length === 0
  // The movement of an invoice has its date: theirs is an index of nothing but these, in the order of the list.
  if (alone && sinRep && !cuentaEn && order.byFecha)
    return sql`select ${shown} from (
        select c.* from (
          select m.fecha as fecha_emision, m.uuid_fiscal from movimientos m where m.motivo = 'ppd_sin_pago'
        ) c where ${after} order by ${order.by('c')}
      ) m cross join lateral (${BY_ID('m')}) c
      where ${allOf(plainConditions(rest))} order by ${order.by('m')} limit ${limit}`
  // Joined, the server would walk the whole list and ask of each whether it is one of these.
  if (alone && cuentaEn && !sinRep)
    return sql`select ${shown} from (select distinct i.uuid_fiscal from (${countingIn(cuentaEn)}) i) i
      cross join lateral (${BY_ID('i')}) c
      where ${allOf([...plainConditions(rest), after])} order by ${order.by('c')} limit ${limit}`
  return sql`select ${shown} from cfdis c where ${allOf([...where, after])} order by ${order.by('c')} limit ${limit}`
}

/** Each looked up by its id. A list of ids (`= any`) takes the square of their number once they are many. */
const BY_ID = (ids: string) => sql.raw(`select c.* from cfdis c where c.uuid_fiscal = ${ids}.uuid_fiscal offset 0`)

/**
 * Rows whose texts hold what was typed. What is common is found among the first rows of the list in no time, what is
 * rare by the trigram index, and no statistics can tell one from the other: a word nobody has ever used would send the
 * server through the whole list, and one that is in every text to sort all of them. So the first rows are looked through
 * until they fill the page, and only when they do not, all that the index finds. In an order that no index has, there are
 * no first rows without sorting all, and the trigram index goes first.
 */
function typedRows(
  filter: CfdiFilter,
  plan: Plan,
  typed: readonly RawBuilder<unknown>[],
  limit: number,
): RawBuilder<unknown> {
  const { order, after } = plan
  if (!order.indexed)
    return sql`select ${RESUMEN} from cfdis c where ${allOf([...conditions(filter), after])}
      order by ${order.by('c')} limit ${limit}`
  const first = inOrder('c.*', filter, plan, LOOKED_THROUGH)
  // `offset 0`: each row is looked up by its id. Joined, the server might ask the trigram index for all first.
  return sql`
    with cerca as materialized (
      select c.* from (${first}) c cross join lateral (
        select from cfdi_busqueda b where b.uuid_fiscal = c.uuid_fiscal and ${allOf(typed)} offset 0
      ) b
      order by ${order.by('c')} limit ${limit}
    ), bastan as materialized (
      select (select count(*) from cerca) = ${limit} or (select count(*) from (${first}) c) < ${LOOKED_THROUGH} as si
    )
    select ${RESUMEN} from (
      (select c.* from cerca c where (select si from bastan))
      union all
      (select c.* from (
          select b.uuid_fiscal from cfdi_busqueda b where not (select si from bastan) and ${allOf(typed)}
        ) i cross join lateral (${BY_ID('i')}) c
        where ${allOf([...conditions({ ...filter, nombre: undefined, uuid: undefined, q: undefined }), after])}
        order by ${order.by('c')} limit ${limit})
    ) c order by ${order.by('c')} limit ${limit}`
}

const LOOKED_THROUGH = 2_000

/**
 * Whether one plan is best whatever the values: the index of one column gives its rows in the order of the list. Where
 * amounts, lists and several conditions meet, it depends, and the plan that a session keeps may be the wrong one.
 */
function isAlike(filter: CfdiFilter, orden: Page['orden']): boolean {
  const names = asked(filter)
  return orden === undefined && names.length <= 1 && !names.some((name) => DEPENDENT.has(name))
}

/** What a filter asks, but for dates, which every index of the list knows. */
const asked = ({ periodo, desde, hasta, ...filter }: CfdiFilter): string[] =>
  Object.keys(filter).filter((name) => filter[name as keyof typeof filter] !== undefined)

const DEPENDENT: ReadonlySet<string> = new Set(['montoMin', 'montoMax', 'aviso', 'complemento', 'cuentaEn'])
