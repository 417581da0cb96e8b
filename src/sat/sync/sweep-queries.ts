import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Pendiente } from './admit.ts'
import { isDue, isPackageDue } from './due-queries.ts'
import { MOST_OPEN, PAUSE_MS } from './limits.ts'

/**
 * Companies whose night has come, or whose next one lies farther ahead than any: then a clock went wrong. Locked; those
 * that cannot be entered now keep their turn for when they can.
 */
export async function lockDueNights(trx: CentralTx, now: Date, limit: number): Promise<string[]> {
  const farthest = new Date(now.getTime() + 25 * 3_600_000)
  const { rows } = await sql<{ tenantId: string }>`
    select s.tenant_id as "tenantId" from sat_sync_settings s
    join tenant_databases d on d.tenant_id = s.tenant_id and d.state = 'active'
    where s.next_run_at is not null and (s.next_run_at <= ${now} or s.next_run_at > ${farthest})
    order by s.next_run_at limit ${limit} for update of s skip locked`.execute(trx)
  return rows.map(({ tenantId }) => tenantId)
}

/** Each of them has a run to plan, the open one or a new one, and another night. */
export async function orderNights(
  trx: CentralTx,
  nights: readonly { tenantId: string; next: Date }[],
  now: Date,
): Promise<void> {
  const ids = nights.map(({ tenantId }) => tenantId)
  await sql`
    insert into sat_sync_jobs (id, tenant_id, kind, estado, created_at)
    select n.id, n.tenant_id, case when s.last_run_at is null then 'inicial' else 'nocturna' end, 'pendiente', ${now}
    from unnest(${ids.map(() => uuidv7())}::uuid[], ${ids}::uuid[]) as n(id, tenant_id)
    join sat_sync_settings s using (tenant_id)
    on conflict (tenant_id) where estado in ('pendiente', 'en_curso') do update set por_planear = true`.execute(trx)
  await sql`
    update sat_sync_settings s set next_run_at = n.next, updated_at = ${now}
    from unnest(${ids}::uuid[], ${nights.map(({ next }) => next)}::timestamptz[]) as n(tenant_id, next)
    where s.tenant_id = n.tenant_id`.execute(trx)
}

/**
 * Companies with an open run of which something is due: to plan, to ask, to look after, or to end; and at which hosts of the
 * SAT. Of those in a pause only the ones whose pause is to be looked at; one that waits for its plan goes on with the rest.
 * What may not be sent now is not due: a company that the SAT or its plan keeps waiting for days has no turn each minute.
 */
export const findPendientes = async (db: CentralSql, now: Date): Promise<Pendiente[]> =>
  (await pendientes(now).execute(db)).rows

/** Its statement, which must read no table of requests whole. */
export const pendientes = (now: Date) => sql<Pendiente>`
    select * from (
      select j.tenant_id as "tenantId",
        j.por_planear
          or exists (select from sat_solicitudes q where q.tenant_id = j.tenant_id and q.estado in ('enviando', 'terminada')
            and ${isDue(now, 'q')})
          or exists (select from sat_paquetes p where p.tenant_id = j.tenant_id
            and (p.estado <> 'pendiente' or p.vence_en <= ${now}) and ${isPackageDue(now, 'p')})
          or not exists (select from sat_solicitudes q where q.tenant_id = j.tenant_id and q.siguiente_en is not null)
          as propio,
        array(
          select q.servicio || '.solicita' from sat_solicitudes q
          where q.tenant_id = j.tenant_id and ${isDue(now, 'q')} and (q.estado in ('aceptada', 'en_proceso')
            or q.estado = 'por_enviar'
              and (q.tipo = 'Metadata' or s.paused_code is distinct from 'cfdi.limite' or s.look_again_at <= ${now})
              and (select count(*) filter (where o.estado in ('enviando', 'aceptada', 'en_proceso')) < ${MOST_OPEN}
                  and count(*) filter (where o.estado = 'terminada') < ${MOST_OPEN}
                from sat_solicitudes o where o.tenant_id = j.tenant_id and o.siguiente_en is not null))
          union
          select r.servicio || '.descarga' from sat_paquetes p join sat_solicitudes r on r.id = p.solicitud_id
          where p.tenant_id = j.tenant_id and p.estado = 'pendiente' and p.vence_en > ${now} and ${isPackageDue(now, 'p')}
        ) as anfitriones
      from sat_sync_jobs j
      join sat_sync_settings s on s.tenant_id = j.tenant_id
      join tenant_databases d on d.tenant_id = j.tenant_id and d.state = 'active'
      where j.estado in ('pendiente', 'en_curso')
        and (s.paused_code is null or s.paused_code = 'cfdi.limite' or s.look_again_at is null
          or s.look_again_at <= ${now} or s.look_again_at > ${new Date(now.getTime() + 2 * PAUSE_MS)})
    ) pendientes
    where propio or anfitriones <> '{}'`
