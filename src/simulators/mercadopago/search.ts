import { badRequest } from './refusal.ts'
import { DAY_MS, HOUR_MS } from './stamps.ts'
import type { Payment, Preapproval } from './state.ts'
import { chargebackWire, instalmentWire, paymentWire, preapprovalWire } from './wire.ts'
import type { World } from './world.ts'

/** The search endpoints with the traps of billing.md 2.9. Each returns the body of the answer. */

/** `external_reference` is ignored in silence, and rows know neither their next payment nor a trial. */
export function searchPreapprovals(world: World, query: URLSearchParams) {
  const page = pageOf(query, { limit: 50, most: 100 })
  const equal = (name: string, value: (preapproval: Preapproval) => string | null) => (preapproval: Preapproval) =>
    !query.has(name) || query.get(name)?.toLowerCase() === value(preapproval)?.toLowerCase()
  const filters = [
    equal('status', ({ status }) => status),
    equal('payer_id', ({ payerId }) => String(payerId)),
    equal('payer_email', ({ payerEmail }) => payerEmail),
    equal('preapproval_plan_id', () => null),
    ({ reason }: Preapproval) => reason.toLowerCase().includes((query.get('q') ?? '').toLowerCase()),
  ]
  const found = [...world.state.preapprovals.values()].filter((one) => filters.every((filter) => filter(one)))
  // Oldest first, unless `sort=date_created:desc`.
  if (/^date_created:desc/i.test(query.get('sort') ?? '')) found.reverse()
  return paged(found, page, (preapproval) => {
    const row = preapprovalWire(world, preapproval)
    return {
      ...row,
      next_payment_date: null,
      auto_recurring: { ...(row['auto_recurring'] as object), free_trial: null },
    }
  })
}

/** Pages of 12, and a limit above 15 is an error. */
export function searchInstalments(world: World, query: URLSearchParams) {
  const page = pageOf(query, { limit: 12, most: 15 })
  const found = [...world.state.instalments.values()].filter(
    ({ id, preapprovalId, paymentId }) =>
      (!query.has('id') || query.get('id') === id) &&
      (!query.has('preapproval_id') || query.get('preapproval_id')?.toLowerCase() === preapprovalId) &&
      (!query.has('payment_id') || query.get('payment_id') === paymentId) &&
      (!query.has('payer_id') ||
        query.get('payer_id') === String(world.state.preapprovals.get(preapprovalId)?.payerId)),
  )
  return paged(found, page, (instalment) => instalmentWire(world, instalment))
}

/** Finds what the account paid too; subscription debits are not found by `external_reference`. */
export function searchPayments(world: World, query: URLSearchParams) {
  for (const name of ['preapproval_id', 'subscription_id', 'payer.email'])
    if (query.has(name)) throw badRequest(`Invalid search parameter: ${name}`)
  const page = pageOf(query, { limit: 30, most: 1_000 })
  const now = world.clock.now()
  const range = RANGES[query.get('range') ?? 'date_created']
  if (!range) throw badRequest('Invalid value for range')
  const begin = momentOf(query.get('begin_date'), now)
  const end = momentOf(query.get('end_date'), now)
  const filters: ((payment: Payment) => boolean)[] = [
    ({ status }) => !query.has('status') || query.get('status') === status,
    ({ id }) => !query.has('id') || query.get('id') === id,
    ({ payerId }) => !query.has('payer.id') || query.get('payer.id') === String(payerId),
    ({ kind }) =>
      !query.has('collector.id') ||
      (kind !== 'foreign' && query.get('collector.id') === String(world.state.account.id)),
    ({ kind, externalReference }) =>
      !query.has('external_reference') ||
      (kind !== 'subscription' && query.get('external_reference') === externalReference),
    (payment) => {
      const at = range(payment)
      return (!begin || (at !== null && at >= begin)) && (!end || (at !== null && at <= end))
    },
  ]
  const all = world.state.settings.index_payments ? [...world.state.payments.values()] : []
  const found = all.filter((payment) => filters.every((filter) => filter(payment)))
  const sort = RANGES[query.get('sort') ?? 'date_created']
  if (!sort) throw badRequest('Invalid value for sort')
  found.sort((a, b) => Number(sort(a)) - Number(sort(b)))
  if (query.get('criteria') === 'desc') found.reverse()
  return paged(found, page, (payment) => paymentWire(world, payment))
}

export function searchChargebacks(world: World, query: URLSearchParams) {
  const found = [...world.state.chargebacks.values()].filter(
    ({ paymentId, status }) =>
      (!query.has('payment_id') || query.get('payment_id') === paymentId) &&
      (!query.has('status') || query.get('status') === status),
  )
  return paged(found, pageOf(query, { limit: 50, most: 100 }), chargebackWire)
}

interface Page {
  offset: number
  limit: number
}

function pageOf(query: URLSearchParams, { limit, most }: { limit: number; most: number }): Page {
  const number = (name: string, fallback: number, [least, greatest]: [number, number]) => {
    const value = query.has(name) ? Number(query.get(name)) : fallback
    if (!Number.isInteger(value) || value < least || value > greatest) throw badRequest(`Invalid value for ${name}`)
    return value
  }
  return { offset: number('offset', 0, [0, 1_000_000]), limit: number('limit', limit, [1, most]) }
}

function paged<T>(found: readonly T[], { offset, limit }: Page, row: (item: T) => Record<string, unknown>) {
  return { paging: { offset, limit, total: found.length }, results: found.slice(offset, offset + limit).map(row) }
}

const RANGES: Record<string, ((payment: Payment) => Date | null) | undefined> = {
  date_created: ({ createdAt }) => createdAt,
  date_last_updated: ({ modifiedAt }) => modifiedAt,
  date_approved: ({ approvedAt }) => approvedAt,
}

/** `NOW`, `NOW-30DAYS`, `NOW-12HOURS`, or an instant. */
function momentOf(text: string | null, now: Date): Date | null {
  if (text === null) return null
  const match = /^NOW(?:-(\d{1,5})(DAY|HOUR|MONTH)S?)?$/.exec(text)
  if (match) {
    const unit = { DAY: DAY_MS, HOUR: HOUR_MS, MONTH: 30 * DAY_MS }[match[2] ?? 'DAY'] ?? 0
    return new Date(now.getTime() - Number(match[1] ?? 0) * unit)
  }
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw badRequest('Invalid date format')
  return date
}
