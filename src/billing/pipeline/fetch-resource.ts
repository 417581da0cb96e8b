import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { CentralDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import { raiseAlert } from '../alerts/queries.ts'
import type { Cause } from '../apply/cause.ts'
import { findMandateByPreapproval } from '../apply/queries.ts'
import type { ConnectedGateway, Gateways } from '../connectors/gateways.ts'
import { recordMandate } from '../facts/record-mandate.ts'
import { recordPayment } from '../facts/record-payment.ts'
import { isPassing } from '../mercadopago/errors.ts'
import type { AuthorizedPayment, Payment, Preapproval } from '../mercadopago/gateway.ts'
import {
  claimResource,
  closeDeliveries,
  findLastDelivery,
  postponeResource,
  type Resource,
  settleResource,
} from './queries.ts'

export interface FetchDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
  gateways: Pick<Gateways, 'of'>
  log: Log
}

/** What is read of a resource and of what it names: everything that is needed to decide, before anything is written. */
export interface Facts {
  readAt: Date
  mandates: Preapproval[]
  payments: { payment: Payment; preapprovalId: string | null; authorizedPaymentId: string | null }[]
}

/**
 * Looks at a resource of MercadoPago again and applies what it says, as long as it has news (billing.md 5.1, 5–9). No
 * transaction is open while MercadoPago is spoken to, only a lease in the row. May run any number of times, at once too.
 */
export async function fetchResource(deps: FetchDeps, resource: Resource): Promise<{ rounds: number; result?: object }> {
  let result: object | undefined
  for (let rounds = 0; ; rounds++) {
    const claim = await claimResource(deps.central, resource, LEASE_SECONDS)
    if (!claim) return { rounds, ...(result && { result }) }
    const readAt = deps.clock.now()
    try {
      const connected = await deps.gateways.of(resource.connectorId)
      const facts = await gather(deps.central, connected, resource, readAt)
      crashpoint('billing.fetched')
      result = await applyFacts(deps, connected, resource, facts, claim.dirtySeq)
      crashpoint('billing.applied')
    } catch (error) {
      await postpone(deps, resource, claim, error)
      return { rounds, result: { postponed: codeOf(error) } }
    }
  }
}

const LEASE_SECONDS = 60

/** The resource and what it names: an instalment names its payment, and both name the mandate that charged. */
export async function gather(
  central: CentralDb,
  { connector, gateway }: ConnectedGateway,
  { kind, resourceId }: Pick<Resource, 'kind' | 'resourceId'>,
  readAt: Date,
): Promise<Facts> {
  const facts: Facts = { readAt, mandates: [], payments: [] }
  const addMandate = async (preapprovalId: string | null) => {
    if (preapprovalId && !facts.mandates.some(({ id }) => id === preapprovalId))
      facts.mandates.push(await gateway.getPreapproval(preapprovalId))
  }
  const addPayment = async (payment: Payment, instalment: AuthorizedPayment | undefined) => {
    const named = payment.preapprovalId ?? instalment?.preapprovalId ?? null
    const found = named || isOther(payment) ? instalment : await findInstalment(gateway, payment.id)
    const preapprovalId = named ?? found?.preapprovalId ?? null
    facts.payments.push({ payment, preapprovalId, authorizedPaymentId: found?.id ?? null })
    // Money of a mandate that we still believe unauthorised, or do not know yet: its own news go first.
    const known = preapprovalId ? await findMandateByPreapproval(central, connector.id, preapprovalId) : undefined
    if (preapprovalId && known?.status !== 'authorized') await addMandate(preapprovalId)
  }
  switch (kind) {
    case 'preapproval':
      await addMandate(resourceId)
      break
    case 'payment':
      await addPayment(await gateway.getPayment(resourceId), undefined)
      break
    case 'authorized_payment': {
      const instalment = await gateway.getAuthorizedPayment(resourceId)
      if (instalment.payment) await addPayment(await gateway.getPayment(instalment.payment.id), instalment)
      else await addMandate(instalment.preapprovalId)
      break
    }
    case 'chargeback': {
      const { paymentIds } = await gateway.getChargeback(resourceId)
      for (const id of paymentIds) await addPayment(await gateway.getPayment(id), undefined)
      break
    }
  }
  return facts
}

/** A one-off payment of ours names itself. */
const isOther = ({ externalReference }: Payment) => externalReference?.startsWith('up:') ?? false

