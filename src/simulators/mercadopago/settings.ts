import { z } from 'zod'

/**
 * The switches of the simulator. Several are questions that MercadoPago's documentation leaves open (billing.md 2.12): each
 * answer can be played, and what we wrote must hold under all of them.
 */
export const Settings = z.strictObject({
  /** From the authorisation to the first debit. */
  first_charge_delay_minutes: z.number().int().min(0).max(100_000).default(60),
  /** Hour in Mexico City of every debit but the first. */
  debit_hour: z.number().int().min(0).max(23).default(12),
  /** Whether debits keep to `debit_hour` or to the time of day of the first (and so of `start_date`). */
  debit_time: z.enum(['debit_hour', 'first_debit']).default('debit_hour'),
  /** How long before its debit an instalment shows as `scheduled`. */
  schedule_lead_hours: z.number().int().min(0).max(240).default(24),
  /** When the amount of an instalment is settled: as it is scheduled, or as it is debited. */
  amount_lock: z.enum(['schedule', 'debit']).default('debit'),
  /** A future `start_date` becomes a free trial, which no card survives at the checkout (2.1). */
  start_date_as_trial: z.boolean().default(false),
  /** Instalments that fell into a pause are debited when it ends. */
  resume_charges_missed: z.boolean().default(false),
  /** The charge that proves a card: none, of nothing, or of one peso which is given back. */
  validation_charge: z.enum(['none', 'zero', 'min']).default('zero'),
  /** What a mandate becomes whose first card is refused at the checkout. */
  refused_card: z.enum(['pending', 'cancelled']).default('pending'),
  /** How the checkout words that the payer is another than `payer_email` (2.1: sometimes disguised). */
  payer_mismatch: z.enum(['plain', 'high_risk']).default('plain'),
  /** Days after the first attempt at which a rejected instalment is tried again: at most 4 inside 10 (2.3). */
  retry_days: z.array(z.number().int().min(1).max(10)).max(4).default([1, 3, 6, 9]),
  /** After how long a payment held for review (CONT) is approved by itself. */
  contingency_hours: z.number().int().min(1).max(240).default(24),
  /** A test seller refuses a payer who is no test user. Off, so that invented companies of development can pay. */
  strict_payers: z.boolean().default(false),
  /** Whether `X-Idempotency-Key` is honoured on POST /preapproval. */
  preapproval_idempotency: z.boolean().default(true),
  /** In MercadoPago's sandbox /v1/payments/search finds nothing. */
  index_payments: z.boolean().default(true),
  /** In MercadoPago's sandbox refunds through the API are forbidden. */
  refund_forbidden: z.boolean().default(false),

  /** Through which tab of the panel webhooks leave. One without URL is total silence. */
  tab: z.enum(['production', 'test']).default('production'),
  ts_unit: z.enum(['s', 'ms']).default('s'),
  /** How an alphanumeric id is signed. */
  id_case: z.enum(['lower', 'verbatim']).default('lower'),
  /** How it is written in the address and the body. */
  url_id_case: z.enum(['verbatim', 'upper']).default('verbatim'),
  /** Redeliveries repeat `x-request-id`. */
  keep_request_id: z.boolean().default(false),
  /** Payments are announced by the old IPN too, and those of preferences by two `merchant_order` as well (2.6). */
  legacy_ipn: z.boolean().default(false),
  /** Real milliseconds an answer to the first attempt, and to the later ones, is waited for (2.7). */
  first_timeout_ms: z.number().int().min(1).max(60_000).default(22_000),
  later_timeout_ms: z.number().int().min(1).max(60_000).default(5_000),
  /** Minutes on the virtual clock from each failed attempt to the next. */
  redelivery_minutes: z.array(z.number().int().min(1)).max(10).default([15, 30, 360, 2_880, 5_760]),
})
export type Settings = z.output<typeof Settings>

/** A change of some switches: without the defaults, so that what is left out stays. */
export const SettingsChange = z.strictObject(
  Object.fromEntries(Object.entries(Settings.shape).map(([name, type]) => [name, type.unwrap().exactOptional()])),
) as unknown as z.ZodType<Partial<Settings>>
