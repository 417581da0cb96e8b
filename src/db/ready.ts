import { sql } from 'kysely'
import type { CentralDb } from './databases.ts'

/**
 * Proves that the central database answers and was migrated at least as far as this build needs. A newer schema is fine:
 * migrations go first and work under the release before.
 * @throws Error saying what is missing; AppError unavailable from the pool.
 */
export async function centralIsReady(central: CentralDb, needed: number): Promise<void> {
  const { rows } = await sql<{ version: number | null }>`
    select max(version) as version from schema_migrations where applied_at is not null`.execute(central)
  const version = rows[0]?.version ?? 0
  if (version < needed) throw new Error(`central schema is at ${version}, this build needs ${needed}: run make migrate`)
}
