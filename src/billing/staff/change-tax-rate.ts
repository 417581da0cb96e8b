import { writeAudit } from '../../db/audit.ts'
import type { By } from '../../tenants/register.ts'
import { subscriptionNotFound } from '../errors.ts'
import type { CommandDeps } from '../own/command-subscription.ts'
import { findSubscriptionIdOfTenant, lockSubscription } from '../subscription-queries.ts'
import { setTaxRate } from './queries.ts'

/**
 * The rate of IVA of one company, in basis points; null for that of its plan. Invoices that are not paid yet follow it when
 * they are drawn again; what was paid stays as it was. @throws AppError `subscription.not_found`
 */
export async function changeTaxRate(
  { central, clock }: Pick<CommandDeps, 'central' | 'clock'>,
  tenantId: string,
  taxRateBp: number | null,
  by: By,
): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const id = await findSubscriptionIdOfTenant(trx, tenantId)
    const stored = id === undefined ? undefined : await lockSubscription(trx, id)
    if (!stored) throw subscriptionNotFound()
    if (stored.taxRateBp === taxRateBp) return
    await setTaxRate(trx, stored.id, taxRateBp)
    const detail = { before: stored.taxRateBp, after: taxRateBp }
    await writeAudit(trx, { at: clock.now(), action: 'subscription.tax_rate', tenantId, detail, ...by })
  })
}
