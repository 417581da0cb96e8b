import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import type { Cause } from '../apply/cause.ts'
import type { ConnectedGateway, Gateways } from '../connectors/gateways.ts'
import { setLastSynced } from '../facts/queries.ts'
import type { AuthorizedPayment, Gateway, Payment } from '../mercadopago/gateway.ts'
import { type Facts, recordFacts } from '../pipeline/fetch-resource.ts'
import { lockSubscription } from '../subscription-queries.ts'
import { runDue } from '../sweep/run-due.ts'
import { abandonMandate, findKnownPayments, findLiveMandates, type KnownPayment, type LiveMandate } from './queries.ts'

export interface SyncDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
  gateways: Pick<Gateways, 'of'>
  log: Log
}

export interface Synced {
  mandatos: string[]
  pagos: string[]
}

/**
 * Reads everything of a subscription at MercadoPago, applies what is new, and lets happen what was waiting for that: the
 * webhooks may all be lost and this alone keeps the product right (billing.md 5.7).
 * @throws AppError `gateway.*` when MercadoPago could not be read whole: then nothing counts as read
 */
export async function syncSubscription(deps: SyncDeps, subscriptionId: string, cause: Cause): Promise<Synced> {
  const { central, clock, queue } = deps
  const readAt = clock.now()
  const found: Synced = { mandatos: [], pagos: [] }
  for (const mandate of await findLiveMandates(central, subscriptionId)) {
    const connected = await deps.gateways.of(mandate.connectorId)
    const facts = await readMandate(central, connected, mandate, readAt)
    const seen = await central.transaction().execute(async (trx) => {
      await lockSubscription(trx, subscriptionId)
      if (!facts) {
        // Two days without MercadoPago knowing it: the POST never arrived.
        if (readAt.getTime() - mandate.createdAt.getTime() > 48 * 3_600_000)
          await abandonMandate(trx, mandate.id, 'sin_respuesta')
        return { mandatos: [], pagos: [] }
      }
      return recordFacts(trx, { queue }, connected.connector, facts, cause, clock.now())
    })
    found.mandatos.push(...seen.mandatos)
    found.pagos.push(...seen.pagos)
  }
  await central.transaction().execute((trx) => setLastSynced(trx, subscriptionId, readAt))
  await runDue(deps, subscriptionId)
  return found
}

/** The mandate, and of its instalments the payments that are not known as they stand. Undefined while it is unknown there. */
async function readMandate(
  central: CentralDb,
  { gateway }: ConnectedGateway,
  mandate: LiveMandate,
  readAt: Date,
): Promise<Facts | undefined> {
  const preapprovalId = mandate.preapprovalId ?? (await findByReference(gateway, mandate))
  if (!preapprovalId) return undefined
  const facts: Facts = { readAt, mandates: [], payments: [] }
  try {
    facts.mandates.push(await gateway.getPreapproval(preapprovalId))
  } catch (error) {
    // Gone from MercadoPago, or not visible yet: what we know of it stays, and the rest is read.
    if (!(error instanceof AppError && error.code === 'gateway.not_found')) throw error
  }
  const instalments = await instalmentsOf(gateway, preapprovalId)
  const named = instalments.flatMap((instalment) => (instalment.payment ? [{ instalment, ...instalment.payment }] : []))
  const known = await findKnownPayments(
    central,
    named.map(({ id }) => id),
  )
  for (const { id, rawStatus, instalment } of named) {
    if (isAsKnown(known.get(id), rawStatus)) continue
    const payment = await gateway.getPayment(id)
    facts.payments.push({ payment, preapprovalId, authorizedPaymentId: instalment.id })
  }
  if (instalments.length === 0 && mandate.status === 'authorized')
    facts.payments.push(...(await paymentsWithoutInstalments(gateway, preapprovalId, readAt)))
  return facts
}

/** A final status that was applied needs no second reading; refunds come as another status or by the nightly look. */
const isAsKnown = (known: KnownPayment | undefined, rawStatus: string | null) =>
  known !== undefined && known.status === rawStatus

/** MercadoPago ignores the reference in a search and returns everybody: the comparison is ours (2.9, 5.5). */
async function findByReference(gateway: Gateway, mandate: LiveMandate): Promise<string | undefined> {
  for (let offset: number | null = 0; offset !== null; ) {
    const page: Awaited<ReturnType<Gateway['searchPreapprovals']>> = await gateway.searchPreapprovals({
      payerEmail: mandate.payerEmail,
      offset,
    })
    const ours = page.items.find(({ externalReference }) => externalReference === mandate.externalReference)
    if (ours) return ours.id
    offset = page.nextOffset
  }
  return undefined
}

async function instalmentsOf(gateway: Gateway, preapprovalId: string): Promise<AuthorizedPayment[]> {
  const all: AuthorizedPayment[] = []
  for (let offset: number | null = 0; offset !== null; ) {
    const page: Awaited<ReturnType<Gateway['searchAuthorizedPayments']>> = await gateway.searchAuthorizedPayments({
      preapprovalId,
      offset,
    })
    all.push(...page.items)
    offset = page.nextOffset
  }
  return all
}

/** Instalments were measured invisible for some accounts: then the payments of the last days are looked through. */
async function paymentsWithoutInstalments(
  gateway: Gateway,
  preapprovalId: string,
  readAt: Date,
): Promise<Facts['payments']> {
  const found: Payment[] = []
  const begin = new Date(readAt.getTime() - 3 * 86_400_000)
  for (let offset: number | null = 0; offset !== null; ) {
    const page: Awaited<ReturnType<Gateway['searchPayments']>> = await gateway.searchPayments({
      begin,
      end: readAt,
      offset,
    })
    found.push(...page.items.filter((payment) => payment.preapprovalId === preapprovalId))
    offset = page.nextOffset
  }
  return found.map((payment) => ({ payment, preapprovalId, authorizedPaymentId: null }))
}
