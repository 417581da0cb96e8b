import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../db/databases.ts'
import { parseCentavos } from '../fiscal/money.ts'
import { type Periodo, periodoOf } from '../fiscal/periodo.ts'
import type { GastoReducido } from './acreditable.ts'
import type { Apertura, MesIva, SumaIva } from './iva.ts'
import { COLUMNS, fromRow, type MonthRow, toRow } from './month-row.ts'
import { IMPORTES } from './movimiento.ts'

/** The fiscal configuration that IVA depends on. */
export async function findConfiguracion(
  db: TenantSql,
): Promise<{ apertura: Apertura; politicaEgresos: PoliticaEgresos }> {
  const row = await db
    .selectFrom('configuracion_fiscal')
    .select(['saldo_a_favor_inicial', 'saldo_desde', 'politica_egresos'])
    .executeTakeFirstOrThrow()
  const desde = row.saldo_desde === null ? null : periodoOf(row.saldo_desde)
  return {
    apertura: { saldoAFavor: parseCentavos(row.saldo_a_favor_inicial), desde },
    politicaEgresos: row.politica_egresos,
  }
}

type PoliticaEgresos = 'saldo-primero' | 'por-metodo-del-egreso'

/**
 * Makes the rows of these months where they are missing, locks every month from the first of them on, in order, and
 * returns those. Later months are locked too: what a month leaves changes them.
 */
export async function lockMonths(trx: TenantTx, periodos: readonly Periodo[]): Promise<MesIva[]> {
  const json = JSON.stringify(periodos)
  await sql`
    insert into iva_mensual (ejercicio, mes)
    select ejercicio, mes from jsonb_to_recordset(${json}::text::jsonb) as p(ejercicio int, mes int)
    order by ejercicio, mes
    on conflict do nothing`.execute(trx)
  const { rows } = await sql<MonthRow>`
    select * from iva_mensual
    where (ejercicio, mes) >= (
      select ejercicio, mes from jsonb_to_recordset(${json}::text::jsonb) as p(ejercicio int, mes int)
      order by ejercicio, mes limit 1)
    order by ejercicio, mes
    for update`.execute(trx)
  return rows.map(fromRow)
}

/** The last month with movements before this one. */
export async function findMonthBefore(db: TenantSql, { ejercicio, mes }: Periodo): Promise<MesIva | undefined> {
  const { rows } = await sql<MonthRow>`
    select * from iva_mensual where (ejercicio, mes) < (${ejercicio}::int, ${mes}::int)
    order by ejercicio desc, mes desc limit 1`.execute(db)
  return rows[0] && fromRow(rows[0])
}

export async function findMonth(
  db: TenantSql,
  { ejercicio, mes }: Periodo,
): Promise<(MesIva & { calculadoEn: Date }) | undefined> {
  const { rows } = await sql<MonthRow & { calculado_en: Date }>`
    select * from iva_mensual where ejercicio = ${ejercicio} and mes = ${mes}`.execute(db)
  return rows[0] && { ...fromRow(rows[0]), calculadoEn: rows[0].calculado_en }
}

/**
 * The movements of these months added up by what they are for. What has no effect is left out. The sums are kept by
 * triggers of movimientos: a month of forty thousand is read as fast as one of ten.
 */
export async function sumMonths(
  trx: TenantTx,
  periodos: readonly Periodo[],
): Promise<{ periodo: Periodo; suma: SumaIva }[]> {
  const { rows } = await sql<Record<string, string> & SumRow>`
    select s.*
    from jsonb_to_recordset(${JSON.stringify(periodos)}::text::jsonb) as p(ejercicio int, mes int)
    join movimientos_sumas s using (ejercicio, mes)
    where s.n > 0`.execute(trx)
  return rows.map((row) => {
    const importes = Object.fromEntries(IMPORTES.map((key) => [key, parseCentavos(row[COLUMNS[key]] ?? '0')]))
    const { ejercicio, mes, direccion, efecto, motivo } = row
    return { periodo: { ejercicio, mes }, suma: { ...importes, direccion, efecto, motivo } as SumaIva }
  })
}

/** The creditable expenses of these months that are not credited whole; those alike together. */
export async function findReducidos(
  trx: TenantTx,
  periodos: readonly Periodo[],
): Promise<{ periodo: Periodo; gasto: GastoReducido }[]> {
  const { rows } = await sql<ReducidoRow & Periodo>`
    select p.ejercicio, p.mes, r.*
    from jsonb_to_recordset(${JSON.stringify(periodos)}::text::jsonb) as p(ejercicio int, mes int)
    cross join lateral (
      select m.destino_iva, m.porcentaje_deducible::text, (m.iva16 + m.iva8 + m.iva_otra)::text as iva,
        m.iva_retenido::text, count(*)::int as veces
      from movimientos m
      where m.ejercicio = p.ejercicio and m.mes = p.mes and m.direccion = 'recibido' and m.efecto = 'cuenta'
        and (m.porcentaje_deducible <> 100 or m.destino_iva <> 'gravado')
      group by 1, 2, 3, 4
    ) r`.execute(trx)
  return rows.map((row) => ({
    periodo: { ejercicio: row.ejercicio, mes: row.mes },
    gasto: {
      destinoIva: row.destino_iva,
      porcentajeDeducible: parseCentavos(row.porcentaje_deducible),
      iva: parseCentavos(row.iva),
      ivaRetenido: parseCentavos(row.iva_retenido),
      veces: row.veces,
    },
  }))
}

