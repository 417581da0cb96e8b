import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import type { Efos, EsCancelable, EstatusCancelacion } from './respuesta.ts'

/** What is known of the state of a CFDI, and the last that the SAT was asked. Undefined when it is not here. */
export async function findEstado(db: TenantSql, uuid: string) {
  const row = await db
    .selectFrom('cfdis as c')
    .leftJoin('cfdi_consultas as q', 'q.uuid_fiscal', 'c.uuid_fiscal')
    .select(['c.estado', 'c.fecha_cancelacion', 'c.cancelacion_conocida_en', 'c.creado_en', 'q.estado as dicho'])
    .select(['q.codigo', 'q.es_cancelable', 'q.estatus_cancelacion', 'q.efos', 'q.consultado_en', 'q.siguiente_en'])
    .select(['q.ausencias', 'q.fallos', 'q.error'])
    .where('c.uuid_fiscal', '=', uuid)
    .executeTakeFirst()
  return (
    row && {
      estado: row.estado,
      fechaCancelacion: row.fecha_cancelacion?.replace(' ', 'T') ?? null,
      cancelacionConocidaEn: row.cancelacion_conocida_en,
      recibidoEn: row.creado_en,
      // A row without an answer and without a failure is only a turn.
      consulta:
        row.consultado_en === null && !row.fallos
          ? null
          : {
              estado: row.dicho,
              codigo: row.codigo,
              esCancelable: row.es_cancelable as EsCancelable | null,
              estatusCancelacion: row.estatus_cancelacion as EstatusCancelacion | null,
              efos: row.efos ?? 'desconocido',
              consultadoEn: row.consultado_en,
              siguienteEn: row.siguiente_en,
              ausencias: row.ausencias ?? 0,
              error: row.error,
            },
    }
  )
}

export interface HechoLeido {
  id: string
  estado: 'vigente' | 'cancelado' | 'no_encontrado'
  ocurrioEn: string | null
  conocidoEn: Date
  fuente: 'consulta' | 'metadata' | 'manual'
  estatusCancelacion: EstatusCancelacion | null
  efos: Efos
}

/** What was learnt of a CFDI, the latest first. */
export async function listHechos(
  db: TenantSql,
  uuid: string,
  { after, limit }: { after: { conocidoEn: string; id: string } | undefined; limit: number },
): Promise<HechoLeido[]> {
  const { rows } = await sql<HechoLeido>`
    select id::text as id, estado, to_char(ocurrio_en, 'YYYY-MM-DD"T"HH24:MI:SS') as "ocurrioEn",
      conocido_en as "conocidoEn", fuente, detalle->>'estatusCancelacion' as "estatusCancelacion",
      coalesce(detalle->>'efos', 'desconocido') as efos
    from cfdi_estados
    where uuid_fiscal = ${uuid}
      and ${after ? sql`(date_trunc('milliseconds', conocido_en), id) < (${after.conocidoEn}::timestamptz, ${after.id}::bigint)` : sql`true`}
    order by date_trunc('milliseconds', conocido_en) desc, id desc -- as far as a cursor can tell
    limit ${limit}`.execute(db)
  return rows
}
