import { writeAudit } from '../../db/audit.ts'
import type { CentralSql } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { By } from '../../tenants/register.ts'
import { applyEvent } from '../apply/apply-event.ts'
import { linkInvalid } from '../checkout/errors.ts'
import type { CheckoutDeps } from '../checkout/start-checkout.ts'
import { refusal } from '../errors.ts'
import { findLink, isAdminOf, type LinkRow, markLinkUsed } from '../links/queries.ts'
import { hashOfToken } from '../links/token.ts'
import { transition } from '../machine/transition.ts'
import { findTerms } from '../plans/terms.ts'
import type { Policy, Subscription } from '../subscription.ts'
import { findSubscriptionById, lockSubscription, type StoredSubscription } from '../subscription-queries.ts'

export interface Cancellation {
  stored: StoredSubscription
  /** The name of its plan. */
  plan: string
  policy: Policy
  state:
    | { kind: 'possible'; after: Subscription }
    | { kind: 'cancelled' }
    | { kind: 'used' }
    | { kind: 'refused'; mensaje: string }
}

/** What the link of a notice of renewal would do now (billing.md 3.8). Changes nothing. @throws AppError `checkout.link_invalid` */
export async function lookAtCancellation(db: CentralSql, token: string, now: Date): Promise<Cancellation> {
  const link = await requireCancelLink(db, token, now)
  const stored = await findSubscriptionById(db, link.subscriptionId)
  if (!stored || stored.tenantDeleted) throw linkInvalid()
  const { policy, plan } = await findTerms(db, stored, now)
  return { stored, plan: plan.nombre, policy, state: stateOf(link, stored.sub, now, policy) }
}

function stateOf(link: LinkRow, sub: Subscription, now: Date, policy: Policy): Cancellation['state'] {
  if (sub.cancelAt !== null || sub.estado === 'cancelada') return { kind: 'cancelled' }
  if (link.usedAt) return { kind: 'used' }
  const would = transition(sub, { kind: 'cancelar_fin_periodo' }, now, policy)
  if (would.kind === 'refused') return { kind: 'refused', mensaje: refusal(would.code, sub.estado).mensaje }
  return { kind: 'possible', after: would.sub }
}

/**
 * Cancels at the end of what is paid, on the word of whoever has the link that its admins were mailed. Once; done twice it
 * is done.
 * @throws AppError `checkout.link_invalid`; conflict `subscription.*`
 */
export async function cancelByLink(
  { central, clock, queue }: Pick<CheckoutDeps, 'central' | 'clock' | 'queue'>,
  token: string,
  { ip, requestId }: Pick<By, 'ip' | 'requestId'>,
): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const now = clock.now()
    const { subscriptionId } = await requireCancelLink(trx, token, now)
    const stored = await lockSubscription(trx, subscriptionId)
    const link = await requireCancelLink(trx, token, now)
    if (!stored || stored.tenantDeleted) throw linkInvalid()
    if (link.usedAt || stored.sub.cancelAt !== null) return
    const cause = { origin: 'owner', requestId } as const
    await applyEvent(trx, { queue }, subscriptionId, { kind: 'cancelar_fin_periodo' }, cause, now)
    await markLinkUsed(trx, link.id, now)
    const detail = { enlace: link.id }
    const deed = { at: now, action: 'subscription.cancelled', tenantId: stored.tenantId, detail }
    await writeAudit(trx, { ...deed, actor: null, ip, requestId })
  })
}

async function requireCancelLink(db: CentralSql, token: string, now: Date): Promise<LinkRow> {
  const link = await findLink(db, 'cancelacion', hashOfToken(token))
  if (!link || link.revokedAt || link.expiresAt <= now) throw linkInvalid()
  // A mail stays in its mailbox when its reader leaves the company.
  if (link.createdBy !== null && !(await isAdminOf(db, link.subscriptionId, link.createdBy))) throw linkInvalid()
  return link
}

export const isRefusal = (error: unknown): error is AppError => error instanceof AppError && error.kind === 'conflict'