interface ReducidoRow {
  destino_iva: GastoReducido['destinoIva']
  porcentaje_deducible: string
  iva: string
  iva_retenido: string
  veces: number
}

type SumRow = Pick<SumaIva, 'direccion' | 'efecto' | 'motivo'> & Periodo

/** Writes months that were locked. */
export async function saveMonths(trx: TenantTx, meses: readonly MesIva[]): Promise<void> {
  const rows = meses.map(toRow)
  const [first] = rows
  if (!first) return
  const columns = Object.keys(first).filter((column) => column !== 'ejercicio' && column !== 'mes')
  await sql`
    update iva_mensual m set ${sql.join(columns.map((column) => sql`${sql.ref(column)} = r.${sql.ref(column)}`))}, calculado_en = now()
    from jsonb_populate_recordset(null::iva_mensual, ${JSON.stringify(rows)}::text::jsonb) r
    where m.ejercicio = r.ejercicio and m.mes = r.mes`.execute(trx)
}

/** Forgets months that have no movements any more. */
export async function deleteMonths(trx: TenantTx, periodos: readonly Periodo[]): Promise<void> {
  if (periodos.length === 0) return
  await sql`
    delete from iva_mensual m
    using jsonb_to_recordset(${JSON.stringify(periodos)}::text::jsonb) as p(ejercicio int, mes int)
    where m.ejercicio = p.ejercicio and m.mes = p.mes`.execute(trx)
}

export interface MovimientosFilter extends Periodo {
  direccion?: 'emitido' | 'recibido' | undefined
  efecto?: 'cuenta' | 'no_acreditable' | 'sin_efecto' | undefined
  after?: { fecha: string; uuid: string; n: number } | undefined
  limit: number
}

/** The movements of a month in order of date. */
export async function listMovimientos(db: TenantSql, filter: MovimientosFilter) {
  const { ejercicio, mes, direccion, efecto, after, limit } = filter
  let query = movimientoRows(db).where('m.ejercicio', '=', ejercicio).where('m.mes', '=', mes)
  if (direccion) query = query.where('m.direccion', '=', direccion)
  if (efecto) query = query.where('m.efecto', '=', efecto)
  if (after) {
    query = query.where(
      sql<boolean>`(m.fecha, m.uuid_fiscal, m.n) > (${after.fecha}::timestamp, ${after.uuid}::uuid, ${after.n}::int)`,
    )
  }
  return query.orderBy('m.fecha').orderBy('m.uuid_fiscal').orderBy('m.n').limit(limit).execute()
}

/** What a CFDI did by itself, and what its payments and credit notes did to it. */
export function findMovimientosOf(db: TenantSql, uuid: string, { limit = 500 } = {}) {
  return movimientoRows(db)
    .where(isAbout(uuid))
    .orderBy('m.fecha')
    .orderBy('m.uuid_fiscal')
    .orderBy('m.n')
    .limit(limit)
    .execute()
}

/** What a CFDI did to each month, by itself and by its payments and credit notes: counted or not, with the reason. */
export async function sumMovimientosOf(db: TenantSql, uuid: string) {
  const { rows } = await sql<EfectoRow>`
    select m.ejercicio, m.mes, m.direccion, m.efecto, m.motivo, count(*)::int as movimientos,
      sum(m.total)::text as total, sum(m.iva16 + m.iva8 + m.iva_otra)::text as iva,
      sum(m.iva_retenido)::text as iva_retenido, sum(m.isr_retenido)::text as isr_retenido,
      sum(${ACREDITABLE})::text as iva_acreditable
    from movimientos m left join iva_mensual p on p.ejercicio = m.ejercicio and p.mes = m.mes
    where ${isAbout(uuid)}
    group by m.ejercicio, m.mes, m.direccion, m.efecto, m.motivo
    order by m.ejercicio, m.mes, m.efecto, m.motivo, m.direccion`.execute(db)
  return rows
}

interface EfectoRow {
  ejercicio: number
  mes: number
  direccion: 'emitido' | 'recibido'
  efecto: 'cuenta' | 'no_acreditable' | 'sin_efecto'
  motivo: string | null
  movimientos: number
  total: string
  iva: string
  iva_retenido: string
  isr_retenido: string
  iva_acreditable: string | null
}

const isAbout = (uuid: string) => sql<boolean>`(m.uuid_fiscal = ${uuid}::uuid or m.documento = ${uuid})`

const movimientoRows = (db: TenantSql) =>
  db
    .selectFrom('movimientos as m')
    .leftJoin('iva_mensual as p', (on) => on.onRef('p.ejercicio', '=', 'm.ejercicio').onRef('p.mes', '=', 'm.mes'))
    .selectAll('m')
    .select('p.proporcion')
    .select(sql<string | null>`(${ACREDITABLE})::text`.as('iva_acreditable'))

// As `parte` of acreditable.ts, which months are made with: one rounding, half a centavo away from zero. × 0.01 and not
// / 100, which would round before. Null of what the company issued, where there is nothing to credit.
const ACREDITABLE = sql`case when m.direccion = 'recibido' then
  case when m.efecto <> 'cuenta' then 0.00
  else round((m.iva16 + m.iva8 + m.iva_otra - m.iva_retenido) * m.porcentaje_deducible * 0.01
    * case m.destino_iva when 'gravado' then 1 when 'exento' then 0 else coalesce(p.proporcion, 0) end, 2) end end`

export type MovimientoRow = Awaited<ReturnType<typeof findMovimientosOf>>[number]
