import { AppError } from '../../errors.ts'
import { raiseAlert } from '../alerts/queries.ts'
import { byMercadoPago } from '../apply/cause.ts'
import type { ConnectedGateway, Gateways } from '../connectors/gateways.ts'
import type { Payment, PreapprovalSummary } from '../mercadopago/gateway.ts'
import { gather, recordFacts } from '../pipeline/fetch-resource.ts'
import { isAway } from './away.ts'
import {
  closeRun,
  findDoubleMandates,
  findKnownPayments,
  findLiveMandatesOf,
  insertRun,
  type LiveMandate,
} from './queries.ts'
import { callsOf } from './reconcile.ts'
import type { SyncDeps } from './sync-subscription.ts'

/** What a comparison of all that MercadoPago has with all that we have brought to light (billing.md 5.7). */
export interface Found {
  payments: number
  news: number
  /** At MercadoPago, able to charge, and not ours. */
  orphans: string[]
  /** Able to charge here, and not there. */
  ghosts: string[]
  /** Of another amount than the one it last confirmed to us. */
  drift: string[]
  /** Subscriptions with two mandates able to charge. */
  duplicates: string[]
  /** What of MercadoPago could not be read or applied. */
  unreadable: string[]
}

/**
 * The nightly comparison: the payments since `since` (72 hours ago), and every mandate, correlated here because
 * MercadoPago's searches cannot be trusted to. A connector that cannot be read whole makes the run truncated.
 */
export async function compareAll(
  deps: Omit<SyncDeps, 'gateways'> & { gateways: Gateways },
  { since, kind = 'nocturna' }: { since?: Date; kind?: 'nocturna' | 'reproceso' } = {},
): Promise<Found & { truncated: boolean }> {
  const { central, clock, gateways, log } = deps
  const startedAt = clock.now()
  const runId = await insertRun(central, kind, startedAt)
  const before = callsOf(gateways)
  const found: Found = { payments: 0, news: 0, orphans: [], ghosts: [], drift: [], duplicates: [], unreadable: [] }
  const begin = since ?? new Date(startedAt.getTime() - 72 * 3_600_000)
  let failure: string | null = null
  for (const connected of await gateways.active()) {
    try {
      await comparePayments(deps, connected, begin, found)
      await compareMandates(deps, connected, found)
    } catch (err) {
      failure = err instanceof Error ? err.message.slice(0, 300) : String(err)
      log.warn({ err, connector_id: connected.connector.id }, 'billing: the nightly comparison did not come to its end')
      if (!(err instanceof AppError)) throw err
    }
  }
  for (const { subscriptionId, tenantId, n } of await findDoubleMandates(central)) {
    found.duplicates.push(subscriptionId)
    const about = { tenantId, subscriptionId, at: clock.now(), detail: { mandatos: n } }
    await raiseAlert(central, { code: 'mandato_duplicado', severity: 'critica', key: subscriptionId, ...about })
  }
  const truncated = failure !== null
  const run = { calls: callsOf(gateways) - before, truncated, found, error: failure, at: clock.now() }
  await closeRun(central, runId, run)
  return { ...found, truncated }
}

type Deps = Omit<SyncDeps, 'gateways'>

async function comparePayments(deps: Deps, connected: ConnectedGateway, begin: Date, found: Found): Promise<void> {
  const { central, clock, queue } = deps
  const { connector, gateway } = connected
  for (let offset: number | null = 0; offset !== null; ) {
    const page: Awaited<ReturnType<typeof gateway.searchPayments>> = await gateway.searchPayments({
      begin,
      end: clock.now(),
      offset,
    })
    found.unreadable.push(...page.unreadable.map((id) => `payment:${id}`))
    found.payments += page.items.length
    const known = await findKnownPayments(
      central,
      page.items.map(({ id }) => id),
    )
    for (const payment of page.items) {
      if (isAsKnown(payment, known) || isTheirs(payment, connector.ownAccountId)) continue
      await apart(deps, found, `payment:${payment.id}`, async () => {
        const readAt = clock.now()
        // Read one by one: what a search lists may be older than the payment.
        const facts = await gather(central, connected, { kind: 'payment', resourceId: payment.id }, readAt)
        const seen = await central
          .transaction()
          .execute((trx) => recordFacts(trx, { queue }, connector, facts, byMercadoPago, clock.now()))
        found.news += seen.pagos.filter((outcome) => outcome === 'applied').length
      })
    }
    offset = page.nextOffset
  }
}

