import { z } from 'zod'
import type { Frecuencia } from '../subscription.ts'
import { centavosOf } from './amounts.ts'
import * as ours from './gateway.ts'
import { isPayPage } from './pay-page.ts'

/**
 * What MercadoPago answers, in our types: fields that we do not use may be anything, those that we do use are checked.
 * The SDK's own types lack fields that real answers have (`version`, `subscription_id`) and type others wrongly (2.10).
 */
const id = z.union([z.string().min(1), z.int().nonnegative()]).transform(String)
const text = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === undefined || value === null || value === '' ? null : String(value)))
const whole = z
  .int()
  .nullish()
  .transform((value) => value ?? null)

const amount = z.union([z.string(), z.number()]).transform((value, ctx) => {
  try {
    return centavosOf(value)
  } catch (error) {
    ctx.addIssue({ code: 'custom', message: (error as Error).message })
    return z.NEVER
  }
})
const amountOrNull = amount.nullish().transform((value) => value ?? null)

/** ISO 8601 with an offset, `2026-01-31T23:59:59.000-04:00`; the SDK's types have some as milliseconds. */
const instant = z.union([z.string().min(10), z.number()]).transform((value, ctx) => {
  const date = new Date(value)
  if (!Number.isNaN(date.getTime())) return date
  ctx.addIssue({ code: 'custom', message: 'not an instant' })
  return z.NEVER
})
const instantOrNull = instant.nullish().transform((value) => value ?? null)

/** What any answer about one thing has. HTML, an empty body and `{}` do not, and asking again may help. */
export const identified = z.looseObject({ id, status: z.string().min(1) })
export const identifiedOnly = z.looseObject({ id })
export const listed = z.looseObject({ results: z.array(z.unknown()) })

/** A page before its rows are read: each by itself. */
export const page = z
  .looseObject({ results: z.array(z.unknown()), paging: z.looseObject({ total: whole }).nullish() })
  .transform(({ results, paging }) => ({ results, total: paging?.total ?? null }))
export type RawPage = z.output<typeof page>

const summaryFields = {
  id,
  status: z.string().min(1),
  external_reference: text,
  payer_email: text,
  payer_id: text,
  collector_id: text,
  reason: text,
  auto_recurring: z
    .looseObject({
      frequency: whole,
      frequency_type: text,
      transaction_amount: amountOrNull,
      currency_id: text,
      start_date: instantOrNull,
    })
    .nullish(),
  date_created: instantOrNull,
  last_modified: instantOrNull,
}
const summaryObject = z.looseObject(summaryFields)

export const preapprovalSummary = summaryObject.transform(summaryOf)

export const preapproval = z
  .looseObject({
    ...summaryFields,
    version: whole,
    init_point: text,
    next_payment_date: instantOrNull,
    payment_method_id: text,
  })
  .transform(
    (answer): ours.Preapproval => ({
      ...summaryOf(answer),
      version: answer.version,
      // An answer that names another place is like one that names none.
      initPoint: answer.init_point !== null && isPayPage(answer.init_point) ? answer.init_point : null,
      nextPaymentDate: answer.next_payment_date,
      startDate: answer.auto_recurring?.start_date ?? null,
      method: answer.payment_method_id,
    }),
  )

function summaryOf(answer: z.output<typeof summaryObject>): ours.PreapprovalSummary {
  const recurring = answer.auto_recurring
  // The English guide writes `canceled`, the API answers `cancelled` (2.2).
  const status = answer.status === 'canceled' ? 'cancelled' : answer.status
  return {
    id: answer.id,
    status: known(ours.preapprovalStatuses, status),
    rawStatus: answer.status,
    externalReference: answer.external_reference,
    payerEmail: answer.payer_email,
    payerId: answer.payer_id,
    collectorId: answer.collector_id,
    reason: answer.reason,
    amountC: recurring?.transaction_amount ?? null,
    currency: recurring?.currency_id ?? null,
    frecuencia: recurring?.frequency_type === 'months' ? (FRECUENCIAS.get(recurring.frequency) ?? null) : null,
    dateCreated: answer.date_created,
    lastModified: answer.last_modified,
  }
}

const FRECUENCIAS: ReadonlyMap<number | null, Frecuencia> = new Map([
  [1, 'mensual'],
  [12, 'anual'],
])

export const authorizedPayment = z
  .looseObject({
    id,
    status: z.string().min(1),
    preapproval_id: text,
    external_reference: text,
    transaction_amount: amountOrNull,
    currency_id: text,
    debit_date: instantOrNull,
    retry_attempt: whole,
    date_created: instantOrNull,
    last_modified: instantOrNull,
    payment: z.looseObject({ id: text, status: text, status_detail: text }).nullish(),
  })
  .transform(
    (answer): ours.AuthorizedPayment => ({
      id: answer.id,
      // `waiting for gateway` has blanks where the others have none.
      status: known(ours.authorizedPaymentStatuses, answer.status.replaceAll(' ', '_')),
      rawStatus: answer.status,
      preapprovalId: answer.preapproval_id,
      externalReference: answer.external_reference,
      amountC: answer.transaction_amount,
      currency: answer.currency_id,
      debitDate: answer.debit_date,
      retryAttempt: answer.retry_attempt,
      dateCreated: answer.date_created,
      lastModified: answer.last_modified,
      payment: answer.payment?.id
        ? {
            id: answer.payment.id,
            status: known(ours.paymentStatuses, answer.payment.status),
            rawStatus: answer.payment.status,
            statusDetail: answer.payment.status_detail,
          }
        : null,
    }),
  )

