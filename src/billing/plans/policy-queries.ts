import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Policy } from '../subscription.ts'
import { differencesOf, withDifferences } from './policy.ts'

/** The rules in force: the defaults and what staff decided otherwise. */
export async function findPolicy(db: CentralSql): Promise<Policy> {
  return (await findBillingRules(db)).policy
}

/** Where payers send a transfer (bank, CLABE, reference), as staff wrote it; null until they do. */
export async function findTransferInstructions(db: CentralSql): Promise<string | null> {
  return (await findBillingRules(db)).transferInstructions
}

export interface BillingRules {
  policy: Policy
  transferInstructions: string | null
  updatedAt: Date
}

export async function findBillingRules(db: CentralSql): Promise<BillingRules> {
  return toRules(await rules(db).executeTakeFirstOrThrow())
}

/** Whoever changes the rules comes one after the other. */
export async function lockBillingRules(trx: CentralTx): Promise<BillingRules> {
  return toRules(await rules(trx).forUpdate().executeTakeFirstOrThrow())
}

export async function saveBillingRules(
  trx: CentralTx,
  { policy, transferInstructions }: Pick<BillingRules, 'policy' | 'transferInstructions'>,
  { at, by }: { at: Date; by: string | null },
): Promise<void> {
  await trx
    .updateTable('billing_policy')
    .set({
      policy: differencesOf(policy),
      transfer_instructions: transferInstructions,
      updated_at: at,
      updated_by: by,
    })
    .execute()
}

/** Has the sweep look at every subscription that waits for something: under other rules it may be due at another time. */
export async function reconsiderSubscriptions(trx: CentralTx, now: Date): Promise<void> {
  await trx.updateTable('subscriptions').set({ next_due_at: now }).where('next_due_at', '>', now).execute()
}

const rules = (db: CentralSql) =>
  db.selectFrom('billing_policy').select(['policy', 'transfer_instructions', 'updated_at'])

const toRules = (row: { policy: unknown; transfer_instructions: string | null; updated_at: Date }): BillingRules => ({
  policy: withDifferences(row.policy),
  transferInstructions: row.transfer_instructions,
  updatedAt: row.updated_at,
})
