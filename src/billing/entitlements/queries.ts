import { sql } from 'kysely'
import type { CentralSql, TenantSql } from '../../db/databases.ts'
import { findOverrideChange, findOverrides } from '../plans/override-queries.ts'
import type { Plan } from '../plans/plan.ts'
import { findPolicy } from '../plans/policy-queries.ts'
import { findPlan } from '../plans/queries.ts'
import { findSubscription } from '../subscription-queries.ts'
import { compute, type Entitlements, type Grounds, type Sold } from './entitlements.ts'

/** What a company may do at `now`, from the database. */
export async function findEntitlements(db: CentralSql, tenantId: string, now: Date): Promise<Entitlements> {
  return compute(await findGrounds(db, tenantId, now), now)
}

/**
 * What a snapshot is made of. The version is read first: whatever changes while the rest is read moves it, and whoever
 * compares sees that the snapshot is old.
 */
export async function findGrounds(db: CentralSql, tenantId: string, now: Date): Promise<Grounds> {
  const version = (await findVersions(db, [tenantId])).get(tenantId) ?? ''
  const sold = await findSold(db, tenantId, now)
  return { tenantId, version, sold, policy: await findPolicy(db) }
}

async function findSold(db: CentralSql, tenantId: string, now: Date): Promise<Sold | undefined> {
  const stored = await findSubscription(db, tenantId)
  if (!stored) return undefined
  const { sub, planCode, planVersion, taxRateBp } = stored
  const plan = await findPlan(db, planCode, planVersion)
  if (!plan) throw new Error(`plan ${planCode} ${planVersion} of subscription ${stored.id} is gone`)
  const overrides = await findOverrides(db, tenantId, now)
  const overridesChangeAt = await findOverrideChange(db, tenantId, now)
  return { sub, plan, taxRateBp, overrides, overridesChangeAt }
}

/**
 * The version of what each of these companies may do: it moves with `tenants.entitlements_version`, which triggers keep,
 * and with the rules of billing. One that is missing does not exist any more.
 */
export async function findVersions(db: CentralSql, tenantIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; version: string }>`
    select t.id, t.entitlements_version || '.' || left(md5(p.policy::text), 8) as version
    from tenants t cross join billing_policy p
    where t.id = any(${[...tenantIds]}::uuid[])`.execute(db)
  return new Map(rows.map(({ id, version }) => [id, version]))
}

/** The cheapest plan on sale that has a feature; of those without a price, which staff has yet to set, the smallest. */
export async function findCheapestPlanWith(db: CentralSql, feature: Plan['features'][number]) {
  return db
    .selectFrom('plans')
    .select(['code', 'nombre'])
    .where('current', '=', true)
    .where(sql<boolean>`features ? ${feature}::text`)
    .orderBy('price_month_c', (order) => order.asc().nullsLast())
    .orderBy(sql`jsonb_array_length(features)`)
    .orderBy('code')
    .limit(1)
    .executeTakeFirst()
}

/** CFDI of a company as its limit counts them. */
export async function findCfdiCount(db: TenantSql): Promise<number> {
  const row = await db.selectFrom('usage').select('n').where('kind', '=', 'cfdi').executeTakeFirstOrThrow()
  return Number(row.n)
}
