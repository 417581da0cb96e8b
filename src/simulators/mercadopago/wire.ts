import { fechaOf } from '../../fiscal/fecha.ts'
import { formatCentavos } from '../../fiscal/money.ts'
import { amountOf } from './amounts.ts'
import { stamp, stampOrNull } from './stamps.ts'
import type { Chargeback, Instalment, Payment, Preapproval, Preference } from './state.ts'
import type { ResourceKind, World } from './world.ts'

/** What the API answers about a resource, field by field as the documentation and measurements show it (2.1, 2.3, 2.4). */
export function wireOf(world: World, kind: ResourceKind, id: string): Record<string, unknown> | undefined {
  const { preapprovals, instalments, payments, chargebacks } = world.state
  const found = { preapproval: preapprovals, instalment: instalments, payment: payments, chargeback: chargebacks }[
    kind
  ].get(id)
  if (!found) return undefined
  switch (kind) {
    case 'preapproval':
      return preapprovalWire(world, found as Preapproval)
    case 'instalment':
      return instalmentWire(world, found as Instalment)
    case 'payment':
      return paymentWire(world, found as Payment)
    case 'chargeback':
      return chargebackWire(found as Chargeback)
  }
}

export function preapprovalWire({ state, url }: World, preapproval: Preapproval): Record<string, unknown> {
  const { id, amountC, charged, failed, startAt, endAt, freeTrial } = preapproval
  const pending = [...state.instalments.values()].filter(
    ({ preapprovalId, status }) => preapprovalId === id && status !== 'processed' && status !== 'cancelled',
  )
  return {
    id,
    version: preapproval.version,
    status: preapproval.status,
    init_point: `${url()}/subscriptions/checkout?preapproval_id=${id}`,
    payer_id: preapproval.payerId,
    // Measured empty, whatever was sent.
    payer_email: '',
    collector_id: state.account.id,
    application_id: state.account.applicationId,
    reason: preapproval.reason,
    external_reference: preapproval.externalReference,
    back_url: preapproval.backUrl,
    date_created: stamp(preapproval.createdAt),
    last_modified: stamp(preapproval.modifiedAt),
    next_payment_date: stampOrNull(preapproval.nextPaymentAt),
    auto_recurring: {
      frequency: preapproval.frequency,
      frequency_type: preapproval.frequencyType,
      transaction_amount: amountOf(amountC),
      currency_id: 'MXN',
      ...(startAt && { start_date: stamp(startAt) }),
      ...(endAt && { end_date: stamp(endAt) }),
      free_trial: freeTrial,
    },
    summarized: {
      quotas: null,
      charged_quantity: charged.count,
      charged_amount: amountOf(charged.amountC),
      pending_charge_quantity: pending.length,
      pending_charge_amount: amountOf(pending.reduce((sum, instalment) => sum + instalment.amountC, 0n)),
      semaphore:
        failed > 1 ? 'red' : failed === 1 || pending.some((one) => one.status === 'recycling') ? 'yellow' : 'green',
      last_charged_date: stampOrNull(charged.lastAt),
      last_charged_amount: charged.lastAmountC === null ? null : amountOf(charged.lastAmountC),
    },
    payment_method_id: preapproval.paymentMethodId,
    card_id: preapproval.cardId,
    first_invoice_offset: null,
  }
}

export function instalmentWire({ state }: World, instalment: Instalment): Record<string, unknown> {
  const preapproval = state.preapprovals.get(instalment.preapprovalId)
  const payment = state.payments.get(instalment.paymentId ?? '')
  return {
    id: Number(instalment.id),
    type: 'scheduled',
    date_created: stamp(instalment.createdAt),
    last_modified: stamp(instalment.modifiedAt),
    preapproval_id: instalment.preapprovalId,
    reason: preapproval?.reason,
    external_reference: preapproval?.externalReference,
    currency_id: 'MXN',
    // A number in the old reference, a text in the new one.
    transaction_amount: formatCentavos(instalment.amountC),
    debit_date: stamp(instalment.debitAt),
    payer_id: preapproval?.payerId ?? null,
    payment_method_id: preapproval?.paymentMethodId ?? null,
    retry_attempt: instalment.retryAttempt,
    status: instalment.status,
    summarized: instalment.status === 'scheduled' ? 'pending' : 'done',
    ...(payment && {
      payment: { id: Number(payment.id), status: payment.status, status_detail: payment.statusDetail },
    }),
  }
}

