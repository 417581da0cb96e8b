import { z } from 'zod'
import { centavosOf } from './amounts.ts'
import { outcomeOf } from './cards.ts'
import { drawUuid, nextId } from './chance.ts'
import { charge } from './payments.ts'
import { badRequest, notFound } from './refusal.ts'
import type { Payment, Preference } from './state.ts'
import type { World } from './world.ts'

/** It becomes a link on the page: no other scheme. */
const webUrl = z.url({ protocol: /^https?$/ })

const Creation = z.object({
  items: z
    .array(
      z.object({
        title: z.string().min(1).max(256),
        quantity: z.number().int().min(1),
        unit_price: z.unknown(),
        currency_id: z.literal('MXN').default('MXN'),
      }),
    )
    .min(1),
  external_reference: z.string().max(256).nullish(),
  payer: z.object({ email: z.string().nullish() }).nullish(),
  back_urls: z.object({ success: webUrl.nullish(), failure: webUrl.nullish(), pending: webUrl.nullish() }).nullish(),
  auto_return: z.string().nullish(),
  expires: z.boolean().nullish(),
  expiration_date_to: z.iso.datetime({ offset: true }).nullish(),
})

/** A page that takes one payment (Checkout Pro). @throws AppError */
export function createPreference(world: World, body: unknown): Preference {
  const { state, clock } = world
  const result = Creation.safeParse(body)
  if (!result.success) throw badRequest(`Invalid value for ${result.error.issues[0]?.path.join('.') || 'body'}`)
  const { items, external_reference, payer, back_urls, auto_return, expires, expiration_date_to } = result.data
  if (auto_return && !back_urls?.success) throw badRequest('auto_return invalid. back_url.success must be defined')
  const amountC = items.reduce(
    (sum, item) => sum + centavosOf(item.unit_price, 'unit_price') * BigInt(item.quantity),
    0n,
  )
  if (amountC <= 0n) throw badRequest('Invalid value for unit_price, must be a positive number')
  const preference: Preference = {
    id: `${state.account.id}-${drawUuid(state)}`,
    title: items.map(({ title }) => title).join(', '),
    amountC,
    externalReference: external_reference ?? null,
    payerEmail: payer?.email ?? null,
    backUrls: {
      success: back_urls?.success ?? null,
      failure: back_urls?.failure ?? null,
      pending: back_urls?.pending ?? null,
    },
    // Without `expires` MercadoPago ignores the dates.
    expiresAt: expires && expiration_date_to ? new Date(expiration_date_to) : null,
    createdAt: clock.now(),
    paymentIds: [],
  }
  state.preferences.set(preference.id, preference)
  world.stir()
  return preference
}

export function preferenceOf({ state }: World, id: string): Preference {
  const preference = state.preferences.get(id)
  if (!preference) throw notFound(`preference_id ${id} not found`)
  return preference
}

export type PayResult = { kind: 'paid'; payment: Payment } | { kind: 'refused'; mensaje: string }

/** Somebody pays on its page. A refused card is a payment too, and another may be tried. */
export function payPreference(
  world: World,
  preference: Preference,
  payer: { email: string; holder: string },
): PayResult {
  const refused = (mensaje: string): PayResult => ({ kind: 'refused', mensaje })
  if (preference.expiresAt && preference.expiresAt <= world.clock.now()) return refused('Este cobro ya venció.')
  const payments = preference.paymentIds.map((id) => world.state.payments.get(id))
  if (payments.some((payment) => payment && payment.status !== 'rejected')) return refused('Este cobro ya se pagó.')
  const payment = charge(world, {
    kind: 'checkout',
    amountC: preference.amountC,
    description: preference.title,
    externalReference: preference.externalReference,
    payerEmail: payer.email,
    payerId: Number(nextId(world.state, 'payer')),
    holder: payer.holder,
    preferenceId: preference.id,
  })
  preference.paymentIds.push(payment.id)
  if (payment.status !== 'rejected') return { kind: 'paid', payment }
  return refused(`Tu tarjeta no fue aceptada: ${outcomeOf(payer.holder).texto.toLowerCase()}.`)
}
