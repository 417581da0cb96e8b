import {
  Chargeback,
  Invoice,
  type MercadoPagoConfig,
  Payment,
  PaymentRefund,
  PreApproval,
  Preference,
  User,
} from 'mercadopago'
import type { z } from 'zod'
import { monthsOf } from '../periods.ts'
import { pesosOf } from './amounts.ts'
import { rejectionReasonOf } from './errors.ts'
import { type Call, createExchange, type ExchangeOptions, issuesOf } from './exchange.ts'
import type { Gateway, NewPreapproval, NewPreference, Page, PreapprovalChange } from './gateway.ts'
import * as wire from './wire.ts'

export type GatewayOptions = ExchangeOptions

type Ask = Call<unknown>['ask']
type Shape = z.ZodType<{ id: string }>

/** MercadoPago's API behind our interface. `setMercadoPagoUrl` says where it is. */
export function createGateway(options: GatewayOptions): Gateway {
  const exchange = createExchange(options)
  const { account, log } = options

  /** The answer must be about what was asked for. Webhooks may spell an id in upper case (2.8). */
  function one<T>(operation: string, id: string, read: z.ZodType<T>, ask: Ask, shape: Shape = wire.identified) {
    const same = shape.refine((answer) => answer.id.toLowerCase() === id.toLowerCase(), 'another id')
    return exchange({ operation, repeat: 'yes', ask, shape: same, read })
  }

  async function list<T>(operation: string, offset: number, row: z.ZodType<T>, ask: Ask): Promise<Page<T>> {
    const answer = await exchange({ operation, repeat: 'yes', ask, shape: wire.listed, read: wire.page })
    // One odd row must not hide the others from a sweep, nor be passed over in silence.
    const rows = answer.results.map((raw) => ({ raw, ...row.safeParse(raw) }))
    const odd = rows.filter(({ success }) => !success)
    if (odd.length > 0)
      log.error(
        { account, operation, why: odd.map(({ error }) => error && issuesOf(error)), alarm: 'mercadopago_unreadable' },
        'odd rows',
      )
    const next = offset + rows.length
    return {
      items: rows.flatMap(({ success, data }) => (success ? [data as T] : [])),
      unreadable: odd.map(({ raw }) => wire.identifiedOnly.safeParse(raw).data?.id ?? '?'),
      nextOffset: rows.length === 0 || (answer.total !== null && next >= answer.total) ? null : next,
      total: answer.total,
    }
  }

  const gateway: Gateway = {
    createPreapproval: (input) =>
      exchange({
        operation: 'createPreapproval',
        repeat: 'never',
        ask: (config) => new PreApproval(config).create({ body: preapprovalBody(input) }),
        shape: wire.identified,
        read: wire.preapproval,
      }),

    getPreapproval: (id) =>
      one('getPreapproval', id, wire.preapproval, (config) => new PreApproval(config).get({ id })),

    async updatePreapproval(id, change) {
      const ask = (config: MercadoPagoConfig) => new PreApproval(config).update({ id, body: changeBody(change) })
      try {
        return await one('updatePreapproval', id, wire.preapproval, ask)
      } catch (error) {
        // It was cancelled before, perhaps by the try whose answer we lost: what was wanted holds (2.2).
        if (change.status !== 'cancelled' || rejectionReasonOf(error) !== 'already_cancelled') throw error
        return gateway.getPreapproval(id)
      }
    },

    searchPreapprovals({ payerEmail, status, offset = 0 }) {
      // 50 is the limit that both sources allow.
      const search = { limit: 50, offset, ...(payerEmail && { payer_email: payerEmail }), ...(status && { status }) }
      return list('searchPreapprovals', offset, wire.preapprovalSummary, (config) =>
        new PreApproval(config).search({ options: search }),
      )
    },

    getAuthorizedPayment: (id) =>
      one('getAuthorizedPayment', id, wire.authorizedPayment, (config) => new Invoice(config).get({ id })),

    searchAuthorizedPayments({ preapprovalId, paymentId, offset = 0 }) {
      // No limit: above some fifteen it is refused, and without one a page has twelve (2.9).
      const search = {
        offset,
        ...(preapprovalId && { preapproval_id: preapprovalId }),
        ...(paymentId && { payment_id: Number(paymentId) }),
      }
      return list('searchAuthorizedPayments', offset, wire.authorizedPayment, (config) =>
        new Invoice(config).search({ options: search }),
      )
    },

    getPayment: (id) => one('getPayment', id, wire.payment, (config) => new Payment(config).get({ id })),

    searchPayments({ begin, end, offset = 0 }) {
      // By the last change, which finds a refund of an old payment too. Newest first: what changes between two pages moves
      // to the front, so that the rest is seen twice at worst; oldest first, one of them would be jumped over.
      const search = {
        range: 'date_last_updated',
        begin_date: begin.toISOString(),
        end_date: end.toISOString(),
        sort: 'date_last_updated',
        criteria: 'desc',
        limit: 100,
        offset,
      } as const
      return list('searchPayments', offset, wire.payment, (config) => new Payment(config).search({ options: search }))
    },

    refundPayment: (paymentId, { amountC, idempotencyKey }) =>
      exchange({
        operation: 'refundPayment',
        repeat: 'yes', // it is the key that makes a repeat harmless
        ask: (config) =>
          new PaymentRefund(config).create({
            payment_id: paymentId,
            body: amountC === null ? {} : { amount: pesosOf(amountC) },
            requestOptions: { idempotencyKey },
          }),
        shape: wire.identified,
        read: wire.refund(paymentId),
      }),

    createPreference: (input) =>
      exchange({
        operation: 'createPreference',
        repeat: 'no',
        ask: (config) => new Preference(config).create({ body: preferenceBody(input) }),
        shape: wire.identifiedOnly,
        read: wire.preference,
      }),

    getChargeback: (id) =>
      one('getChargeback', id, wire.chargeback, (config) => new Chargeback(config).get({ id }), wire.identifiedOnly),

    whoAmI: () =>
      exchange({
        operation: 'whoAmI',
        repeat: 'yes',
        ask: (config) => new User(config).get(),
        shape: wire.identifiedOnly,
        read: wire.account,
      }),

    stats: exchange.stats,
  }
  return gateway
}

const preapprovalBody = (input: NewPreapproval) => ({
  reason: input.reason,
  external_reference: input.externalReference,
  payer_email: input.payerEmail,
  back_url: input.backUrl,
  status: 'pending',
  auto_recurring: {
    frequency: monthsOf(input.frecuencia), // `years` is refused (2.1)
    frequency_type: 'months',
    transaction_amount: pesosOf(input.amountC),
    currency_id: 'MXN',
    ...(input.startDate && { start_date: input.startDate.toISOString() }),
  },
})

const changeBody = ({ status, amountC }: PreapprovalChange) => ({
  ...(status && { status }),
  // The currency is to be repeated (2.2).
  ...(amountC !== undefined && { auto_recurring: { transaction_amount: pesosOf(amountC), currency_id: 'MXN' } }),
})

const preferenceBody = (input: NewPreference) => ({
  items: [
    {
      id: input.externalReference,
      title: input.title,
      quantity: 1,
      unit_price: pesosOf(input.amountC),
      currency_id: 'MXN',
    },
  ],
  external_reference: input.externalReference,
  payer: { email: input.payerEmail },
  back_urls: { success: input.backUrl, pending: input.backUrl, failure: input.backUrl },
  expires: true,
  expiration_date_to: input.expiresAt.toISOString(),
  // Of a slip that is paid at a shop: it must not outlive the page it was printed from.
  date_of_expiration: input.expiresAt.toISOString(),
})
