import { writeAudit } from '../../db/audit.ts'
import { formatCentavos } from '../../fiscal/money.ts'
import { queueMail } from '../../mail/outbox.ts'
import type { By } from '../../tenants/register.ts'
import { subscriptionNotFound } from '../errors.ts'
import { insertLink } from '../links/queries.ts'
import { newToken } from '../links/token.ts'
import { findAdmins } from '../notices/queries.ts'
import { findSubscriptionIdOfTenant, lockSubscription } from '../subscription-queries.ts'
import { findSale, type Sale, type Wish } from './find-sale.ts'
import type { CheckoutDeps } from './start-checkout.ts'

export interface GeneratedLink {
  /** The only time that its token is seen. */
  url: string
  expiresAt: Date
  sale: Sale
}

/**
 * Staff makes a link with which anybody may pay for a company (billing.md 3.9): 72 hours, in place of the one before, and
 * mailed to its admins. Nothing else happens to the subscription until somebody follows it.
 * @throws AppError as `findSale`
 */
export async function generateLink(
  { central, clock, queue, config }: Pick<CheckoutDeps, 'central' | 'clock' | 'queue' | 'config'>,
  tenantId: string,
  wish: Wish,
  by: By,
): Promise<GeneratedLink> {
  return central.transaction().execute(async (trx) => {
    const id = await findSubscriptionIdOfTenant(trx, tenantId)
    const stored = id && (await lockSubscription(trx, id))
    if (!stored) throw subscriptionNotFound()
    const now = clock.now()
    const sale = await findSale(trx, stored, wish, now)
    const { plan, frecuencia, amountC } = sale
    const { token, hash } = newToken()
    const expiresAt = new Date(now.getTime() + LIFE_MS)
    const linkId = await insertLink(trx, {
      kind: 'pago',
      hash,
      subscriptionId: stored.id,
      plan: { code: plan.code, version: plan.version },
      frecuencia,
      amountC,
      createdBy: by.actor?.userId ?? null,
      at: now,
      expiresAt,
    })
    const { empresa } = stored
    const offer = { empresa, plan: plan.nombre, importe: formatCentavos(amountC), frecuencia }
    for (const { id: userId, nombre, email } of await findAdmins(trx, tenantId))
      await queueMail(trx, queue, {
        to: { email, nombre },
        template: 'enlace_pago',
        data: { nombre, ...offer, token, venceEl: expiresAt.toISOString() },
        dedupeKey: `enlace_pago:${linkId}:${userId}`,
        tenantId,
      })
    const detail = { enlace: linkId, plan: plan.code, version: plan.version, frecuencia, importe: offer.importe }
    await writeAudit(trx, { at: now, action: 'subscription.link', tenantId, detail, ...by })
    return { url: `${config.publicUrl}/pagar/${token}`, expiresAt, sale }
  })
}

const LIFE_MS = 72 * 3_600_000
