import { amountOf, centavosOf } from './amounts.ts'
import { paymentOf, refundByApi } from './payments.ts'
import { createPreapproval, preapprovalOf, updatePreapproval } from './preapprovals.ts'
import { createPreference, preferenceOf } from './preferences.ts'
import { badRequest, notFound } from './refusal.ts'
import { type Answer, type Handler, type Incoming, json, type Routes } from './router.ts'
import { searchChargebacks, searchInstalments, searchPayments, searchPreapprovals } from './search.ts'
import { stamp } from './stamps.ts'
import type { Refund } from './state.ts'
import { preapprovalWire, preferenceWire, wireOf } from './wire.ts'
import type { ResourceKind, World } from './world.ts'

/** The part of MercadoPago's API that we use: same paths, shapes and quirks (billing.md 6.1). */
export function apiRoutes(world: World): Routes {
  const { state } = world
  const read =
    (kind: ResourceKind, missing: (id: string) => string): Handler =>
    ({ params: { id = '' }, staleS }) => {
      // Preapproval ids may come back in upper case, as they were sent.
      const known = kind === 'preapproval' ? id.toLowerCase() : id
      const body = staleS === null ? freshBody(world, kind, known) : olderBody(world, kind, known, staleS)
      if (body === undefined) throw notFound(missing(id))
      return { ...json(200, null), body }
    }
  return {
    'POST /preapproval': (request) => json(201, preapprovalWire(world, createPreapproval(world, bodyOf(request)))),
    'GET /preapproval/search': ({ query }) => json(200, searchPreapprovals(world, query)),
    'GET /preapproval/:id': read('preapproval', (id) => `The preapproval with id ${id} does not exist`),
    'PUT /preapproval/:id': (request) => {
      const preapproval = preapprovalOf(world, request.params['id'] ?? '')
      updatePreapproval(world, preapproval, bodyOf(request))
      return json(200, preapprovalWire(world, preapproval))
    },
    'GET /authorized_payments/search': ({ query }) => json(200, searchInstalments(world, query)),
    'GET /authorized_payments/:id': read('instalment', (id) => `The authorized payment with id ${id} does not exist`),
    'GET /v1/payments/search': ({ query }) => json(200, searchPayments(world, query)),
    'GET /v1/payments/:id': read('payment', () => 'Payment not found'),
    'POST /v1/payments/:id/refunds': (request) => {
      const payment = paymentOf(world, request.params['id'] ?? '')
      const { amount } = bodyOf(request) as { amount?: unknown }
      const given = refundByApi(world, payment, amount === undefined ? null : centavosOf(amount, 'amount'))
      return json(201, refundWire(payment.id, given))
    },
    'GET /v1/payments/:id/refunds': ({ params }) => {
      const payment = paymentOf(world, params['id'] ?? '')
      return json(
        200,
        payment.refunds.map((given) => refundWire(payment.id, given)),
      )
    },
    'GET /v1/payments/:id/refunds/:refundId': ({ params }) => {
      const payment = paymentOf(world, params['id'] ?? '')
      const given = payment.refunds.find(({ id }) => id === params['refundId'])
      if (!given) throw notFound('Refund not found')
      return json(200, refundWire(payment.id, given))
    },
    'POST /checkout/preferences': (request) =>
      json(201, preferenceWire(world, createPreference(world, bodyOf(request)))),
    'GET /checkout/preferences/:id': ({ params }) =>
      json(200, preferenceWire(world, preferenceOf(world, params['id'] ?? ''))),
    'GET /v1/chargebacks/search': ({ query }) => json(200, searchChargebacks(world, query)),
    'GET /v1/chargebacks/:id': read('chargeback', () => 'Chargeback not found'),
    'GET /users/me': (): Answer => {
      const { id, nickname, email } = state.account
      const isTest = nickname.startsWith('TESTUSER')
      return json(200, {
        id,
        nickname,
        email,
        first_name: 'Vendedor',
        last_name: 'Simulado',
        site_id: 'MLM',
        country_id: 'MX',
        user_type: 'normal',
        tags: ['normal', ...(isTest ? ['test_user'] : [])],
        status: { site_status: 'active' },
      })
    },
  }
}

/** Routes whose key is mandatory since 2023 (2.4). */
export const NEEDS_IDEMPOTENCY_KEY: ReadonlySet<string> = new Set(['POST /v1/payments/:id/refunds'])

function bodyOf({ body }: Incoming): unknown {
  try {
    const value: unknown = body === '' ? {} : JSON.parse(body)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Answered like any other body that is no object.
  }
  throw badRequest('Invalid body')
}

function freshBody(world: World, kind: ResourceKind, id: string): string | undefined {
  const wire = wireOf(world, kind, id)
  return wire && JSON.stringify(wire)
}

/** What was true `seconds` ago: a resource younger than that does not exist yet. */
function olderBody(world: World, kind: ResourceKind, id: string, seconds: number): string | undefined {
  const then = world.clock.now().getTime() - seconds * 1000
  return world.state.versions.get(`${kind} ${id}`)?.findLast(({ at }) => at.getTime() <= then)?.body
}

const refundWire = (paymentId: string, { id, amountC, createdAt }: Refund) => ({
  id: Number(id),
  payment_id: Number(paymentId),
  amount: amountOf(amountC),
  status: 'approved',
  source: { id: 'collector', name: 'Vendedor Simulado', type: 'collector' },
  date_created: stamp(createdAt),
  unique_sequence_number: null,
})