/** `{total, number}` in real debits, a bare number in older ones. */
const sequence = z
  .union([z.int(), z.looseObject({ number: whole }).transform(({ number }) => number)])
  .nullish()
  .catch(null)

export const payment = z
  .looseObject({
    id,
    status: z.string().min(1),
    status_detail: text,
    transaction_amount: amount,
    transaction_amount_refunded: amountOrNull,
    currency_id: text,
    collector_id: text,
    date_created: instant,
    date_approved: instantOrNull,
    date_last_updated: instant,
    external_reference: text,
    operation_type: text,
    description: text,
    payment_method_id: text,
    payment_type_id: text,
    payer: z.looseObject({ email: text }).nullish(),
    metadata: z.looseObject({ preapproval_id: text }).nullish().catch(null),
    point_of_interaction: z
      .looseObject({
        transaction_data: z.looseObject({ subscription_id: text, subscription_sequence: sequence }).nullish(),
      })
      .nullish(),
  })
  .transform((answer): ours.Payment => {
    const data = answer.point_of_interaction?.transaction_data
    return {
      id: answer.id,
      status: known(ours.paymentStatuses, answer.status),
      rawStatus: answer.status,
      statusDetail: answer.status_detail,
      amountC: answer.transaction_amount,
      refundedC: answer.transaction_amount_refunded ?? 0n,
      currency: answer.currency_id,
      collectorId: answer.collector_id,
      dateCreated: answer.date_created,
      dateApproved: answer.date_approved,
      lastUpdated: answer.date_last_updated,
      // The first is the only place that real debits fill; their metadata was measured empty (2.4).
      preapprovalId: data?.subscription_id ?? answer.metadata?.preapproval_id ?? null,
      sequence: data?.subscription_sequence ?? null,
      externalReference: answer.external_reference,
      operationType: answer.operation_type,
      description: answer.description,
      isValidation:
        answer.transaction_amount === 0n ||
        answer.operation_type === 'card_validation' ||
        /^recurring payment validation\b/i.test(answer.description ?? ''),
      payerEmail: answer.payer?.email ?? null,
      method: answer.payment_method_id,
      methodType: answer.payment_type_id,
    }
  })

export const refund = (paymentId: string) =>
  z.looseObject({ id, payment_id: text, status: z.string().min(1), amount, date_created: instantOrNull }).transform(
    (answer): ours.Refund => ({
      id: answer.id,
      paymentId: answer.payment_id ?? paymentId,
      status: known(ours.refundStatuses, answer.status),
      rawStatus: answer.status,
      amountC: answer.amount,
      dateCreated: answer.date_created,
    }),
  )

export const preference = z
  .looseObject({ id, init_point: z.string().refine(isPayPage, 'no page of MercadoPago') })
  .transform((answer): ours.Preference => ({ id: answer.id, initPoint: answer.init_point }))

export const chargeback = z
  .looseObject({
    id,
    status: text,
    coverage_applied: z.boolean().nullish(),
    payment_id: text,
    payments: z.array(id).nullish(),
    amount: amountOrNull,
    currency: text,
    currency_id: text,
    date_created: instantOrNull,
    date_last_updated: instantOrNull,
    last_modified: instantOrNull,
  })
  .transform(
    (answer): ours.Chargeback => ({
      id: answer.id,
      status: answer.status ? known(ours.chargebackStatuses, answer.status) : decided(answer.coverage_applied ?? null),
      rawStatus: answer.status,
      paymentIds: answer.payments ?? (answer.payment_id ? [answer.payment_id] : []),
      amountC: answer.amount,
      currency: answer.currency ?? answer.currency_id,
      dateCreated: answer.date_created,
      lastUpdated: answer.date_last_updated ?? answer.last_modified,
    }),
  )

/** The SDK's types have a status; the guide shows none and says who was right in `coverage_applied`. */
const decided = (forUs: boolean | null) => (forUs === null ? 'new' : forUs ? 'won' : 'lost')

export const account = z
  .looseObject({
    id,
    nickname: z.string().min(1),
    email: text,
    site_id: text,
    tags: z.array(z.unknown()).nullish(),
    test_data: z.looseObject({ test_user: z.boolean().nullish() }).nullish(),
  })
  .transform(
    (answer): ours.Account => ({
      id: answer.id,
      nickname: answer.nickname,
      email: answer.email,
      siteId: answer.site_id,
      isTest:
        /^(TEST|TETE)[_\d]|^TEST_?USER/i.test(answer.nickname) ||
        answer.test_data?.test_user === true ||
        (answer.tags?.includes('test_user') ?? false) ||
        /@testuser\.com$/i.test(answer.email ?? ''),
    }),
  )

function known<T extends string>(statuses: readonly T[], raw: string | null): T | 'unknown' {
  return statuses.find((status) => status === raw) ?? 'unknown'
}
