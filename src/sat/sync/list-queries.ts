import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import type { EstadoPaquete, EstadoSolicitud } from './solicitud.ts'

/** A request as people see it. */
export interface SolicitudListada {
  id: string
  jobId: string
  padreId: string | null
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitidos' | 'recibidos' | 'folio'
  tipo: 'CFDI' | 'Metadata'
  folio: string | null
  desde: string | null
  hasta: string | null
  estado: EstadoSolicitud
  idSolicitud: string | null
  numeroCfdis: number | null
  codigo: string | null
  mensaje: string | null
  intentos: number
  verificaciones: number
  fallos: number
  siguienteEn: Date | null
  /** From when on a night asks for its range again. */
  reintentarEn: Date | null
  creadaEn: Date
  enviadaEn: Date | null
  aceptadaEn: Date | null
  verificadaEn: Date | null
  terminadaEn: Date | null
}

export interface PaqueteListado {
  id: string
  solicitudId: string
  n: number
  estado: EstadoPaquete
  intentos: number
  codigo: string | null
  mensaje: string | null
  bytes: number | null
  miembros: number | null
  leidos: number | null
  nuevos: number | null
  repetidos: number | null
  rechazados: number | null
  cuarentena: number | null
  venceEn: Date
  descargadoEn: Date | null
  importadoEn: Date | null
}

export interface Filtro {
  estado?: EstadoSolicitud | undefined
  tipo?: 'CFDI' | 'Metadata' | undefined
  direccion?: 'emitidos' | 'recibidos' | 'folio' | undefined
  servicio?: 'cfdi' | 'retenciones' | undefined
  corrida?: string | undefined
}

/** Of one company, the newest first. */
export async function listSolicitudes(
  db: CentralSql,
  tenantId: string,
  filtro: Filtro,
  { after, limit }: { after?: { creadaEn: Date; id: string } | undefined; limit: number },
): Promise<SolicitudListada[]> {
  const { estado = null, tipo = null, direccion = null, servicio = null, corrida = null } = filtro
  const { rows } = await sql<SolicitudListada>`
    select ${COLUMNS} from sat_solicitudes s
    where s.tenant_id = ${tenantId}
      and (${estado}::text is null or s.estado = ${estado}) and (${tipo}::text is null or s.tipo = ${tipo})
      and (${direccion}::text is null or s.direccion = ${direccion})
      and (${servicio}::text is null or s.servicio = ${servicio})
      and (${corrida}::uuid is null or s.job_id = ${corrida})
      and ${after ? sql`(s.creada_en, s.id) < (${after.creadaEn}::timestamptz, ${after.id}::uuid)` : sql`true`}
    order by s.creada_en desc, s.id desc limit ${limit}`.execute(db)
  return rows
}

export async function findListada(db: CentralSql, tenantId: string, id: string): Promise<SolicitudListada | undefined> {
  const { rows } = await sql<SolicitudListada>`
    select ${COLUMNS} from sat_solicitudes s where s.tenant_id = ${tenantId} and s.id = ${id}`.execute(db)
  return rows[0]
}

export async function listPaquetes(db: CentralSql, solicitudes: readonly string[]): Promise<PaqueteListado[]> {
  const { rows } = await sql<PaqueteListado>`
    select id, solicitud_id as "solicitudId", n, estado, intentos, codigo, mensaje, bytes::float8 as bytes, miembros, leidos,
      nuevos, repetidos, rechazados, cuarentena, vence_en as "venceEn", descargado_en as "descargadoEn",
      importado_en as "importadoEn"
    from sat_paquetes where solicitud_id = any(${solicitudes}::uuid[]) order by solicitud_id, n`.execute(db)
  return rows
}

/** How far a run is. */
export interface Avance {
  solicitudes: number
  porEnviar: number
  enElSat: number
  importando: number
  terminadas: number
  conFallas: number
  paquetes: number
  documentosNuevos: number
}

export async function findAvance(db: CentralSql, jobId: string): Promise<Avance> {
  const { rows } = await sql<Avance>`
    select count(*)::int as solicitudes,
      count(*) filter (where estado = 'por_enviar')::int as "porEnviar",
      count(*) filter (where estado in ('enviando', 'aceptada', 'en_proceso'))::int as "enElSat",
      count(*) filter (where estado = 'terminada')::int as importando,
      count(*) filter (where siguiente_en is null)::int as terminadas,
      count(*) filter (where estado in ('fallida', 'rechazada'))::int as "conFallas",
      (select count(*)::int from sat_paquetes p join sat_solicitudes s on s.id = p.solicitud_id
        where s.job_id = ${jobId}) as paquetes,
      (select coalesce(sum(p.nuevos), 0)::int from sat_paquetes p join sat_solicitudes s on s.id = p.solicitud_id
        where s.job_id = ${jobId} and s.tipo = 'CFDI') as "documentosNuevos"
    from sat_solicitudes where job_id = ${jobId}`.execute(db)
  return rows[0] as Avance
}

const COLUMNS = sql.raw(`s.id, s.job_id as "jobId", s.padre_id as "padreId", s.servicio, s.direccion, s.tipo,
  s.parametros ->> 'Folio' as folio, to_char(s.desde, 'YYYY-MM-DD"T"HH24:MI:SS') as desde,
  to_char(s.hasta, 'YYYY-MM-DD"T"HH24:MI:SS') as hasta, s.estado, s.id_solicitud as "idSolicitud",
  s.numero_cfdis::float8 as "numeroCfdis", s.codigo, s.mensaje, s.intentos, s.verificaciones, s.fallos,
  s.siguiente_en as "siguienteEn", s.reintentar_en as "reintentarEn", s.creada_en as "creadaEn", s.enviada_en as "enviadaEn", s.aceptada_en as "aceptadaEn",
  s.verificada_en as "verificadaEn", s.terminada_en as "terminadaEn"`)
