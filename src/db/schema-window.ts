import { readMigrations, TENANT_MIGRATIONS } from './migrate.ts'
import { schemaVersionOf } from './migrations.ts'

/**
 * The oldest tenant schema that this code works with: raised with the code that needs a newer one. A company below it is
 * told to wait and is migrated first; entered all the same, it would be answered with errors of ours.
 */
export const MIN_TENANT_SCHEMA = 12

/** What versions of the tenant schema this build understands: from the oldest it still works with to that of its files. */
export function tenantSchemaWindow(): { min: number; current: number } {
  return { min: MIN_TENANT_SCHEMA, current: schemaVersionOf(readMigrations(TENANT_MIGRATIONS)).version }
}