export function paymentWire({ state }: World, payment: Payment): Record<string, unknown> {
  return {
    id: Number(payment.id),
    date_created: stamp(payment.createdAt),
    date_approved: stampOrNull(payment.approvedAt),
    date_last_updated: stamp(payment.modifiedAt),
    money_release_date: null,
    operation_type: OPERATION[payment.kind],
    issuer_id: '24',
    payment_method_id: payment.paymentMethodId,
    payment_type_id: 'credit_card',
    status: payment.status,
    status_detail: payment.statusDetail,
    currency_id: 'MXN',
    description: payment.description,
    live_mode: true,
    // What the account itself paid (MercadoPago's monthly fee) is found by the API like the rest, and names no collector.
    ...(payment.kind !== 'foreign' && { collector_id: state.account.id }),
    payer: { id: payment.payerId === null ? null : String(payment.payerId), email: payment.payerEmail, type: null },
    // Measured empty, in subscription debits too.
    metadata: {},
    additional_info: {},
    external_reference: payment.externalReference,
    transaction_amount: amountOf(payment.amountC),
    transaction_amount_refunded: amountOf(payment.refundedC),
    coupon_amount: 0,
    installments: 1,
    captured: true,
    refunds: payment.refunds.map(({ id, amountC, createdAt }) => ({
      id: Number(id),
      payment_id: Number(payment.id),
      amount: amountOf(amountC),
      status: 'approved',
      date_created: stamp(createdAt),
    })),
    card: { first_six_digits: '547492', last_four_digits: '0366', cardholder: { name: payment.holder } },
    ...(payment.kind === 'checkout' && { order: { id: payment.preferenceId, type: 'mercadopago' } }),
    point_of_interaction: pointOfInteraction(state, payment),
  }
}

const OPERATION = {
  subscription: 'recurring_payment',
  validation: 'card_validation',
  checkout: 'regular_payment',
  foreign: 'regular_payment',
} as const

function pointOfInteraction(state: World['state'], payment: Payment): Record<string, unknown> {
  const instalment = state.instalments.get(payment.instalmentId ?? '')
  const preapproval = state.preapprovals.get(payment.preapprovalId ?? '')
  if (payment.kind !== 'subscription' || !instalment || !preapproval)
    return { type: payment.kind === 'checkout' ? 'CHECKOUT' : 'UNSPECIFIED', transaction_data: {} }
  return {
    type: 'SUBSCRIPTIONS',
    transaction_data: {
      first_time_use: instalment.sequence === 1,
      subscription_id: preapproval.id,
      subscription_sequence: { number: instalment.sequence, total: null },
      invoice_id: instalment.id,
      invoice_period: {
        period: preapproval.frequency,
        type: preapproval.frequencyType === 'months' ? 'monthly' : 'daily',
      },
      billing_date: fechaOf(instalment.debitAt),
      user_present: false,
    },
  }
}

export function chargebackWire(chargeback: Chargeback): Record<string, unknown> {
  return {
    id: chargeback.id,
    payment_id: Number(chargeback.paymentId),
    payments: [Number(chargeback.paymentId)],
    status: chargeback.status,
    amount: amountOf(chargeback.amountC),
    currency_id: 'MXN',
    reason_id: '10.4',
    reason: 'fraud',
    date_created: stamp(chargeback.createdAt),
    last_modified: stamp(chargeback.modifiedAt),
  }
}

export function preferenceWire({ state, url }: World, preference: Preference): Record<string, unknown> {
  const { success, failure, pending } = preference.backUrls
  const at = `${url()}/checkout/v1/redirect?pref_id=${preference.id}`
  return {
    id: preference.id,
    client_id: String(state.account.applicationId),
    collector_id: state.account.id,
    date_created: stamp(preference.createdAt),
    init_point: at,
    sandbox_init_point: at,
    operation_type: 'regular_payment',
    external_reference: preference.externalReference ?? '',
    items: [{ title: preference.title, quantity: 1, currency_id: 'MXN', unit_price: amountOf(preference.amountC) }],
    payer: { email: preference.payerEmail ?? '' },
    back_urls: { success: success ?? '', failure: failure ?? '', pending: pending ?? '' },
    expires: preference.expiresAt !== null,
    expiration_date_to: stampOrNull(preference.expiresAt),
    notification_url: null,
  }
}
