import { uuidv7 } from 'uuidv7'
import { applyEvent } from '../../src/billing/apply/apply-event.ts'
import { fechaOf } from '../../src/fiscal/fecha.ts'
import { parseCentavos } from '../../src/fiscal/money.ts'
import type { BillingWorld, Company } from './billing-world.ts'

/** A transfer that arrived today, as the machine hears of it: for tests that are about what comes after. */
export async function payByTransfer(
  { product }: BillingWorld,
  { id: tenantId, subscriptionId }: Pick<Company, 'id' | 'subscriptionId'>,
  importe: string,
): Promise<string> {
  const { central, clock } = product.deps
  const id = uuidv7()
  await central.transaction().execute(async (trx) => {
    const now = clock.now()
    const row = {
      id,
      tenant_id: tenantId,
      subscription_id: subscriptionId,
      provider: 'transferencia' as const,
      status: 'approved' as const,
      provider_status: 'approved',
      amount_c: parseCentavos(importe),
      reference: id,
      paid_at: now,
      created_at: now,
      updated_at: now,
    }
    await trx.insertInto('payments').values(row).execute()
    const paid = { paymentId: id, paidOn: fechaOf(now), medio: 'transferencia', mandateId: null } as const
    await applyEvent(trx, product.deps, subscriptionId, { kind: 'pago_aprobado', ...paid }, { origin: 'staff' }, now)
  })
  return id
}
