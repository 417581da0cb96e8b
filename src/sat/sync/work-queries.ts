import { sql } from 'kysely'
import type { CentralSql } from '../../db/databases.ts'
import type { Servicio } from '../descarga/consulta.ts'
import { isDue, isSince } from './due-queries.ts'
import { MOST_OPEN } from './limits.ts'
import type { Direccion, Rango } from './plan.ts'

/** Whether the company may be entered and the e.firma is still its own: a turn lasts long enough for that to change. */
export async function mayAsk(db: CentralSql, tenantId: string, credentialId: string): Promise<boolean> {
  const { rows } = await sql`
    select from tenant_databases d join fiel_credentials f on f.tenant_id = d.tenant_id
    where d.tenant_id = ${tenantId} and d.state = 'active' and f.id = ${credentialId} and f.ended_at is null`.execute(
    db,
  )
  return rows.length > 0
}

/** How much is open at the SAT, and here, how much was sent since `since`, and what is due now, of one company. */
export interface Trabajo {
  abiertas: number
  importando: number
  enviadasHoy: number
  porEnviar: number
  porVerificar: number
  perdidas: number
}

export async function countWork(
  db: CentralSql,
  tenantId: string,
  { now, since, tipos }: { now: Date; since: Date; tipos: readonly ('CFDI' | 'Metadata')[] },
): Promise<Trabajo> {
  const { rows } = await sql<Trabajo>`
    select
      count(*) filter (where estado in ('enviando', 'aceptada', 'en_proceso'))::int as abiertas,
      count(*) filter (where estado = 'terminada')::int as importando,
      count(*) filter (where estado = 'por_enviar' and tipo = any(${tipos}::text[]) and ${isDue(now)})::int as "porEnviar",
      count(*) filter (where estado in ('aceptada', 'en_proceso') and ${isDue(now)})::int as "porVerificar",
      count(*) filter (where estado = 'enviando' and ${isDue(now)})::int as perdidas,
      (select count(*)::int from sat_solicitudes where tenant_id = ${tenantId} and ${isSince('enviada_en', since, now)})
        as "enviadasHoy"
    from sat_solicitudes where tenant_id = ${tenantId} and siguiente_en is not null`.execute(db)
  return rows[0] as Trabajo
}

/** Whether another request may be sent now. */
export const maySend = ({ porEnviar, abiertas, importando }: Trabajo): boolean =>
  porEnviar > 0 && abiertas < MOST_OPEN && importando < MOST_OPEN

/**
 * When something of a company falls due next; null when nothing does by itself. Only of services that may be asked
 * (`pedir`), or their packages be had (`bajar`).
 */
export async function findNextDue(
  db: CentralSql,
  tenantId: string,
  { now, pedir, bajar }: { now: Date; pedir: readonly Servicio[]; bajar: readonly Servicio[] },
): Promise<Date | null> {
  const { rows } = await sql<{ at: Date | null }>`
    select least(
      (select min(siguiente_en) from sat_solicitudes where tenant_id = ${tenantId} and siguiente_en > ${now}
        and (estado in ('enviando', 'terminada') or servicio = any(${pedir}::text[]))),
      (select min(p.siguiente_en) from sat_paquetes p join sat_solicitudes s on s.id = p.solicitud_id
        where p.tenant_id = ${tenantId} and p.siguiente_en > ${now}
          and (p.estado <> 'pendiente' or s.servicio = any(${bajar}::text[])))) as at`.execute(db)
  return rows[0]?.at ?? null
}

/**
 * Ranges of XML that were asked for, as far as they reach beyond `from`: those that came, those under way, and those that a
 * person must look at. What was replaced or split is what its children cover.
 */
export async function findCovered(
  db: CentralSql,
  { tenantId, rfc }: { tenantId: string; rfc: string },
  { from, now }: { from: string; now: Date },
): Promise<Cubierto[]> {
  const { rows } = await sql<Cubierto>`
    select servicio, direccion, ${civil('desde')} as desde, ${civil('hasta')} as hasta,
      estado in ('fallida', 'rechazada') as "conFalla", siguiente_en is not null as abierta
    from sat_solicitudes
    where tenant_id = ${tenantId} and rfc = ${rfc} and tipo = 'CFDI' and direccion <> 'folio'
      and estado not in ('sustituida', 'dividida') and hasta >= ${from}::timestamp
      and creada_en <= ${new Date(now.getTime() + 86_400_000)}`.execute(db)
  return rows
}

/** A range that was asked for. */
interface Cubierto extends Rango {
  readonly servicio: Servicio
  readonly direccion: Direccion
  readonly conFalla: boolean
  readonly abierta: boolean
}

/** Ranges of metadata whose list is still to come. */
export async function findOpenMetadata(
  db: CentralSql,
  tenantId: string,
): Promise<{ servicio: Servicio; direccion: Direccion; desde: string }[]> {
  const { rows } = await sql<{ servicio: Servicio; direccion: Direccion; desde: string }>`
    select servicio, direccion, ${civil('desde')} as desde from sat_solicitudes
    where tenant_id = ${tenantId} and tipo = 'Metadata' and siguiente_en is not null`.execute(db)
  return rows
}

/** How the requests of a run ended, and how many have not. */
export async function countRun(db: CentralSql, jobId: string): Promise<{ abiertas: number; conFallas: number }> {
  const { rows } = await sql<{ abiertas: number; conFallas: number }>`
    select count(*) filter (where siguiente_en is not null)::int as abiertas,
      count(*) filter (where estado in ('fallida', 'rechazada'))::int as "conFallas"
    from sat_solicitudes where job_id = ${jobId}`.execute(db)
  return rows[0] ?? { abiertas: 0, conFallas: 0 }
}

/** Since when the SAT has what was asked for longest and has no end; null when nothing is. A replacement counts from the first. */
export async function findOldestOpen(db: CentralSql, tenantId: string): Promise<Date | null> {
  const { rows } = await sql<{ at: Date | null }>`
    with recursive up as (
      select padre_id, generacion, coalesce(aceptada_en, enviada_en) as at from sat_solicitudes
      where tenant_id = ${tenantId} and siguiente_en is not null and estado <> 'terminada'
      union all
      select s.padre_id, s.generacion, coalesce(s.aceptada_en, s.enviada_en)
      from up join sat_solicitudes s on s.id = up.padre_id where up.generacion > 0
    ) select min(at) as at from up`.execute(db)
  return rows[0]?.at ?? null
}

/** Whether something is under way of which the SAT did not answer the last time it was asked. */
export async function isUnanswered(db: CentralSql, tenantId: string): Promise<boolean> {
  const { rows } = await sql`
    select from sat_solicitudes where tenant_id = ${tenantId} and siguiente_en is not null
      and codigo in ('sat.no_disponible', 'sat.en_pausa') limit 1`.execute(db)
  return rows.length > 0
}

const civil = (column: 'desde' | 'hasta') => sql.raw(`to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS')`)
