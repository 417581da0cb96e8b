import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { type Consulta, type ConsultaRango, huellaDe, parametrosDe, type Servicio } from '../descarga/consulta.ts'
import { isDue } from './due-queries.ts'
import { alargada, type Cambios } from './machine.ts'
import type { EstadoSolicitud, Solicitud } from './solicitud.ts'

/** A request, and what the machine need not know of it. */
export interface SolicitudRow extends Solicitud {
  readonly tenantId: string
  readonly jobId: string
  readonly rfc: string
  readonly prioridad: number
  readonly numeroCfdis: number | null
  /** How often its range was asked for again after it had come to nothing. */
  readonly reintentos: number
  /** Until when it is ours who took it. */
  readonly siguienteEn: Date | null
}

/** Of whose requests it is. */
export interface Quien {
  readonly tenantId: string
  readonly jobId: string
  readonly rfc: string
}

export interface Nueva {
  readonly consulta: Consulta
  readonly prioridad: number
  readonly padreId?: string
  readonly generacion?: number
  readonly reintentos?: number
}

/**
 * Writes down what is to be asked, due at once. Parameters that were spent already (by whomever: the SAT counts by RFC) are
 * moved by a second until nobody has used them. Metadata that is being asked for with the same ones is not asked twice, nor
 * is a folio. @returns how many were written
 */
export async function insertSolicitudes(
  trx: CentralTx,
  quien: Quien,
  nuevas: readonly Nueva[],
  now: Date,
): Promise<number> {
  let left = [...nuevas]
  let written = 0
  for (let moved = 0; left.length > 0 && moved <= MOST_MOVED; moved++) {
    const rows = left.map((nueva) => ({ nueva, row: rowOf(quien, nueva, now) }))
    const inserted = await trx
      .insertInto('sat_solicitudes')
      .values(rows.map(({ row }) => row))
      .onConflict((oc) => oc.doNothing())
      .returning('id')
      .execute()
    written += inserted.length
    const ids = new Set(inserted.map(({ id }) => id))
    left = rows.flatMap(({ nueva, row }) => (ids.has(row.id) ? [] : movedOne(nueva)))
  }
  if (left.length > 0) throw new Error(`no parameters left that were never used, ${quien.rfc}`)
  return written
}

function movedOne(nueva: Nueva): Nueva[] {
  const { consulta } = nueva
  if (consulta.direccion === 'folio' || (consulta.tipo === 'Metadata' && nueva.padreId === undefined)) return []
  return [{ ...nueva, consulta: alargada(consulta) }]
}

const rowOf = ({ tenantId, jobId, rfc }: Quien, nueva: Nueva, now: Date) => ({
  id: uuidv7(),
  tenant_id: tenantId,
  job_id: jobId,
  rfc,
  padre_id: nueva.padreId ?? null,
  servicio: nueva.consulta.servicio,
  direccion: nueva.consulta.direccion,
  tipo: nueva.consulta.tipo,
  desde: nueva.consulta.direccion === 'folio' ? null : nueva.consulta.desde,
  hasta: nueva.consulta.direccion === 'folio' ? null : nueva.consulta.hasta,
  parametros: parametrosDe(nueva.consulta, rfc),
  huella: huellaDe(nueva.consulta, rfc),
  prioridad: nueva.prioridad,
  generacion: nueva.generacion ?? 0,
  reintentos: nueva.reintentos ?? 0,
  estado: 'por_enviar' as const,
  siguiente_en: now,
  creada_en: now,
  actualizada_en: now,
})

/** What a turn may take; none of a service that rests. */
export interface Cuales {
  readonly tenantId: string
  readonly servicios: readonly Servicio[]
  readonly now: Date
  /** Whoever takes it has it until then. */
  readonly until: Date
}

/**
 * Takes the next request to send. Written down as being sent, and counted, before anything is.
 */
