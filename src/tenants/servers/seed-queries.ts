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
  await session.query('insert into _tenant (id, rfc) values ($1, $2) on conflict do nothing', [id, rfc])
  const [row] = await session.query<{ id: string }>('select id from _tenant')
  if (row?.id !== id) return false
  if (regimen !== null) await session.query('update configuracion_fiscal set regimen = $1', [regimen])
  return true
}
