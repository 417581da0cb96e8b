import { type Selectable, sql } from 'kysely'
import { z } from 'zod'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { CentralPlans } from '../../db/tables.ts'
import { features } from './features.ts'
import type { Plan, PlanTerms } from './plan.ts'

/** A version of a plan, current or not: what a subscription was sold. */
export async function findPlan(db: CentralSql, code: string, version: number): Promise<Plan | undefined> {
  const row = await plans(db).where('code', '=', code).where('version', '=', version).executeTakeFirst()
  return row && toPlan(row)
}

/** The version of a plan that is sold now. */
export async function findCurrentPlan(db: CentralSql, code: string): Promise<Plan | undefined> {
  const row = await plans(db).where('code', '=', code).where('current', '=', true).executeTakeFirst()
  return row && toPlan(row)
}

/** The version that is sold now, with its place in the plan's history. */
export async function findCurrentVersion(db: CentralSql, code: string): Promise<PlanVersion | undefined> {
  const row = await plans(db).where('code', '=', code).where('current', '=', true).executeTakeFirst()
  return row && toVersion(row)
}

/** A version with its place in the plan's history. */
export interface PlanVersion {
  plan: Plan
  current: boolean
  createdAt: Date
}

export interface PlanFilter {
  /** Also the versions that are no longer sold. */
  history: boolean
  after?: { code: string; version: number } | undefined
  limit: number
}

/** By code, the newest version of each first. */
export async function listPlanVersions(db: CentralSql, { history, after, limit }: PlanFilter): Promise<PlanVersion[]> {
  let query = plans(db)
  if (!history) query = query.where('current', '=', true)
  if (after)
    query = query.where((eb) =>
      eb.or([eb('code', '>', after.code), eb('code', '=', after.code).and('version', '<', after.version)]),
    )
  const rows = await query.orderBy('code').orderBy('version', 'desc').limit(limit).execute()
  return rows.map(toVersion)
}

/** From here on nobody else makes or changes plans until the transaction ends; a plan that does not exist yet has no row to lock. */
export async function lockPlans(trx: CentralTx): Promise<void> {
  await sql`lock table plans in share row exclusive mode`.execute(trx)
}

/** The next version of a plan, which is the one sold from here on. Under `lockPlans`. */
export async function insertPlanVersion(
  trx: CentralTx,
  terms: PlanTerms,
  { at, by }: { at: Date; by: string | null },
): Promise<PlanVersion> {
  await trx
    .updateTable('plans')
    .set({ current: false })
    .where('code', '=', terms.code)
    .where('current', '=', true)
    .execute()
  const row = await trx
    .insertInto('plans')
    .values((eb) => ({
      code: terms.code,
      version: sql<number>`(${eb
        .selectFrom('plans')
        .select(sql`coalesce(max(version), 0) + 1`.as('next'))
        .where('code', '=', terms.code)})`,
      nombre: terms.nombre,
      price_month_c: terms.priceMonthC,
      price_year_c: terms.priceYearC,
      extra_user_c: terms.extraUserC,
      tax_mode: terms.taxMode,
      tax_rate_bp: terms.taxRateBp,
      cfdi_limit: terms.cfdiLimit,
      user_limit: terms.userLimit,
      user_limit_mode: terms.userLimitMode,
      cfdi_limit_mode: terms.cfdiLimitMode,
      features: terms.features,
      created_at: at,
      created_by: by,
    }))
    .returningAll()
    .executeTakeFirstOrThrow()
  return toVersion(row)
}

const plans = (db: CentralSql) => db.selectFrom('plans').selectAll()

// One that this release does not know was put there by a later one, beside which it still runs: not ours to gate.
const Features = z.array(z.string()).transform((names) => features.filter((feature) => names.includes(feature)))

const toVersion = (row: Selectable<CentralPlans>): PlanVersion => ({
  plan: toPlan(row),
  current: row.current,
  createdAt: row.created_at,
})

function toPlan(row: Selectable<CentralPlans>): Plan {
  return {
    code: row.code,
    version: row.version,
    nombre: row.nombre,
    priceMonthC: centavos(row.price_month_c),
    priceYearC: centavos(row.price_year_c),
    extraUserC: centavos(row.extra_user_c),
    taxMode: row.tax_mode,
    taxRateBp: row.tax_rate_bp,
    cfdiLimit: row.cfdi_limit,
    userLimit: row.user_limit,
    userLimitMode: row.user_limit_mode,
    cfdiLimitMode: row.cfdi_limit_mode,
    features: Features.parse(row.features),
  }
}

const centavos = (value: string | null) => (value === null ? null : BigInt(value))
