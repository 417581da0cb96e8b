import { uuidv7 } from 'uuidv7'
import { openAs } from '../../src/db/client.ts'

/** Five past six in the morning of 11 February in Mexico City: the window of three hours is over. */
export const NIGHT = new Date('2026-02-11T12:05:00Z')

/**
 * Companies with ten weeks of nights behind them, the last of them the one before, in placements that nobody can enter. This
 * night has come for all of them. @returns their ids
 */
export async function manyCompanies(centralOwnerUrl: string, count: number): Promise<string[]> {
  const owner = await openAs(centralOwnerUrl)
  const made = Array.from({ length: count }, () => uuidv7())
  await owner.query(
    `insert into tenants (id, rfc, nombre)
     select id, 'XYZ' || lpad(n::text, 9, '0'), 'De prueba' from unnest($1::uuid[]) with ordinality as t(id, n)`,
    [made],
  )
  await owner.query(
    `insert into tenant_databases (tenant_id, server_id, database_name, role_name, state, schema_version)
     select t.id, s.id, 'horux_nadie_' || t.number, 'hxt_' || t.number, 'active', 1 from tenants t, database_servers s`,
  )
  await owner.query(
    `insert into sat_sync_settings (tenant_id, history_from, next_run_at, last_run_at, weekly_at, covered_until, created_at,
       updated_at)
     select id, '2025-01-01', $1::timestamptz - interval '1 hour', now(), $1::timestamptz - interval '2 days',
       '{"cfdi.emitidos": "2026-02-09T23:59:59", "cfdi.recibidos": "2026-02-09T23:59:59",
         "retenciones.emitidos": "2026-02-09T23:59:59", "retenciones.recibidos": "2026-02-09T23:59:59"}',
       now(), now() from tenants`,
    [NIGHT.toISOString()],
  )
  await owner.query(
    `insert into sat_sync_jobs (id, tenant_id, kind, estado, created_at)
     select gen_random_uuid(), id, 'inicial', 'terminada', now() from tenants`,
  )
  await owner.query(
    `insert into sat_solicitudes (id, tenant_id, job_id, rfc, servicio, direccion, tipo, desde, hasta, parametros, huella,
       estado, creada_en, actualizada_en)
     select gen_random_uuid(), t.id, j.id, t.rfc, 'cfdi', d, 'CFDI', day, day + interval '23:59:59', '{}',
       sha256(convert_to(t.rfc || d || day, 'UTF8')), 'completa', day, day
     from tenants t join sat_sync_jobs j on j.tenant_id = t.id, unnest(array['emitidos', 'recibidos']) d,
       generate_series('2025-12-01'::timestamp, '2026-02-09', interval '1 day') day`,
  )
  await owner.query('analyze sat_solicitudes')
  await owner.end()
  return made
}
