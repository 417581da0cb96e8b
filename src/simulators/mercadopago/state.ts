import type { Fecha } from '../../fiscal/fecha.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Due } from './agenda.ts'
import type { Delivery } from './deliveries.ts'
import type { FaultRule } from './fault-rules.ts'
import { Settings } from './settings.ts'

/** All that the simulator knows. Values only, so that a snapshot is this and nothing else. */
export interface State {
  settings: Settings
  account: Account
  tabs: Record<Settings['tab'], Tab | null>
  preapprovals: Map<string, Preapproval>
  instalments: Map<string, Instalment>
  payments: Map<string, Payment>
  chargebacks: Map<string, Chargeback>
  preferences: Map<string, Preference>
  deliveries: Map<string, Delivery>
  agenda: Due[]
  faults: FaultRule[]
  remembered: Map<string, Remembered>
  versions: Map<string, Version[]>
  /** Where the generator stands: chance goes on after a restart where it stopped. */
  random: number
  serial: number
}

/** The seller. */
export interface Account {
  id: number
  nickname: string
  email: string
  applicationId: number
}

/** Where one tab of the panel sends webhooks, and what it signs them with. */
export interface Tab {
  url: string
  secret: string
}

export interface Preapproval {
  id: string
  version: number
  status: 'pending' | 'authorized' | 'paused' | 'cancelled' | 'finished'
  reason: string
  externalReference: string
  payerEmail: string
  backUrl: string
  frequency: number
  frequencyType: 'days' | 'months'
  amountC: Centavos
  startAt: Date | null
  endAt: Date | null
  freeTrial: { frequency: number; frequency_type: string } | null
  createdAt: Date
  modifiedAt: Date
  payerId: number | null
  cardId: string | null
  paymentMethodId: string | null
  /** Holder name of the card, which decides what becomes of a debit (2.11). */
  holder: string
  /** Holder names for the next attempts, retries included, one each; afterwards `holder` decides again. */
  script: string[]
  /** When the first debit falls: later ones lie on the grid of its day. */
  firstDebitAt: Date | null
  anchor: Fecha | null
  /** The next place of that grid without an instalment. */
  slot: number
  nextPaymentAt: Date | null
  /** Instalments so far, and those that fell into a pause. */
  sequence: number
  missed: number
  /** Instalments given up. At three MercadoPago cancels (2.3). */
  failed: number
  charged: { count: number; amountC: Centavos; lastAt: Date | null; lastAmountC: Centavos | null }
  refusals: { at: Date; statusDetail: string }[]
}

export interface Instalment {
  id: string
  preapprovalId: string
  sequence: number
  status: 'scheduled' | 'waiting for gateway' | 'recycling' | 'processed' | 'cancelled'
  amountC: Centavos
  debitAt: Date
  retryAttempt: number
  paymentId: string | null
  createdAt: Date
  modifiedAt: Date
}

export interface Payment {
  id: string
  kind: 'subscription' | 'validation' | 'checkout' | 'foreign'
  status: 'approved' | 'in_process' | 'rejected' | 'refunded' | 'in_mediation' | 'charged_back' | 'cancelled'
  statusDetail: string
  amountC: Centavos
  refundedC: Centavos
  createdAt: Date
  approvedAt: Date | null
  modifiedAt: Date
  description: string
  externalReference: string | null
  payerEmail: string
  payerId: number | null
  holder: string
  paymentMethodId: string
  instalmentId: string | null
  preapprovalId: string | null
  preferenceId: string | null
  refunds: Refund[]
}

export interface Refund {
  id: string
  amountC: Centavos
  createdAt: Date
}

export interface Chargeback {
  id: string
  paymentId: string
  status: 'new' | 'in_review' | 'won' | 'lost'
  amountC: Centavos
  createdAt: Date
  modifiedAt: Date
}

export interface Preference {
  id: string
  title: string
  amountC: Centavos
  externalReference: string | null
  payerEmail: string | null
  backUrls: { success: string | null; failure: string | null; pending: string | null }
  expiresAt: Date | null
  createdAt: Date
  paymentIds: string[]
}

/** An answer kept for its `X-Idempotency-Key`. */
export interface Remembered {
  at: Date
  request: string
  status: number
  body: string
}

/** What a resource answered from `at` on: a stale read serves an older one. */
export interface Version {
  at: Date
  body: string
}

export function emptyState(seed: number, account: Account, tabs: State['tabs'], settings: Partial<Settings>): State {
  return {
    settings: Settings.parse(settings),
    account,
    tabs,
    preapprovals: new Map(),
    instalments: new Map(),
    payments: new Map(),
    chargebacks: new Map(),
    preferences: new Map(),
    deliveries: new Map(),
    agenda: [],
    faults: [],
    remembered: new Map(),
    versions: new Map(),
    random: seed >>> 0,
    serial: 0,
  }
}
