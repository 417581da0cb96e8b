import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import { LISTED_AT } from '../paquetes/central-queries.ts'

/** A list that was asked for and came, as the central database has it. */
export interface ListaPedida {
  solicitudId: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitido' | 'recibido'
  /** `YYYY-MM-DDTHH:MM:SS`, both in it. */
  desde: string
  hasta: string
  /** As of when it knows. */
  listadaEn: Date
  /** How many CFDI the SAT said it has; null when it did not say. */
  numeroCfdis: number | null
  paquetes: string[]
}

/** The list of one request whose packages are known. Undefined when it is of something else. */
export async function findListaPedida(
  db: CentralSql,
  tenantId: string,
  solicitudId: string,
): Promise<ListaPedida | undefined> {
  const { rows } = await sql<ListaPedida>`${LISTAS} and s.tenant_id = ${tenantId} and s.id = ${solicitudId}`.execute(db)
  return rows[0]
}

/** The lists that one run asked for and that came, those without a row included. */
export async function findListasPedidas(db: CentralSql, tenantId: string, jobId: string): Promise<ListaPedida[]> {
  const { rows } = await sql<ListaPedida>`
    ${LISTAS} and s.tenant_id = ${tenantId} and s.job_id = ${jobId} order by s.hasta desc, s.id`.execute(db)
  return rows
}

// Of CFDI in any state: one of those in force would leave out whatever is cancelled.
const LISTAS = sql`
  select s.id as "solicitudId", s.servicio, case s.direccion when 'recibidos' then 'recibido' else 'emitido' end as direccion,
    to_char(s.desde, 'YYYY-MM-DD"T"HH24:MI:SS') as desde, to_char(s.hasta, 'YYYY-MM-DD"T"HH24:MI:SS') as hasta,
    ${LISTED_AT} as "listadaEn", s.numero_cfdis::float8 as "numeroCfdis",
    array(select p.id from sat_paquetes p where p.solicitud_id = s.id) as paquetes
  from sat_solicitudes s
  where s.tipo = 'Metadata' and s.estado in ('terminada', 'completa', 'vacia') and s.direccion <> 'folio'
    and s.parametros ->> 'EstadoComprobante' = 'Todos'`
