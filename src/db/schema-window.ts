import { readMigrations, TENANT_MIGRATIONS } from './migrate.ts'
import { schemaVersionOf } from './migrations.ts'

/** The oldest tenant schema that this code works with. Raised when code is dropped that knew an older one. */
export const MIN_TENANT_SCHEMA = 1

/** What versions of the tenant schema this build understands: from the oldest it still works with to that of its files. */
export function tenantSchemaWindow(): { min: number; current: number } {
  return { min: MIN_TENANT_SCHEMA, current: schemaVersionOf(readMigrations(TENANT_MIGRATIONS)).version }
}
