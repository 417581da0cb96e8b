import { type RawBuilder, sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { PLANNED_ANEW } from '../../db/planned-anew.ts'
import { allOf, plainConditions, typedConditions } from './filter-queries.ts'
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
  const plan = { order, where: [...plainConditions(filter), ...(after === undefined ? [] : [order.after(after)])] }
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
function inOrder(
  columns: RawBuilder<unknown> | 'c.*',
  filter: CfdiFilter,
  { order, where }: Plan,
  limit: number,
): RawBuilder<unknown> {
  const shown = columns === 'c.*' ? sql.raw(columns) : columns
  const rows = (...more: RawBuilder<unknown>[]) =>
    sql`select ${shown} from cfdis c where ${allOf([...more, ...where])} order by ${order.by('c')} limit ${limit}`
  const { rfc } = filter
  if (rfc === undefined || !isEitherSide(filter)) return rows()
  return sql`select c.* from (
    (${rows(sql`c.rfc_emisor = ${rfc}`)}) union all
    (${rows(sql`c.rfc_receptor = ${rfc}`, sql`c.rfc_emisor <> ${rfc}`)})
  ) c order by ${order.by('c')} limit ${limit}`
}

/**
 * Rows whose texts hold what was typed. What is common is found among the first rows of the list in no time, what is
 * rare by the trigram index, and no statistics can tell one from the other: a word nobody has ever used would send the
 * server through the whole list, and one that is in every text to sort all of them. So the first rows are looked through
 * until they fill the page, and only when they do not, all that the index finds.
 */
function typedRows(
  filter: CfdiFilter,
  plan: Plan,
  typed: readonly RawBuilder<unknown>[],
  limit: number,
): RawBuilder<unknown> {
  const { order, where } = plan
  const { rfc } = filter
  const sides =
    rfc !== undefined && isEitherSide(filter) ? [sql`(c.rfc_emisor = ${rfc} or c.rfc_receptor = ${rfc})`] : []
  const first = inOrder('c.*', filter, plan, LOOKED_THROUGH)
  // `offset 0`: each row is looked up by its id. Joined, the server might ask the trigram index for all first.
  return sql`
    with cerca as materialized (
      select c.* from (${first}) c cross join lateral (
        select from cfdi_busqueda b where b.uuid_fiscal = c.uuid_fiscal and ${allOf(typed)} offset 0
      ) b
      order by ${order.by('c')} limit ${limit}
    ), todas as materialized (
      select array(
        select b.uuid_fiscal from cfdi_busqueda b
        where (select count(*) from cerca) < ${limit}
          and (select count(*) from (${first}) c) = ${LOOKED_THROUGH}
          and ${allOf(typed)}
      ) as uuids
    )
    select ${RESUMEN} from (
      (select c.* from cerca c where (select cardinality(uuids) from todas) = 0)
      union all
      (select c.* from cfdis c where c.uuid_fiscal = any((select uuids from todas)::uuid[])
        and ${allOf([...sides, ...where])} order by ${order.by('c')} limit ${limit})
    ) c order by ${order.by('c')}`
}

const LOOKED_THROUGH = 2_000

/**
 * Whether one plan is best whatever the values: the index of one column gives its rows in the order of the list. Where
 * amounts, lists and several conditions meet, it depends, and the plan that a session keeps may be the wrong one.
 */
function isAlike({ periodo, desde, hasta, ...filter }: CfdiFilter, orden: Page['orden']): boolean {
  const asked = Object.keys(filter).filter((name) => filter[name as keyof typeof filter] !== undefined)
  return orden === undefined && asked.length <= 1 && !asked.some((name) => DEPENDENT.has(name))
}

const DEPENDENT: ReadonlySet<string> = new Set(['montoMin', 'montoMax', 'aviso', 'complemento', 'cuentaEn'])