/** One that breaks us is noted, and hides none of the others. @throws what would befall them all */
async function apart({ log }: Pick<Deps, 'log'>, found: Found, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (err) {
    if (isAway(err)) throw err
    found.unreadable.push(what)
    log.error({ err, what, alarm: 'billing.nightly_failed' }, 'billing: the nightly comparison left one out')
  }
}

const isAsKnown = (payment: Payment, known: Map<string, { status: string; refundedC: string }>) => {
  const row = known.get(payment.id)
  return row !== undefined && row.status === payment.rawStatus && row.refundedC === String(payment.refundedC)
}

/** What our account paid itself, MercadoPago's monthly fee among it. */
const isTheirs = ({ collectorId, preapprovalId, externalReference }: Payment, own: string | null) =>
  collectorId !== own && !preapprovalId && !/^(hx-|up:)/.test(externalReference ?? '')

async function compareMandates(deps: Deps, connected: ConnectedGateway, found: Found): Promise<void> {
  const { central, clock } = deps
  const { connector, gateway } = connected
  const ours = new Map((await findLiveMandatesOf(central, connector.id)).map((m) => [m.preapprovalId ?? m.id, m]))
  const seen = new Set<string>()
  for (let offset: number | null = 0; offset !== null; ) {
    const page: Awaited<ReturnType<typeof gateway.searchPreapprovals>> = await gateway.searchPreapprovals({ offset })
    found.unreadable.push(...page.unreadable.map((id) => `preapproval:${id}`))
    for (const summary of page.items) {
      seen.add(summary.id)
      await apart(deps, found, `preapproval:${summary.id}`, () =>
        compareOne(deps, connected, summary, ours.get(summary.id), found),
      )
    }
    offset = page.nextOffset
  }
  for (const mandate of ours.values()) {
    if (!mandate.preapprovalId || seen.has(mandate.preapprovalId)) continue
    found.ghosts.push(mandate.id)
    const about = { subscriptionId: mandate.subscriptionId, mandateId: mandate.id, at: clock.now() }
    const detail = { preapproval: mandate.preapprovalId }
    await raiseAlert(central, { code: 'mandato_fantasma', severity: 'advertencia', key: mandate.id, ...about, detail })
  }
}

async function compareOne(
  { central, clock, queue }: Deps,
  connected: ConnectedGateway,
  summary: PreapprovalSummary,
  mandate: LiveMandate | undefined,
  found: Found,
): Promise<void> {
  const canCharge = summary.status === 'authorized' || summary.status === 'paused'
  const hasDrifted = mandate && summary.amountC !== null && isOther(summary.amountC, mandate.amountAckedC)
  if (hasDrifted) found.drift.push(mandate.id)
  if (mandate ? summary.status === mandate.status && !hasDrifted : !canCharge) return
  const readAt = clock.now()
  const facts = await gather(central, connected, { kind: 'preapproval', resourceId: summary.id }, readAt)
  const outcomes = await central
    .transaction()
    .execute((trx) => recordFacts(trx, { queue }, connected.connector, facts, byMercadoPago, clock.now()))
  if (outcomes.mandatos.includes('orphan') && canCharge) found.orphans.push(summary.id)
  if (mandate && summary.status === 'cancelled') found.ghosts.push(mandate.id)
  found.news += outcomes.mandatos.filter((outcome) => outcome === 'changed').length
}

const isOther = (amountC: bigint, ackedC: string | null) => ackedC !== null && BigInt(ackedC) !== amountC
