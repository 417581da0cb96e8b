import type { Centavos } from '../../fiscal/money.ts'
import type { Frecuencia } from '../subscription.ts'

/**
 * What we ask of MercadoPago, in our words: ids are text, amounts centavos of `currency`, instants are Dates, statuses
 * closed unions in which `unknown` stands for what we do not know (`rawStatus` keeps the text). Nothing of the SDK leaks.
 *
 * Every method may throw an AppError: `gateway.unavailable`, `gateway.unreached` (surely not sent), `gateway.breaker_open`,
 * `gateway.unusable_answer`, `gateway.not_found`, `gateway.rejected` (see `rejectionReasonOf`), `gateway.unauthorized`.
 */
export interface Gateway {
  /**
   * Begins a mandate that waits for its payer, at `initPoint`. Never retried once it may have been sent.
   * @throws AppError `gateway.lost_answer` when it may exist nevertheless: look for its `externalReference` (5.5)
   */
  createPreapproval(input: NewPreapproval): Promise<Preapproval>
  getPreapproval(id: string): Promise<Preapproval>
  /** Cancelling what is cancelled already succeeds; any other change of it is `gateway.rejected`, `already_cancelled`. */
  updatePreapproval(id: string, change: PreapprovalChange): Promise<Preapproval>
  /** There is no search by external reference: MercadoPago ignores it in silence and returns everybody (2.9). */
  searchPreapprovals(query: PreapprovalQuery): Promise<Page<PreapprovalSummary>>
  getAuthorizedPayment(id: string): Promise<AuthorizedPayment>
  searchAuthorizedPayments(query: AuthorizedPaymentQuery): Promise<Page<AuthorizedPayment>>
  getPayment(id: string): Promise<Payment>
  /** What was last updated in [begin, end], newest first; also payments of others that our account made (2.4). */
  searchPayments(query: { begin: Date; end: Date; offset?: number }): Promise<Page<Payment>>
  /** Gives back all of a payment (`amountC: null`) or a part. The key is kept by the caller and makes a repeat harmless. */
  refundPayment(paymentId: string, refund: { amountC: Centavos | null; idempotencyKey: string }): Promise<Refund>
  /** A page on which one amount is paid once. Not retried; a lost one harms nobody, because nobody knows its address. */
  createPreference(input: NewPreference): Promise<Preference>
  getChargeback(id: string): Promise<Chargeback>
  /** Whose account the access token is. `id` is what `Payment.collectorId` is compared with. */
  whoAmI(): Promise<Account>
  stats(): GatewayStats
}

export interface NewPreapproval {
  /** At most 60 characters; `/` disappears on the card statement. */
  reason: string
  externalReference: string
  /** The payer must log in with exactly this account. */
  payerEmail: string
  backUrl: string
  frecuencia: Frecuencia
  /** 100.00 to 200,000.00 pesos. */
  amountC: Centavos
  startDate?: Date
}

/** Absolute values, so that asking twice is asking once. */
export interface PreapprovalChange {
  status?: 'paused' | 'authorized' | 'cancelled'
  amountC?: Centavos
}

export interface PreapprovalQuery {
  payerEmail?: string
  status?: Exclude<PreapprovalStatus, 'unknown'>
  offset?: number
}

export interface AuthorizedPaymentQuery {
  preapprovalId?: string
  paymentId?: string
  offset?: number
}

export interface NewPreference {
  title: string
  amountC: Centavos
  externalReference: string
  payerEmail: string
  backUrl: string
  expiresAt: Date
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Ids of rows that were left out because something in them could not be read; `?` for one without an id. */
  readonly unreadable: readonly string[]
  /** Where the next page begins; null after the last. */
  readonly nextOffset: number | null
  readonly total: number | null
}

export const preapprovalStatuses = ['pending', 'authorized', 'paused', 'cancelled'] as const
export type PreapprovalStatus = (typeof preapprovalStatuses)[number] | 'unknown'

/** As a search lists it. The list shows the next payment as null whatever it is, so it is not here: ask for the one. */
export interface PreapprovalSummary {
  readonly id: string
  readonly status: PreapprovalStatus
  readonly rawStatus: string
  readonly externalReference: string | null
  /** Measured empty. */
  readonly payerEmail: string | null
  readonly payerId: string | null
  readonly collectorId: string | null
  readonly reason: string | null
  /** What each instalment charges; null when the answer did not say. */
  readonly amountC: Centavos | null
  readonly currency: string | null
  /** Null when it is neither each month nor each twelve. */
  readonly frecuencia: Frecuencia | null
  readonly dateCreated: Date | null
  readonly lastModified: Date | null
}

