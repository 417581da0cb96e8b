import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Period } from '../periods.ts'
import type { Frecuencia } from '../subscription.ts'

export interface PlanChangeRow {
  id: string
  subscriptionId: string
  from: { code: string; version: number; frecuencia: Frecuencia }
  to: { code: string; version: number; frecuencia: Frecuencia }
  state: 'pendiente_pago' | 'aplicado' | 'descartado'
  onDay: string
  remaining: number
  days: number
  /** Zero or below. */
  creditC: Centavos
  chargeC: Centavos
  connectorId: string | null
  initPoint: string | null
  expiresAt: Date | null
}

export async function insertPlanChange(
  trx: CentralTx,
  row: Omit<PlanChangeRow, 'initPoint' | 'connectorId'> & { requestedBy: string | null; at: Date },
): Promise<void> {
  await trx
    .insertInto('plan_changes')
    .values({
      id: row.id,
      subscription_id: row.subscriptionId,
      from_plan: row.from.code,
      from_version: row.from.version,
      from_frecuencia: row.from.frecuencia,
      to_plan: row.to.code,
      to_version: row.to.version,
      to_frecuencia: row.to.frecuencia,
      state: row.state,
      on_day: row.onDay,
      factor_num: row.remaining,
      factor_den: row.days,
      credit_c: row.creditC,
      charge_c: row.chargeC,
      expires_at: row.expiresAt,
      requested_by: row.requestedBy,
      created_at: row.at,
      applied_at: row.state === 'aplicado' ? row.at : null,
    })
    .execute()
}

/** Where its difference is paid. */
export async function setPreference(
  db: CentralSql,
  id: string,
  preference: { connectorId: string; preferenceId: string; initPoint: string },
): Promise<void> {
  await db
    .updateTable('plan_changes')
    .set({
      connector_id: preference.connectorId,
      preference_id: preference.preferenceId,
      init_point: preference.initPoint,
    })
    .where('id', '=', id)
    .execute()
}

export async function findPlanChange(db: CentralSql, id: string): Promise<PlanChangeRow | undefined> {
  const row = await changes(db).where('id', '=', id).executeTakeFirst()
  return row && toRow(row)
}

export async function findPendingChange(db: CentralSql, subscriptionId: string): Promise<PlanChangeRow | undefined> {
  const row = await changes(db)
    .where('subscription_id', '=', subscriptionId)
    .where('state', '=', 'pendiente_pago')
    .executeTakeFirst()
  return row && toRow(row)
}

/** @returns whether it was pending */
export async function closePlanChange(
  trx: CentralTx,
  id: string,
  state: 'aplicado' | 'descartado',
  at: Date,
): Promise<boolean> {
  const row = await trx
    .updateTable('plan_changes')
    .set({ state, applied_at: state === 'aplicado' ? at : null })
    .where('id', '=', id)
    .where('state', '=', 'pendiente_pago')
    .returning('id')
    .executeTakeFirst()
  if (state === 'descartado' && row) {
    await trx
      .updateTable('invoices')
      .set({ status: 'void', closed_at: at })
      .where('plan_change_id', '=', id)
      .where('status', '=', 'open')
      .execute()
  }
  return row !== undefined
}

export interface PriceBought {
  /** What was charged for the plan when the period was paid; undefined where no payment bought it. */
  priceC: Centavos | undefined
  /** When another plan took its place within the period for the last time. */
  changedAt: Date | null
}

/** What a subscription's period was sold for, whatever its price has become since. */
export async function findPriceBought(db: CentralSql, subscriptionId: string, period: Period): Promise<PriceBought> {
  const sold = await db
    .selectFrom('invoices as i')
    .innerJoin('invoice_lines as l', 'l.invoice_id', 'i.id')
    .select(['i.id', 'l.amount_c'])
    .where('i.subscription_id', '=', subscriptionId)
    .where('i.status', '=', 'paid')
    .where('i.period_start', '=', period.start)
    .where('i.period_end', '=', period.end)
    .where('l.kind', '=', 'plan')
    .orderBy('i.number', 'desc')
    .limit(1)
    .executeTakeFirst()
  let changes = db
    .selectFrom('plan_changes')
    .select('applied_at as at')
    .where('subscription_id', '=', subscriptionId)
    .where('state', '=', 'aplicado')
    .where('on_day', '>=', period.start)
    .where('on_day', '<', period.end)
    .whereRef('from_frecuencia', '=', 'to_frecuencia')
  // One of the day on which the period began may belong to the life before it.
  if (sold) changes = changes.where('id', '>', sold.id)
  const changed = await changes.orderBy('id', 'desc').limit(1).executeTakeFirst()
  return { priceC: sold && BigInt(sold.amount_c), changedAt: changed?.at ?? null }
}

/** Offers of a change that nobody paid in time. */
export async function findExpiredChanges(db: CentralSql, now: Date): Promise<{ id: string; subscriptionId: string }[]> {
  return db
    .selectFrom('plan_changes')
    .select(['id', 'subscription_id as subscriptionId'])
    .where('state', '=', 'pendiente_pago')
    .where('expires_at', '<=', now)
    .limit(200)
    .execute()
}

const changes = (db: CentralSql) => db.selectFrom('plan_changes').selectAll()

type Row = Awaited<ReturnType<ReturnType<typeof changes>['executeTakeFirstOrThrow']>>

const toRow = (row: Row): PlanChangeRow => ({
  id: row.id,
  subscriptionId: row.subscription_id,
  from: { code: row.from_plan, version: row.from_version, frecuencia: row.from_frecuencia as Frecuencia },
  to: { code: row.to_plan, version: row.to_version, frecuencia: row.to_frecuencia as Frecuencia },
  state: row.state,
  onDay: row.on_day,
  remaining: row.factor_num,
  days: row.factor_den,
  creditC: BigInt(row.credit_c),
  chargeC: BigInt(row.charge_c),
  connectorId: row.connector_id,
  initPoint: row.init_point,
  expiresAt: row.expires_at,
})
