import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import { addDays, fechaOf } from '../../fiscal/fecha.ts'

interface Beginning {
  id: string
  tenantId: string
  plan: { code: string; version: number }
  /** Without it the first payment is awaited at once, with full access meanwhile (billing.md 3.1, `alta`). */
  trial: boolean
  now: Date
}

/**
 * The subscription every company is born with, and the first line of its history. It has no period yet: periods begin with
 * the first payment. Due at once: the machine's first look says when the next one is. A repeat changes nothing.
 */
export async function insertSubscription(trx: CentralTx, { id, tenantId, plan, trial, now }: Beginning): Promise<void> {
  const { trialDays, altaDays } = await findDays(trx)
  const first = trial
    ? { estado: 'trial' as const, motivo: null, trial_until: addDays(fechaOf(now), trialDays), deadline_at: null }
    : {
        estado: 'pendiente_pago' as const,
        motivo: 'alta',
        trial_until: null,
        deadline_at: new Date(now.getTime() + altaDays * 86_400_000),
      }
  const inserted = await trx
    .insertInto('subscriptions')
    .values({
      id,
      tenant_id: tenantId,
      plan_code: plan.code,
      plan_version: plan.version,
      ...first,
      entered_at: now,
      next_due_at: now,
    })
    .onConflict((oc) => oc.column('tenant_id').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!inserted) return
  const { estado, motivo, trial_until: trialEnd } = first
  await trx
    .insertInto('subscription_events')
    .values({
      id: uuidv7(),
      subscription_id: id,
      tenant_id: tenantId,
      at: now,
      event: trial ? 'trial_iniciado' : 'alta_sin_trial',
      origin: 'system',
      rule: 'alta',
      outcome: 'next',
      before: {},
      after: { estado, motivo, trialEnd, plan: plan.code, version: plan.version },
      value_before_c: 0,
      value_after_c: 0,
    })
    .execute()
}

/** How long a trial is and how long a first payment is awaited, days: 14 and 7 unless the policy says otherwise (3.3). */
async function findDays(db: CentralSql): Promise<{ trialDays: number; altaDays: number }> {
  return db
    .selectFrom('billing_policy')
    .select(sql<number>`coalesce((policy->>'trialDays')::int, 14)`.as('trialDays'))
    .select(sql<number>`coalesce((policy->>'altaTtlDays')::int, 7)`.as('altaDays'))
    .executeTakeFirstOrThrow()
}