export async function takeToSend(
  db: CentralSql,
  { tenantId, servicios, now, until }: Cuales,
  { tipos, credentialId }: { tipos: readonly ('CFDI' | 'Metadata')[]; credentialId: string },
): Promise<SolicitudRow | undefined> {
  const { rows } = await sql<SolicitudSql>`
    update sat_solicitudes set estado = 'enviando', intentos = intentos + 1, enviada_en = ${now}, siguiente_en = ${until},
      credential_id = ${credentialId}, actualizada_en = ${now}
    where id = (
      select id from sat_solicitudes
      where tenant_id = ${tenantId} and estado = 'por_enviar' and tipo = any(${tipos}::text[])
        and servicio = any(${servicios}::text[]) and ${isDue(now)}
      order by prioridad desc, creada_en, id limit 1 for update skip locked)
    returning ${COLUMNS}`.execute(db)
  return rows[0] && solicitudOf(rows[0])
}

/** Takes the next request whose answer is to be asked for. */
export async function takeToVerify(
  db: CentralSql,
  { tenantId, servicios, now, until }: Cuales,
): Promise<SolicitudRow | undefined> {
  const { rows } = await sql<SolicitudSql>`
    update sat_solicitudes set verificaciones = verificaciones + 1, verificada_en = ${now}, siguiente_en = ${until},
      actualizada_en = ${now}
    where id = (
      select id from sat_solicitudes
      where tenant_id = ${tenantId} and estado in ('aceptada', 'en_proceso') and servicio = any(${servicios}::text[])
        and ${isDue(now)}
      order by siguiente_en, id limit 1 for update skip locked)
    returning ${COLUMNS}`.execute(db)
  return rows[0] && solicitudOf(rows[0])
}

/** Takes a request that somebody was sending who did not come back. */
export async function takeLost(
  db: CentralSql,
  { tenantId, now, until }: Omit<Cuales, 'servicios'>,
): Promise<SolicitudRow | undefined> {
  const { rows } = await sql<SolicitudSql>`
    update sat_solicitudes set siguiente_en = ${until}, actualizada_en = ${now}
    where id = (
      select id from sat_solicitudes
      where tenant_id = ${tenantId} and estado = 'enviando' and ${isDue(now)}
      order by siguiente_en, id limit 1 for update skip locked)
    returning ${COLUMNS}`.execute(db)
  return rows[0] && solicitudOf(rows[0])
}

/** Requests all whose packages have come to an end, with how they ended. Locked. */
export async function lockSettled(
  trx: CentralTx,
  tenantId: string,
): Promise<(SolicitudRow & { faltan: number; ilegibles: number; miembros: number })[]> {
  const { rows } = await sql<SolicitudSql & { faltan: number; ilegibles: number; miembros: number }>`
    select ${COLUMNS}, p.faltan, p.ilegibles, p.miembros
    from sat_solicitudes s, lateral (
      select count(*) filter (where q.estado in ('vencido', 'agotado'))::int as faltan,
        count(*) filter (where q.estado = 'ilegible')::int as ilegibles,
        coalesce(sum(q.miembros), 0)::int as miembros,
        count(*) filter (where q.estado not in ('importado', 'vencido', 'agotado', 'ilegible'))::int as abiertos
      from sat_paquetes q where q.solicitud_id = s.id) p
    where s.tenant_id = ${tenantId} and s.estado = 'terminada' and s.siguiente_en is not null and p.abiertos = 0
    for update of s`.execute(trx)
  return rows.map(({ faltan, ilegibles, miembros, ...row }) => ({ ...solicitudOf(row), faltan, ilegibles, miembros }))
}

/** Requests whose packages are still being worked on are looked at again in a while. */
export async function lookAgain(db: CentralSql, tenantId: string, now: Date, at: Date): Promise<void> {
  await sql`update sat_solicitudes set siguiente_en = ${at}, actualizada_en = ${now}
    where tenant_id = ${tenantId} and estado = 'terminada' and ${isDue(now)}`.execute(db)
}

/**
 * Writes what became of a request, if it is still ours. @returns false when its lease was over and somebody else has it
 */
