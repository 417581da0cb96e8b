import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'

/** A downloaded package of metadata, and what was asked for to get it. */
export interface PaqueteLeible {
  estado: string
  rfc: string
  servicio: 'cfdi' | 'retenciones'
  direccion: 'emitidos' | 'recibidos' | 'folio'
  /** As of when it knows. */
  listedAt: Date
}

export async function findPaquete(
  central: CentralSql,
  { tenantId, solicitudId, id }: { tenantId: string; solicitudId: string; id: string },
): Promise<PaqueteLeible | undefined> {
  const { rows } = await sql<PaqueteLeible>`
    select p.estado, s.rfc, s.servicio, s.direccion, ${LISTED_AT} as "listedAt"
    from sat_paquetes p join sat_solicitudes s on s.id = p.solicitud_id
    where p.solicitud_id = ${solicitudId} and p.id = ${id} and p.tenant_id = ${tenantId} and s.tipo = 'Metadata'`.execute(
    central,
  )
  return rows[0]
}

/**
 * As of when the list of a request `s` knows: when it was accepted, for what happened later it need not know. Of one that was
 * sent twice the SAT may have accepted the first, whose answer got lost, and nobody knows when: not before it was written down.
 */
export const LISTED_AT = sql<Date>`
  case when s.intentos > 1 then s.creada_en else coalesce(s.aceptada_en, s.enviada_en, s.creada_en) end`

/** What was in a package. */
export interface Cuentas {
  miembros: number
  leidos: number
  nuevos?: number
  repetidos?: number
  rechazados?: number
  cuarentena?: number
}

interface Cual {
  solicitudId: string
  id: string
  now: Date
}

/** A package is in: whoever tends its request sees that. @returns whether it was still to be brought in */
export async function finishPaquete(
  central: CentralSql,
  { counts, ...one }: Cual & { counts: Cuentas },
): Promise<boolean> {
  const { nuevos = 0, repetidos = 0, rechazados = 0, cuarentena = 0 } = counts
  const { numAffectedRows } = await sql`
    update sat_paquetes set estado = 'importado', siguiente_en = null, importado_en = ${one.now}, actualizado_en = ${one.now},
      codigo = null, mensaje = null, miembros = ${counts.miembros}, leidos = ${counts.leidos}, nuevos = ${nuevos},
      repetidos = ${repetidos}, rechazados = ${rechazados}, cuarentena = ${cuarentena}
    where solicitud_id = ${one.solicitudId} and id = ${one.id} and estado in ('descargado', 'importando')`.execute(
    central,
  )
  return (numAffectedRows ?? 0n) > 0n
}

/**
 * A package that cannot be brought in: the SAT gives it a second time, if it was not had twice already and its 72 hours
 * are not over; or else it is what `si` says, and its request asks for its range again.
 */
export async function giveBackPaquete(
  central: CentralSql,
  { si, error, ...one }: Cual & { si: 'vencido' | 'ilegible'; error: { code: string; mensaje: string } },
): Promise<void> {
  await sql`
    update sat_paquetes set
      estado = case when intentos < 2 and vence_en > ${one.now} then 'pendiente' else ${si}::text end,
      siguiente_en = case when intentos < 2 and vence_en > ${one.now} then ${one.now}::timestamptz end,
      codigo = ${error.code}, mensaje = ${error.mensaje}, fallos = fallos + 1, actualizado_en = ${one.now}
    where solicitud_id = ${one.solicitudId} and id = ${one.id} and estado in ('descargado', 'importando')`.execute(
    central,
  )
}
