import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { addDays, fechaOf } from '../../fiscal/fecha.ts'

interface Trial {
  id: string
  tenantId: string
  plan: { code: string; version: number }
  now: Date
}

/**
 * The trial every company is born with, and the first line of its history. It has no period yet: periods begin with the
 * first payment. Due at once: the machine's first look says when the next one is. A repeat changes nothing.
 */
export async function insertTrial(trx: CentralTx, { id, tenantId, plan, now }: Trial): Promise<void> {
  const trialUntil = addDays(fechaOf(now), await findTrialDays(trx))
  const inserted = await trx
    .insertInto('subscriptions')
    .values({
      id,
      tenant_id: tenantId,
      plan_code: plan.code,
      plan_version: plan.version,
      estado: 'trial',
      trial_until: trialUntil,
      entered_at: now,
      next_due_at: now,
    })
    .onConflict((oc) => oc.column('tenant_id').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!inserted) return
  await trx
    .insertInto('subscription_events')
    .values({
      id: uuidv7(),
      subscription_id: id,
      tenant_id: tenantId,
      at: now,
      event: 'trial_iniciado',
      origin: 'system',
      rule: 'alta',
      outcome: 'next',
      before: {},
      after: { estado: 'trial', trialEnd: trialUntil, plan: plan.code, version: plan.version },
      value_before_c: 0,
      value_after_c: 0,
    })
    .execute()
}

/** How long a trial is, days. 14 unless the policy says otherwise (billing.md 3.3). */
async function findTrialDays(db: CentralSql): Promise<number> {
  const { days } = await db
    .selectFrom('billing_policy')
    .select(sql<number>`coalesce((policy->>'trialDays')::int, 14)`.as('days'))
    .executeTakeFirstOrThrow()
  return days
}
