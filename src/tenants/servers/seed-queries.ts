// What is read and written inside a new tenant's database, in a session of its own role.
import { chainHash, type SchemaVersion } from '../../db/migrations.ts'
import type { OwnerSession } from './queries.ts'

/** A session of the tenant's own role in its own database. */
export type TenantSession = OwnerSession

/** How far the database's ledger says it was migrated. Version 0: not at all. */
export async function readSchemaVersion(session: TenantSession): Promise<SchemaVersion> {
  const rows = await session.query<{ version: number; checksum: string }>(
    'select version, checksum from schema_migrations where applied_at is not null order by version',
  )
  return rows.reduce<SchemaVersion>(
    ({ hash }, row) => ({ version: row.version, hash: chainHash(hash, row.checksum) }),
    { version: 0, hash: '' },
  )
}

/** Writes whose database it is and how it is taxed. False when it already says to be somebody else's. May be repeated. */
export async function seedTenant(
  session: TenantSession,
  { id, rfc, regimen }: { id: string; rfc: string; regimen: string | null },
): Promise<boolean> {
  const [row] = await session.query<{ id: string }>(
    `with mine as (insert into _tenant (id, rfc) values ($1, $2) on conflict do nothing returning id),
       taxed as (update configuracion_fiscal set regimen = $3 where $3::text is not null
         and not exists (select from _tenant where id <> $1))
     select id from mine union all select id from _tenant`,
    [id, rfc, regimen],
  )
  return row?.id === id
}
