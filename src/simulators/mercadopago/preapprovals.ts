import { z } from 'zod'
import { amountOf, centavosOf } from './amounts.ts'
import { drawHex } from './chance.ts'
import { cancelMandate, resumeDebits } from './debits.ts'
import { notify } from './deliveries.ts'
import { badRequest, notFound } from './refusal.ts'
import type { Preapproval } from './state.ts'
import { changed, type World } from './world.ts'

/** The body of POST /preapproval. `notification_url` may be there and is dropped in silence, like all that is not named. */
const Creation = z.object({
  reason: z.string().min(1),
  external_reference: z.union([z.string(), z.number()]).transform(String),
  payer_email: z.string(),
  back_url: z.string(),
  status: z.string().default('pending'),
  preapproval_plan_id: z.string().optional(),
  card_token_id: z.string().optional(),
  auto_recurring: z.object({
    frequency: z.number().int().min(1),
    frequency_type: z.string(),
    transaction_amount: z.unknown(),
    currency_id: z.string(),
    start_date: z.string().optional(),
    end_date: z.string().optional(),
    free_trial: z.object({ frequency: z.number().int().min(1), frequency_type: z.string() }).optional(),
  }),
})

/** A mandate nobody has authorised yet (billing.md 2.1). @throws AppError with MercadoPago's words */
export function createPreapproval(world: World, body: unknown): Preapproval {
  const { state, clock } = world
  const input = parsed(Creation, body)
  const { auto_recurring: recurring } = input
  if ((input.preapproval_plan_id || input.status === 'authorized') && !input.card_token_id)
    throw badRequest('card_token_id is required')
  if (input.status !== 'pending' && input.status !== 'authorized') throw badRequest('Invalid value for status')
  if (recurring.frequency_type !== 'days' && recurring.frequency_type !== 'months')
    throw badRequest('Invalid value for frequency_type, must be one of days, months')
  checkReason(input.reason)
  checkPayer(world, input.payer_email)
  checkBackUrl(input.back_url)
  const startAt = dateOf(recurring.start_date, 'start_date')
  const endAt = dateOf(recurring.end_date, 'end_date')
  if (endAt && endAt <= (startAt ?? clock.now())) throw badRequest('Invalid value for end_date, must be a future date')
  const now = clock.now()
  const preapproval: Preapproval = {
    id: drawHex(state, 32),
    version: -1,
    status: 'pending',
    reason: input.reason,
    externalReference: input.external_reference,
    payerEmail: input.payer_email,
    backUrl: input.back_url,
    frequency: recurring.frequency,
    frequencyType: recurring.frequency_type,
    amountC: checkedAmount(recurring.transaction_amount, recurring.currency_id),
    startAt,
    endAt,
    freeTrial: recurring.free_trial ?? trialUntil(world, startAt),
    createdAt: now,
    modifiedAt: now,
    payerId: null,
    cardId: null,
    paymentMethodId: null,
    holder: 'APRO',
    script: [],
    firstDebitAt: null,
    anchor: null,
    slot: 0,
    nextPaymentAt: startAt,
    sequence: 0,
    missed: 0,
    failed: 0,
    charged: { count: 0, amountC: 0n, lastAt: null, lastAmountC: null },
    refusals: [],
  }
  state.preapprovals.set(preapproval.id, preapproval)
  changed(world, 'preapproval', preapproval.id)
  notify(world, 'subscription_preapproval', 'created', preapproval.id)
  return preapproval
}

export function preapprovalOf({ state }: World, id: string): Preapproval {
  const preapproval = state.preapprovals.get(id.toLowerCase())
  if (!preapproval) throw notFound(`The preapproval with id ${id} does not exist`)
  return preapproval
}

const Change = z.object({
  status: z.string().optional(),
  reason: z.string().optional(),
  external_reference: z.union([z.string(), z.number()]).transform(String).optional(),
  back_url: z.string().optional(),
  card_token_id: z.string().optional(),
  auto_recurring: z
    .object({
      transaction_amount: z.unknown().optional(),
      currency_id: z.string().optional(),
      end_date: z.string().optional(),
    })
    .optional(),
})

