import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'

/** CFDI of one kind that were issued from one second to another, both in it. */
export interface Tramo {
  readonly servicio: 'cfdi' | 'retenciones'
  readonly direccion: 'emitido' | 'recibido'
  /** `YYYY-MM-DDTHH:MM:SS`. */
  readonly desde: string
  readonly hasta: string
}

export interface Faltan {
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  ejercicio: number
  mes: number
  faltan: number
  /** Listed too and not here, of `porLlegar`. */
  porLlegar: number
}

/**
 * "Faltan N", by service, direction and month of issue, the latest first, apart from what is still to come: `porLlegar`, of
 * which no two overlap. Sums are kept by month, and only of months that are partly to come the rows are counted. One
 * statement: what comes between two would be missing for a moment.
 */
export async function countFaltan(db: TenantSql, porLlegar: readonly Tramo[] = []): Promise<Faltan[]> {
  const { rows } = await sql<Faltan>`
    select servicio, direccion, extract(year from mes)::int as ejercicio, extract(month from mes)::int as mes,
      n - llegan as faltan, llegan as "porLlegar"
    from (
      select f.servicio, f.direccion, f.mes, f.n, coalesce(sum(
        case
          when t.desde <= f.mes and t.hasta >= f.mes + interval '1 month' - interval '1 second' then f.n
          when t.desde is not null then (
            select count(*) from sat_metadata m
            where m.falta and m.servicio = f.servicio and m.direccion = f.direccion
              and m.fecha_emision >= greatest(t.desde, f.mes::timestamp)
              and m.fecha_emision < least(t.hasta + interval '1 second', f.mes + interval '1 month'))
        end), 0)::int as llegan
      from sat_faltan f
      left join ${tramosOf(porLlegar)} on ${MEETS}
      where f.n > 0
      group by f.servicio, f.direccion, f.mes, f.n
    ) c
    order by c.mes desc, servicio, direccion`.execute(db)
  return rows
}

/**
 * As rows `t`, each from the first to the last month in which anything is listed and not here, and none of which there is
 * nothing: to look for a few certificates of withholding a million invoices would be read.
 */
export const tramosConFaltantes = (tramos: readonly Tramo[]) => sql`(
  select t.servicio, t.direccion, greatest(t.desde, min(f.mes)) as desde,
    least(t.hasta, max(f.mes) + interval '1 month' - interval '1 second') as hasta
  from ${tramosOf(tramos)} join sat_faltan f on f.n > 0 and ${MEETS}
  group by t.servicio, t.direccion, t.desde, t.hasta) t`

const tramosOf = (tramos: readonly Tramo[]) => sql`
  jsonb_to_recordset(${JSON.stringify(tramos)}::text::jsonb)
    as t(servicio text, direccion text, desde timestamp, hasta timestamp)`

/** Some of the month is in it. */
const MEETS = sql`t.servicio = f.servicio and t.direccion = f.direccion
  and t.desde < f.mes + interval '1 month' and t.hasta >= f.mes`