/** Where a payment does not say which mandate charged, its instalment does (billing.md 2.4). */
async function findInstalment(gateway: ConnectedGateway['gateway'], paymentId: string) {
  const { items } = await gateway.searchAuthorizedPayments({ paymentId })
  return items.find(({ payment }) => payment?.id === paymentId)
}

async function applyFacts(
  deps: FetchDeps,
  { connector }: ConnectedGateway,
  resource: Resource,
  facts: Facts,
  dirtySeq: string,
): Promise<object> {
  const now = deps.clock.now()
  return deps.central.transaction().execute(async (trx) => {
    const webhookId = await findLastDelivery(trx, resource)
    const cause: Cause = { origin: 'mercadopago', webhookId }
    const result = await recordFacts(trx, deps, connector, facts, cause, now)
    const snapshot = { mandates: facts.mandates, payments: facts.payments }
    const isClean = await settleResource(trx, resource, { dirtySeq, snapshot: plainOf(snapshot), at: facts.readAt })
    // By time only where there are news already: who received them may have a clock that is ahead of ours.
    const until = isClean ? null : facts.readAt
    await closeDeliveries(trx, resource, { state: 'processed', result, error: null, at: now, until })
    return result
  })
}

/** Mandates before the money that came through them. */
export async function recordFacts(
  trx: Parameters<typeof recordMandate>[0],
  deps: Pick<FetchDeps, 'queue'>,
  connector: { id: string; ownAccountId: string | null },
  facts: Facts,
  cause: Cause,
  now: Date,
): Promise<{ mandatos: string[]; pagos: string[] }> {
  const mandatos: string[] = []
  const pagos: string[] = []
  for (const preapproval of facts.mandates) {
    const seen = { connectorId: connector.id, preapproval, readAt: facts.readAt }
    mandatos.push(await recordMandate(trx, deps, seen, cause, now))
  }
  // Older money first: what was approved before decides what a later one pays.
  const ordered = facts.payments.toSorted((a, b) => paidAt(a.payment) - paidAt(b.payment))
  for (const seen of ordered) pagos.push(await recordPayment(trx, deps, { connector, ...seen }, cause, now))
  return { mandatos, pagos }
}

const paidAt = ({ dateApproved, dateCreated }: Payment) => (dateApproved ?? dateCreated).getTime()

/** bigint has no JSON. */
export const plainOf = (value: object): object =>
  JSON.parse(JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? String(part) : part)))

/**
 * An outage is waited out, however long; what MercadoPago does not have is asked for six times in half an hour, because it
 * may not be visible yet; what breaks us is put aside after eight times, and a person is told.
 */
async function postpone(
  { central, clock, log }: FetchDeps,
  resource: Resource,
  { attempts }: { attempts: number },
  error: unknown,
): Promise<void> {
  const now = clock.now()
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const isMissing = code === 'gateway.not_found'
  const isOutage = isPassing(error)
  const tried = attempts + 1
  const deadReason =
    isMissing && tried > MISSING_S.length ? 'missing' : !isMissing && !isOutage && tried >= 8 ? 'poison' : null
  const waitS = isMissing ? (MISSING_S[attempts] ?? 900) : Math.min(30 * 2 ** Math.min(attempts, 5), 600)
  const retryAfterS = error instanceof AppError ? (error.retryAfterS ?? 0) : 0
  const nextTryAt = deadReason ? null : new Date(now.getTime() + 1000 * Math.max(waitS, retryAfterS))
  await postponeResource(central, resource, { attempts: tried, nextTryAt, deadReason, error: message.slice(0, 500) })
  log[isOutage || isMissing ? 'info' : 'error'](
    { err: error, ...resource, attempts: tried },
    'billing: resource postponed',
  )
  if (!deadReason) return
  await closeDeliveries(central, resource, {
    state: 'dead',
    result: { reason: deadReason },
    error: message.slice(0, 500),
    at: now,
    until: now,
  })
  // The panel's own simulation sends an id that does not exist.
  if (deadReason === 'missing' && resource.resourceId === '123456') return
  const key = `${resource.connectorId}:${resource.kind}:${resource.resourceId}`
  const detail = { ...resource, motivo: deadReason, error: message.slice(0, 300) }
  await raiseAlert(central, {
    code: 'aviso_muerto',
    severity: deadReason === 'poison' ? 'critica' : 'aviso',
    key,
    at: now,
    detail,
  })
}

/** 1, 2, 4, 6, 8 and 9 minutes: half an hour. */
const MISSING_S = [60, 120, 240, 360, 480, 540]

const codeOf = (error: unknown) => (error instanceof AppError ? error.code : 'unexpected')
