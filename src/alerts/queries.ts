import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { TenantSql, TenantTx } from '../db/databases.ts'
import { formatCentavos } from '../fiscal/money.ts'
import { type Alerta, type CodigoAlerta, type Severidad, severidades } from './raise-alert.ts'

export async function openAlertas(trx: TenantTx, alertas: readonly Alerta[], now: Date): Promise<void> {
  if (alertas.length === 0) return
  // A statement may write a row once: of two about one fact the later holds.
  const rows = [...new Map(alertas.map((a) => [a.clave, a])).values()].map((a) => ({
    id: uuidv7(),
    tipo: a.codigo,
    severidad: a.severidad,
    titulo: a.titulo,
    mensaje: a.mensaje,
    accion: a.accion,
    clave: a.clave,
    uuid_fiscal: a.uuid ?? null,
    ejercicio: a.periodo?.ejercicio ?? null,
    mes: a.periodo?.mes ?? null,
    monto_en_riesgo: a.montoEnRiesgo === undefined ? null : formatCentavos(a.montoEnRiesgo),
    detalle: a.detalle ?? {},
  }))
  await sql`
    insert into alertas (id, tipo, severidad, titulo, mensaje, accion, clave, uuid_fiscal, ejercicio, mes,
      monto_en_riesgo, detalle, creada_en, actualizada_en)
    select id, tipo, severidad, titulo, mensaje, accion, clave, uuid_fiscal, ejercicio, mes, monto_en_riesgo, detalle,
      ${now}, ${now}
    from jsonb_populate_recordset(null::alertas, ${JSON.stringify(rows)}::text::jsonb)
    order by clave
    on conflict (clave) do update set
      tipo = excluded.tipo, uuid_fiscal = excluded.uuid_fiscal, ejercicio = excluded.ejercicio, mes = excluded.mes,
      severidad = excluded.severidad, titulo = excluded.titulo, mensaje = excluded.mensaje, accion = excluded.accion,
      monto_en_riesgo = excluded.monto_en_riesgo, detalle = excluded.detalle, actualizada_en = excluded.actualizada_en,
      creada_en = case when alertas.resuelta_en is null then alertas.creada_en else excluded.creada_en end,
      leida_en = case when ${isTheSame()} then alertas.leida_en end,
      leida_por = case when ${isTheSame()} then alertas.leida_por end,
      pospuesta_hasta = case when ${isTheSame()} then alertas.pospuesta_hasta end,
      pospuesta_motivo = case when ${isTheSame()} then alertas.pospuesta_motivo end,
      resuelta_en = null`.execute(trx)
}

/** Neither opened anew nor worse than it was: then whoever read it, or put it off, has seen it. */
// Made when asked for: whoever comes in by raise-alert.ts has this file read before the severities are there.
const isTheSame = () => sql`alertas.resuelta_en is null
  and array_position(${sql.val([...severidades])}::text[], excluded.severidad)
    <= array_position(${sql.val([...severidades])}::text[], alertas.severidad)`

export async function resolveAlertasBut(
  trx: TenantTx,
  codigo: CodigoAlerta,
  now: Date,
  { except = [], only }: { except?: readonly string[]; only?: readonly string[] },
): Promise<number> {
  const { numAffectedRows } = await sql`
    update alertas set resuelta_en = ${now}, actualizada_en = ${now}
    where tipo = ${codigo} and resuelta_en is null and clave <> all(${except}::text[])
      and (${only ?? null}::text[] is null or clave = any(${only ?? null}::text[]))`.execute(trx)
  return Number(numAffectedRows ?? 0n)
}

export interface AlertaFiltro {
  estado: 'abiertas' | 'resueltas' | 'todas'
  codigo?: CodigoAlerta | undefined
  severidad?: Severidad | undefined
  /** Whether those put off until after `now` are among them. */
  pospuestas: boolean
  now: Date
}

export type AlertaRow = Awaited<ReturnType<typeof listAlertas>>[number]

export function listAlertas(
  db: TenantSql,
  filtro: AlertaFiltro,
  { after, limit }: { after?: { creadaEn: Date; id: string } | undefined; limit: number },
) {
  let query = matching(db, filtro).select(COLUMNS)
  if (filtro.severidad) query = query.where('severidad', '=', filtro.severidad)
  if (after)
    query = query.where((eb) =>
      eb(eb.refTuple('creada_en', 'id'), '<', eb.tuple(sql<Date>`${after.creadaEn}::timestamptz`, after.id)),
    )
  return query.orderBy('creada_en', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

/** How many there are of each severity, whichever was asked for, and of all of them how many nobody has read. */
export async function countAlertas(db: TenantSql, filtro: AlertaFiltro) {
  const rows = await matching(db, filtro)
    .select((eb) => ['severidad', eb.fn.countAll<string>().as('n'), eb.fn.count<string>('leida_en').as('leidas')])
    .groupBy('severidad')
    .execute()
  const of = (severidad: Severidad) => Number(rows.find((row) => row.severidad === severidad)?.n ?? 0)
  const sinLeer = rows.reduce((sum, { n, leidas }) => sum + Number(n) - Number(leidas), 0)
  return { critica: of('critica'), alta: of('alta'), aviso: of('aviso'), info: of('info'), sinLeer }
}

function matching(db: TenantSql, { estado, codigo, pospuestas, now }: AlertaFiltro) {
  let query = db.selectFrom('alertas')
  if (estado !== 'todas') query = query.where('resuelta_en', estado === 'abiertas' ? 'is' : 'is not', null)
  if (codigo) query = query.where('tipo', '=', codigo)
  // What is over is not hidden by having been put off.
  if (!pospuestas)
    query = query.where((eb) =>
      eb.or([eb('pospuesta_hasta', 'is', null), eb('pospuesta_hasta', '<=', now), eb('resuelta_en', 'is not', null)]),
    )
  return query
}

export function lockAlerta(trx: TenantTx, id: string) {
  return trx
    .selectFrom('alertas')
    .select(['clave', 'resuelta_en', 'leida_en', 'leida_por'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

export interface AlertaCambiada {
  leida_en?: Date | null
  leida_por?: string | null
  pospuesta_hasta?: Date | null
  pospuesta_motivo?: string | null
  actualizada_en: Date
}

export function updateAlerta(trx: TenantTx, id: string, cambios: AlertaCambiada) {
  return trx.updateTable('alertas').set(cambios).where('id', '=', id).returning(COLUMNS).executeTakeFirstOrThrow()
}

const COLUMNS = [
  'id',
  'tipo',
  'severidad',
  'titulo',
  'mensaje',
  'accion',
  'uuid_fiscal',
  'ejercicio',
  'mes',
  'monto_en_riesgo',
  'detalle',
  'creada_en',
  'actualizada_en',
  'leida_en',
  'pospuesta_hasta',
  'pospuesta_motivo',
  'resuelta_en',
  'regla',
] as const
