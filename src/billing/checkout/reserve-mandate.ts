import { uuidv7 } from 'uuidv7'
import type { CentralTx } from '../../db/databases.ts'
import { applyEvent } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { setCancelledByUs } from '../apply/queries.ts'
import { insertCommand } from '../commands/queries.ts'
import { type Connector, payerEmailOn } from '../connectors/connector.ts'
import { subscriptionNotFound } from '../errors.ts'
import { markLinkUsed, revokePaymentLinks } from '../links/queries.ts'
import { lockSubscription, type StoredSubscription } from '../subscription-queries.ts'
import { alreadyAuthorized, linkStale, tooManyAttempts } from './errors.ts'
import { findSale, type Sale, type Wish } from './find-sale.ts'
import { isAuthorizedSince, requireLink, sellsAs, wishOf } from './payment-link.ts'
import {
  type CheckoutTerms,
  countAttempts,
  findLastAttempt,
  findOpenCheckouts,
  findOutdatedCheckouts,
  insertMandate,
  setPayerEmail,
} from './queries.ts'
import { sell } from './sell.ts'
import type { CheckoutDeps } from './start-checkout.ts'

export interface CheckoutRequest {
  subscriptionId: string
  wish: Wish
  /** Of the link that was followed, which says in place of `wish` what is sold: that, or nothing. */
  token?: string | undefined
  /** Of the payer's account at MercadoPago, as he wrote it. */
  correoPagador: string
  cause: Cause
}

export interface ReservedMandate {
  id: string
  externalReference: string
}

export type Reserved = { stored: StoredSubscription; sale: Sale } & (
  | { next: 'reuse'; initPoint: string }
  /** Begun before and never answered: they may be at MercadoPago. */
  | { next: 'look'; unanswered: readonly ReservedMandate[]; payerEmail: string }
  | { next: 'ask'; mandate: ReservedMandate; payerEmail: string }
)

/**
 * The first of a checkout's two transactions: what is sold, decided under the lock of the subscription, and the row of
 * the mandate, before anybody asks MercadoPago for it. Asked again within a day with the same terms it is the same one.
 * Without `look`, those that were never answered were looked for in vain.
 * @throws AppError as `findSale`; conflict `checkout.link_stale`, `checkout.already_authorized`; too_many
 *   `checkout.too_many_attempts`
 */
export async function reserveMandate(
  trx: CentralTx,
  deps: Pick<CheckoutDeps, 'queue'>,
  request: CheckoutRequest,
  { connector, look, now }: { connector: Connector; look: boolean; now: Date },
): Promise<Reserved> {
  const { subscriptionId, wish, token, correoPagador, cause } = request
  const stored = await lockSubscription(trx, subscriptionId)
  if (!stored) throw subscriptionNotFound()
  const link = token === undefined ? undefined : await requireLink(trx, token, now)
  if (link && isAuthorizedSince(stored, link.createdAt)) throw alreadyAuthorized()
  const sale = await findSale(trx, stored, link ? wishOf(link) : wish, now)
  const { plan, frecuencia, amountC } = sale
  if (link && !sellsAs(link, sale)) throw linkStale()
  if (link) await markLinkUsed(trx, link.id, now)
  else if (sale.isChange) await revokePaymentLinks(trx, stored.id, now)
  if (sale.isChange) await sell(trx, deps, stored, sale, cause, now)
  await setPayerEmail(trx, stored.id, correoPagador)

  const payerEmail = payerEmailOn(connector, correoPagador)
  const sold = { code: plan.code, version: plan.version }
  const terms = { subscriptionId, connectorId: connector.id, payerEmail, amountC, plan: sold, frecuencia }
  const answer = { stored, sale }
  const open = await findOpenCheckouts(trx, terms, new Date(now.getTime() - REUSED_MS))
  const pending = open.find(({ status, initPoint }) => status === 'pending' && initPoint !== null)
  if (pending?.initPoint) return { ...answer, next: 'reuse', initPoint: pending.initPoint }
  // One that was begun just now is still being asked for, by somebody else.
  const unanswered = open.filter(
    ({ status, createdAt }) => status === 'creating' && now.getTime() - createdAt.getTime() > ASKING_MS,
  )
  if (look && unanswered.length > 0) return { ...answer, next: 'look', unanswered, payerEmail }

  const today = await countAttempts(trx, subscriptionId, new Date(now.getTime() - REUSED_MS))
  if (today >= MOST_ATTEMPTS) throw tooManyAttempts()
  await endOutdated(trx, deps, terms, now)
  const attempt = (await findLastAttempt(trx, subscriptionId)) + 1
  const mandate = { id: uuidv7(), externalReference: `hx-${subscriptionId}-${attempt}` }
  await insertMandate(trx, { ...terms, ...mandate, attempt, at: now })
  await applyEvent(trx, deps, subscriptionId, { kind: 'checkout_iniciado', mandateId: mandate.id }, cause, now)
  return { ...answer, next: 'ask', mandate, payerEmail }
}

const REUSED_MS = 24 * 3_600_000
/** Within as long as one is used again. With another e-mail each time, a link or an admin could make any number. */
const MOST_ATTEMPTS = 20
/** Longer than any request takes. */
const ASKING_MS = 20_000

/**
 * Another plan or interval is sold from now on: the old page must charge nobody, because what it charges would be
 * compared with what MercadoPago confirmed for it (4.7) and buy the new plan at the price of the old one.
 */
async function endOutdated(
  trx: CentralTx,
  { queue }: Pick<CheckoutDeps, 'queue'>,
  terms: CheckoutTerms,
  at: Date,
): Promise<void> {
  for (const { id: mandateId, connectorId } of await findOutdatedCheckouts(trx, terms)) {
    await setCancelledByUs(trx, mandateId, 'switch')
    const { subscriptionId } = terms
    const command = { kind: 'cancel', dedupeKey: `cancel:${mandateId}:outdated`, subscriptionId } as const
    const commandId = await insertCommand(trx, { ...command, connectorId, mandateId, at })
    if (commandId) await queue.enqueue(trx, 'billing.command', { commandId })
  }
}
