import { requireLink } from './payment-link.ts'
import { type Checkout, type CheckoutDeps, startCheckout } from './start-checkout.ts'

/**
 * Whoever has the link goes to pay: the same checkout as the owner's (billing.md 3.9), for what the link was made for.
 * @throws AppError not_found `checkout.link_invalid`; conflict `checkout.link_stale`, `checkout.already_authorized`; as
 *   `startCheckout`
 */
export async function payLink(
  deps: CheckoutDeps,
  token: string,
  correoPagador: string,
  requestId: string,
): Promise<Checkout> {
  const { subscriptionId } = await requireLink(deps.central, token, deps.clock.now())
  // Nobody is logged in: the link is the owner's word.
  const cause = { origin: 'owner', requestId } as const
  return startCheckout(deps, { subscriptionId, wish: {}, token, correoPagador, cause })
}
