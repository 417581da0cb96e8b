import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { TenantTx } from '../db/databases.ts'
import { formatCentavos } from '../fiscal/money.ts'
import type { Alerta, CodigoAlerta } from './raise-alert.ts'

export async function openAlertas(trx: TenantTx, alertas: readonly Alerta[], now: Date): Promise<void> {
  if (alertas.length === 0) return
  const rows = alertas.map((a) => ({
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
      severidad = excluded.severidad, titulo = excluded.titulo, mensaje = excluded.mensaje, accion = excluded.accion,
      monto_en_riesgo = excluded.monto_en_riesgo, detalle = excluded.detalle, actualizada_en = excluded.actualizada_en,
      creada_en = case when alertas.resuelta_en is null then alertas.creada_en else excluded.creada_en end,
      leida_en = case when alertas.resuelta_en is null then alertas.leida_en end,
      leida_por = case when alertas.resuelta_en is null then alertas.leida_por end,
      pospuesta_hasta = case when alertas.resuelta_en is null then alertas.pospuesta_hasta end,
      pospuesta_motivo = case when alertas.resuelta_en is null then alertas.pospuesta_motivo end,
      resuelta_en = null`.execute(trx)
}

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
