import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Servicio } from '../descarga/consulta.ts'
import { isPackageDue } from './due-queries.ts'
import type { OutcomePaquete } from './machine-paquete.ts'
import type { Cuales } from './request-queries.ts'
import type { EstadoPaquete, Paquete } from './solicitud.ts'

/** A package, and what the machine need not know of it. */
export interface PaqueteRow extends Paquete {
  readonly solicitudId: string
  readonly tenantId: string
  readonly servicio: Servicio
  readonly direccion: 'emitidos' | 'recibidos' | 'folio'
  readonly tipo: 'CFDI' | 'Metadata'
  readonly rfc: string
  readonly siguienteEn: Date | null
  readonly descargadoEn: Date | null
}

export async function insertPaquetes(
  trx: CentralTx,
  { id, tenantId }: { id: string; tenantId: string },
  ids: readonly string[],
  { now, venceEn }: { now: Date; venceEn: Date },
): Promise<void> {
  const values = ids.map((paqueteId, i) => ({
    id: paqueteId,
    solicitud_id: id,
    tenant_id: tenantId,
    n: i + 1,
    estado: 'pendiente' as const,
    siguiente_en: now,
    vence_en: venceEn,
    actualizado_en: now,
  }))
  await trx
    .insertInto('sat_paquetes')
    .values(values)
    .onConflict((oc) => oc.doNothing())
    .execute()
}

/** Takes the next package to download. The attempt is counted before it is made. */
export async function takeToDownload(
  db: CentralSql,
  { tenantId, servicios, now, until }: Cuales,
): Promise<PaqueteRow | undefined> {
  return first(
    await sql<PaqueteRow>`
    update sat_paquetes p set estado = 'descargando', intentos = p.intentos + 1, siguiente_en = ${until}, actualizado_en = ${now}
    from sat_solicitudes s
    where s.id = p.solicitud_id and (p.solicitud_id, p.id) = (
      select q.solicitud_id, q.id from sat_paquetes q join sat_solicitudes r on r.id = q.solicitud_id
      where q.tenant_id = ${tenantId} and q.estado = 'pendiente' and q.intentos < 2 and q.vence_en > ${now}
        and r.servicio = any(${servicios}::text[]) and ${isPackageDue(now, 'q')}
      order by q.vence_en, q.n limit 1 for update of q skip locked)
    returning ${COLUMNS}`.execute(db),
  )
}

/** There is no place for what is due to be downloaded: it waits, unasked and uncounted. @returns how many do */
export async function postponeDownloads(
  db: CentralSql,
  { tenantId, servicios, now, until }: Cuales,
  { codigo, mensaje }: { codigo: string; mensaje: string },
): Promise<number> {
  const { numAffectedRows } = await sql`
    update sat_paquetes q set siguiente_en = ${until}, codigo = ${codigo}, mensaje = ${mensaje}, actualizado_en = ${now}
    from sat_solicitudes r
    where r.id = q.solicitud_id and q.tenant_id = ${tenantId} and q.estado = 'pendiente' and q.vence_en > ${now}
      and r.servicio = any(${servicios}::text[]) and ${isPackageDue(now, 'q')}`.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/** Takes one that needs nobody but us: downloaded, being imported, given up by a worker that died, or out of time. */
export async function takeToTend(
  db: CentralSql,
  { tenantId, now, until }: Omit<Cuales, 'servicios'>,
): Promise<PaqueteRow | undefined> {
  return first(
    await sql<PaqueteRow>`
    update sat_paquetes p set siguiente_en = ${until}, actualizado_en = ${now}
    from sat_solicitudes s
    where s.id = p.solicitud_id and (p.solicitud_id, p.id) = (
      select q.solicitud_id, q.id from sat_paquetes q
      where q.tenant_id = ${tenantId} and ${isPackageDue(now, 'q')}
        and (q.estado in ('descargando', 'descargado', 'importando') or (q.estado = 'pendiente' and q.vence_en <= ${now}))
      order by q.siguiente_en, q.n limit 1 for update of q skip locked)
    returning ${COLUMNS}`.execute(db),
  )
}

/** Writes what became of a package, if it is still ours. @returns false when somebody else has it */
export async function savePaquete(
  db: CentralSql,
  { solicitudId, id, estado, siguienteEn }: PaqueteRow,
  cambios: OutcomePaquete['cambios'] & Llegado & Contado,
  now: Date,
): Promise<boolean> {
  const { bytes, sha256, cuentas } = cambios
  const { numUpdatedRows } = await db
    .updateTable('sat_paquetes')
    .set({
      estado: cambios.estado,
      siguiente_en: cambios.siguienteEn,
      actualizado_en: now,
      ...(cambios.codigo !== undefined && { codigo: cambios.codigo }),
      ...(cambios.mensaje !== undefined && { mensaje: cambios.mensaje?.slice(0, 2000) ?? null }),
      ...(cambios.intentos !== undefined && { intentos: cambios.intentos }),
      ...(cambios.fallos !== undefined && { fallos: cambios.fallos }),
      ...(cambios.estado === 'descargado' && { descargado_en: now }),
      ...(bytes !== undefined && { bytes: String(bytes) }),
      ...(sha256 !== undefined && { sha256: Buffer.from(sha256, 'hex') }),
      ...cuentas,
      ...(cambios.estado === 'importado' && { importado_en: now }),
    })
    .where('solicitud_id', '=', solicitudId)
    .where('id', '=', id)
    .where('estado', '=', estado)
    .where('siguiente_en', 'is not distinct from', siguienteEn)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

interface Llegado {
  readonly bytes?: number
  readonly sha256?: string
}

interface Contado {
  readonly cuentas?: {
    readonly miembros: number
    readonly leidos: number
    readonly nuevos: number
    readonly repetidos: number
    readonly rechazados: number
    readonly cuarentena: number
  }
}

/** How many packages are due, of those that the SAT must be asked for and of those that need only us. */
export async function countPaquetes(
  db: CentralSql,
  tenantId: string,
  now: Date,
): Promise<{ porDescargar: number; porAtender: number }> {
  const { rows } = await sql<{ porDescargar: number; porAtender: number }>`
    select count(*) filter (where estado = 'pendiente' and vence_en > ${now} and ${isPackageDue(now, 'sat_paquetes')})::int as "porDescargar",
      count(*) filter (where (estado <> 'pendiente' or vence_en <= ${now}) and ${isPackageDue(now, 'sat_paquetes')})::int as "porAtender"
    from sat_paquetes where tenant_id = ${tenantId} and siguiente_en is not null`.execute(db)
  return rows[0] ?? { porDescargar: 0, porAtender: 0 }
}

/** Packages that lie here, or should, of a company. */
export async function findLying(db: CentralSql, tenantId: string): Promise<{ id: string; estado: EstadoPaquete }[]> {
  return db
    .selectFrom('sat_paquetes')
    .select(['id', 'estado'])
    .where('tenant_id', '=', tenantId)
    .where('siguiente_en', 'is not', null)
    .execute()
}

const COLUMNS =
  sql.raw(`p.id, p.solicitud_id as "solicitudId", p.tenant_id as "tenantId", p.estado, p.intentos, p.fallos,
  p.vence_en as "venceEn", p.siguiente_en as "siguienteEn", p.descargado_en as "descargadoEn", s.servicio, s.direccion, s.tipo, s.rfc`)

const first = <T>({ rows }: { rows: T[] }): T | undefined => rows[0]