export interface Preapproval extends PreapprovalSummary {
  /** Grows with each change. */
  readonly version: number | null
  /** The hosted checkout. */
  readonly initPoint: string | null
  readonly nextPaymentDate: Date | null
  readonly startDate: Date | null
  readonly method: string | null
}

export const authorizedPaymentStatuses = [
  'scheduled',
  'waiting_for_gateway',
  'recycling', // rejected, will be tried again
  'processed', // paid or given up: the payment tells
  'cancelled',
] as const
export type AuthorizedPaymentStatus = (typeof authorizedPaymentStatuses)[number] | 'unknown'

/** One instalment of a mandate (2.3). */
export interface AuthorizedPayment {
  readonly id: string
  readonly status: AuthorizedPaymentStatus
  readonly rawStatus: string
  readonly preapprovalId: string | null
  readonly externalReference: string | null
  readonly amountC: Centavos | null
  readonly currency: string | null
  readonly debitDate: Date | null
  readonly retryAttempt: number | null
  readonly dateCreated: Date | null
  readonly lastModified: Date | null
  readonly payment: {
    readonly id: string
    readonly status: PaymentStatus
    readonly rawStatus: string | null
    readonly statusDetail: string | null
  } | null
}

export const paymentStatuses = [
  'approved',
  'pending',
  'in_process',
  'authorized',
  'rejected',
  'cancelled',
  'in_mediation',
  'refunded',
  'charged_back',
] as const
/** MercadoPago's. `normalize.ts` has what our payments make of them. */
export type PaymentStatus = (typeof paymentStatuses)[number] | 'unknown'

export interface Payment {
  readonly id: string
  readonly status: PaymentStatus
  readonly rawStatus: string
  readonly statusDetail: string | null
  readonly amountC: Centavos
  readonly refundedC: Centavos
  readonly currency: string | null
  /** Who was paid; null on what our account paid to MercadoPago itself. Only ours moves a period. */
  readonly collectorId: string | null
  readonly dateCreated: Date
  readonly dateApproved: Date | null
  readonly lastUpdated: Date
  /** The mandate named by the payment itself: `transaction_data.subscription_id`, else `metadata.preapproval_id` (2.4). */
  readonly preapprovalId: string | null
  /** Number of the instalment, from 1. */
  readonly sequence: number | null
  readonly externalReference: string | null
  readonly operationType: string | null
  readonly description: string | null
  /** A charge that only proves a card, and is given back: it never pays a period (2.3, 5.4). */
  readonly isValidation: boolean
  readonly payerEmail: string | null
  /** `visa`, `oxxo`. */
  readonly method: string | null
  /** `credit_card`, `ticket`. */
  readonly methodType: string | null
}

export const refundStatuses = ['approved', 'in_process', 'authorized', 'rejected', 'cancelled'] as const

export interface Refund {
  readonly id: string
  readonly paymentId: string
  readonly status: (typeof refundStatuses)[number] | 'unknown'
  readonly rawStatus: string
  readonly amountC: Centavos
  readonly dateCreated: Date | null
}

export interface Preference {
  readonly id: string
  readonly initPoint: string
}

export const chargebackStatuses = ['new', 'in_review', 'won', 'lost'] as const

export interface Chargeback {
  readonly id: string
  readonly status: (typeof chargebackStatuses)[number] | 'unknown'
  readonly rawStatus: string | null
  readonly paymentIds: readonly string[]
  readonly amountC: Centavos | null
  readonly currency: string | null
  readonly dateCreated: Date | null
  readonly lastUpdated: Date | null
}

export interface Account {
  readonly id: string
  readonly nickname: string
  readonly email: string | null
  /** `MLM` is Mexico. */
  readonly siteId: string | null
  /** It looks like a test user. An account's access token does not say (2.11). */
  readonly isTest: boolean
}

/** Of this process since its start. A failure is an attempt that ended in one of the errors that are tried again. */
export interface GatewayStats {
  readonly account: string
  readonly breaker: 'closed' | 'open' | 'half_open'
  readonly consecutiveFailures: number
  /** When the breaker first opened, nothing having succeeded since. */
  readonly unreachableSince: Date | null
  readonly calls: number
  readonly failures: number
  /** When it last answered usably, refusals included. */
  readonly lastAnswerAt: Date | null
}