export async function saveSolicitud(
  trx: CentralTx,
  { id, estado, siguienteEn }: SolicitudRow,
  cambios: Cambios & { reintentarEn?: Date },
  now: Date,
): Promise<boolean> {
  const { estado: hacia, codigo, mensaje, intentos, fallos, idSolicitud, numeroCfdis } = cambios
  const ended = cambios.siguienteEn === null
  const { numUpdatedRows } = await trx
    .updateTable('sat_solicitudes')
    .set({
      estado: hacia,
      siguiente_en: cambios.siguienteEn,
      reintentar_en: cambios.reintentarEn ?? null,
      actualizada_en: now,
      ...(codigo !== undefined && { codigo }),
      ...(mensaje !== undefined && { mensaje: mensaje?.slice(0, 2000) ?? null }),
      ...(intentos !== undefined && { intentos }),
      ...(fallos !== undefined && { fallos }),
      ...(idSolicitud !== undefined && { id_solicitud: idSolicitud, aceptada_en: now }),
      ...(numeroCfdis !== undefined && { numero_cfdis: String(numeroCfdis) }),
      ...(ended && { terminada_en: now }),
    })
    .where('id', '=', id)
    .where('estado', '=', estado)
    .where('siguiente_en', 'is not distinct from', siguienteEn)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function lockSolicitud(trx: CentralTx, tenantId: string, id: string): Promise<SolicitudRow | undefined> {
  const { rows } = await sql<SolicitudSql>`
    select ${COLUMNS} from sat_solicitudes where tenant_id = ${tenantId} and id = ${id} for update`.execute(trx)
  return rows[0] && solicitudOf(rows[0])
}

/** What took its place last. */
export async function findChild(db: CentralSql, id: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('sat_solicitudes')
    .select('id')
    .where('padre_id', '=', id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.id
}

/** A folio that came to nothing is to be sent again, in another run. */
export async function resendFolio(trx: CentralTx, id: string, jobId: string, now: Date): Promise<void> {
  await trx
    .updateTable('sat_solicitudes')
    .set({
      estado: 'por_enviar',
      job_id: jobId,
      siguiente_en: now,
      actualizada_en: now,
      fallos: 0,
      id_solicitud: null,
      aceptada_en: null,
      terminada_en: null,
      codigo: null,
      mensaje: null,
      reintentar_en: null,
    })
    .where('id', '=', id)
    .execute()
}

/** Whose an IdSolicitud of the SAT is already. */
export async function findHolder(
  db: CentralSql,
  idSolicitud: string,
): Promise<{ tenantId: string; id: string; estado: EstadoSolicitud } | undefined> {
  return db
    .selectFrom('sat_solicitudes')
    .select(['tenant_id as tenantId', 'id', 'estado'])
    .where('id_solicitud', '=', idSolicitud)
    .executeTakeFirst()
}

/** No more today: what is to be sent waits. */
export async function postponeSending(
  db: CentralSql,
  tenantId: string,
  { now, until }: { now: Date; until: Date },
): Promise<void> {
  await db
    .updateTable('sat_solicitudes')
    .set({ siguiente_en: until, actualizada_en: now })
    .where('tenant_id', '=', tenantId)
    .where('estado', '=', 'por_enviar')
    .where('siguiente_en', '<', until)
    .execute()
}

export interface SolicitudSql extends Omit<SolicitudRow, 'consulta'> {
  servicio: Servicio
  direccion: 'emitidos' | 'recibidos' | 'folio'
  tipo: 'CFDI' | 'Metadata'
  desde: string | null
  hasta: string | null
  parametros: Record<string, unknown>
}

export const COLUMNS = sql.raw(`id, tenant_id as "tenantId", job_id as "jobId", rfc, servicio, direccion, tipo,
  to_char(desde, 'YYYY-MM-DD"T"HH24:MI:SS') as desde, to_char(hasta, 'YYYY-MM-DD"T"HH24:MI:SS') as hasta, parametros,
  prioridad, generacion, reintentos, estado, numero_cfdis::int as "numeroCfdis", id_solicitud as "idSolicitud", intentos, verificaciones, fallos,
  siguiente_en as "siguienteEn", aceptada_en as "aceptadaEn"`)

export function solicitudOf({
  servicio,
  direccion,
  tipo,
  desde,
  hasta,
  parametros,
  ...row
}: SolicitudSql): SolicitudRow {
  const consulta: Consulta =
    direccion === 'folio'
      ? { servicio, direccion, tipo: 'CFDI', folio: String(parametros['Folio']) }
      : {
          servicio,
          direccion,
          tipo,
          desde: desde ?? '',
          hasta: hasta ?? '',
          estado: parametros['EstadoComprobante'] as ConsultaRango['estado'],
        }
  return { ...row, consulta }
}

const MOST_MOVED = 120
