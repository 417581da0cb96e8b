import { sql } from 'kysely'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { CentralDb, CentralSql } from './databases.ts'

/** What a process tells the others about itself. */
export interface InstanceDescription {
  role: 'api' | 'worker'
  version: string
  /** Connections to tenant databases that it may open on one server. */
  budget: number
  schema: { min: number; current: number }
}

export interface Instance {
  id: string
  /** Takes the row away, so that nobody waits for a process that has ended. */
  stop(): Promise<void>
}

/**
 * Keeps this process's row in `app_instances` alive. A central database that does not answer stops nothing: the row
 * comes with the next beat.
 */
export async function registerInstance(
  central: CentralDb,
  described: InstanceDescription,
  log: Pick<Logger, 'warn'>,
  heartbeatMs = 10_000,
): Promise<Instance> {
  const id = uuidv7()
  let beating: Promise<void> | undefined
  // One at a time: of two under way `stop` would wait for the later one, and the earlier one put the row back.
  const beatSafely = () => {
    beating ??= beat(central, id, described)
      .catch((err: unknown) => log.warn({ err }, 'could not say that we are alive'))
      .finally(() => {
        beating = undefined
      })
    return beating
  }
  await beatSafely()
  const timer = setInterval(beatSafely, heartbeatMs).unref()
  return {
    id,
    async stop() {
      clearInterval(timer)
      // A beat that is still under way would put the row back.
      await beating
      await central.deleteFrom('app_instances').where('id', '=', id).execute()
    },
  }
}

async function beat(central: CentralDb, id: string, { role, version, budget, schema }: InstanceDescription) {
  const row = { role, version, tenant_budget: budget, min_tenant_schema: schema.min, max_tenant_schema: schema.current }
  await central
    .insertInto('app_instances')
    .values({ id, ...row })
    .onConflict((oc) => oc.column('id').doUpdateSet({ heartbeat_at: sql`now()` }))
    .execute()
  await central.deleteFrom('app_instances').where('heartbeat_at', '<', sql<Date>`now() - interval '1 day'`).execute()
}

export interface ConnectionBudget {
  /** What the living processes may open together on one server of tenants. */
  planned: number
  /** What the server of the central database has, less what is reserved and ten for people and the queue. */
  available: number
  fits: boolean
}

/**
 * Whether the budgets of all living processes fit into the server. Where tenants live on servers of their own, the
 * same comparison is made there by `horux doctor`.
 */
export async function checkConnectionBudget(central: CentralSql): Promise<ConnectionBudget> {
  const { planned } = await central
    .selectFrom('app_instances')
    .where('heartbeat_at', '>', sql<Date>`now() - interval '1 minute'`)
    .select((eb) => sql<number>`coalesce(${eb.fn.sum('tenant_budget')}, 0)::int`.as('planned'))
    .executeTakeFirstOrThrow()
  const { rows } = await sql<{ available: number }>`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0) - 10 as available`.execute(central)
  const available = rows[0]?.available ?? 0
  return { planned, available, fits: planned <= available }
}