/** PUT /preapproval/{id} (2.2): what is said changes and the rest stays. Everything is checked before anything changes. */
export function updatePreapproval(world: World, preapproval: Preapproval, body: unknown): void {
  const change = parsed(Change, body)
  const recurring = change.auto_recurring ?? {}
  if (preapproval.status === 'cancelled') throw badRequest('You can not modify a cancelled preapproval.')
  if (change.reason !== undefined) checkReason(change.reason)
  if (change.back_url !== undefined) checkBackUrl(change.back_url)
  const amountC =
    recurring.transaction_amount === undefined
      ? preapproval.amountC
      : checkedAmount(recurring.transaction_amount, recurring.currency_id)
  const endAt = dateOf(recurring.end_date, 'end_date') ?? preapproval.endAt
  const status = change.status === undefined ? preapproval.status : checkedStatus(preapproval, change.status)

  preapproval.reason = change.reason ?? preapproval.reason
  preapproval.externalReference = change.external_reference ?? preapproval.externalReference
  preapproval.backUrl = change.back_url ?? preapproval.backUrl
  Object.assign(preapproval, { amountC, endAt })
  // A new card starts anew: whatever the old one did is over.
  if (change.card_token_id !== undefined) Object.assign(preapproval, { holder: 'APRO', script: [] })
  setMandate(world, preapproval, status)
}

/** Moves a mandate to another state, by whoever: the seller, the payer, a person at the simulator's page. */
export function setMandate(world: World, preapproval: Preapproval, status: Preapproval['status']): void {
  if (status === 'cancelled') {
    cancelMandate(world, preapproval)
    return
  }
  const resumed = preapproval.status === 'paused' && status === 'authorized'
  preapproval.status = status
  if (resumed) resumeDebits(world, preapproval)
  changed(world, 'preapproval', preapproval.id)
  notify(world, 'subscription_preapproval', 'updated', preapproval.id)
}

/** The English guide writes `canceled`; what works is `cancelled`. @throws AppError */
export function checkedStatus(preapproval: Preapproval, wanted: string): Preapproval['status'] {
  const from = preapproval.status
  if (from === 'cancelled') throw badRequest('You can not modify a cancelled preapproval.')
  if (wanted === 'cancelled' || wanted === from) return wanted
  if (from === 'pending' && wanted === 'authorized') throw badRequest('card_token_id is required')
  if ((from === 'authorized' && wanted === 'paused') || (from === 'paused' && wanted === 'authorized')) return wanted
  throw badRequest('Invalid value for status')
}

function checkReason(reason: string): void {
  if ([...reason].length > 60) throw badRequest('reason has more than 60 characters')
}

/** Our own host is fine: this is the simulator, and so is its product. MercadoPago itself refuses localhost. */
function checkBackUrl(url: string): void {
  const invalid = badRequest('Invalid value for back_url, must be a valid URL')
  if (!URL.canParse(url)) throw invalid
  const { protocol, hostname } = new URL(url)
  const own = hostname === 'localhost' || hostname === '127.0.0.1'
  if ((protocol !== 'https:' && protocol !== 'http:') || !(own || hostname.includes('.'))) throw invalid
}

/** Test users pay test users (2.11). */
function checkPayer({ state }: World, email: string): void {
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    throw badRequest('Invalid value for payer_email, must be a valid email')
  const { nickname, id } = state.account
  // The address of a test user is made of the number in the nickname; made of the user id it is nobody's.
  if (email === `test_user_${id}@testuser.com`) throw badRequest('User bad request')
  const payerIsTest = /^test_user_\d+@testuser\.com$/i.test(email)
  const sellerIsTest = nickname.startsWith('TESTUSER')
  if ((payerIsTest && !sellerIsTest) || (sellerIsTest && !payerIsTest && state.settings.strict_payers))
    throw badRequest('Both payer and collector must be real or test users')
}

function checkedAmount(value: unknown, currency: string | undefined): bigint {
  if (currency !== 'MXN') throw badRequest('Invalid value for currency_id')
  const amountC = centavosOf(value, 'transaction_amount')
  if (amountC < LEAST_C) throw badRequest(`Cannot pay an amount lower than $ ${amountOf(LEAST_C).toFixed(2)}`)
  if (amountC > MOST_C) throw badRequest(`Cannot pay an amount greater than $ ${amountOf(MOST_C).toFixed(2)}`)
  return amountC
}

/** Mexico's bounds of a subscription's amount (2.1). */
const LEAST_C = 100_00n
const MOST_C = 200_000_00n

function dateOf(text: string | undefined, field: string): Date | null {
  if (text === undefined) return null
  const date = new Date(text)
  if (Number.isNaN(date.getTime()) || !/^\d{4}-\d\d-\d\dT/.test(text)) throw badRequest(`Invalid value for ${field}`)
  return date
}

function trialUntil({ state, clock }: World, startAt: Date | null): Preapproval['freeTrial'] {
  if (!state.settings.start_date_as_trial || !startAt || startAt <= clock.now()) return null
  return { frequency: Math.ceil((startAt.getTime() - clock.now().getTime()) / 86_400_000), frequency_type: 'days' }
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const path = result.error.issues[0]?.path.join('.')
  throw badRequest(path ? `Invalid value for ${path}` : 'Invalid body')
}
