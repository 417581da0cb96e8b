import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { byMercadoPago } from '../../../src/billing/apply/cause.ts'
import { fetchResource } from '../../../src/billing/pipeline/fetch-resource.ts'
import { markDirty } from '../../../src/billing/pipeline/queries.ts'
import { compareAll } from '../../../src/billing/reconcile/nightly.ts'
import { syncSubscription } from '../../../src/billing/reconcile/sync-subscription.ts'
import { sweepBilling } from '../../../src/billing/sweep/sweep.ts'
import { addDays, fechaOf } from '../../../src/fiscal/fecha.ts'
import { type BillingWorld, type Company, startBillingWorld } from '../../support/billing-world.ts'

/**
 * Everything that can happen to a subscription, at once, again and again, to very few of them (billing.md 5.5): nothing
 * waits for each other in a circle, nothing breaks, and no centavo is made or lost.
 */
describe('races', () => {
  const ends: (() => Promise<void>)[] = []
  let world: BillingWorld
  let companies: Company[]

  before(async () => {
    world = await startBillingWorld({ after: (end) => void ends.push(end) })
    companies = await Promise.all([world.company(), world.company(), world.company()])
    for (const company of companies) await company.payByCard()
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  const chance = lcg(20_270_104)
  const pick = <T>(all: readonly T[]): T => all[Math.floor(chance() * all.length)] as T
  let made = 0

  const paymentsOf = ({ subscriptionId }: Company) =>
    [...world.simulator.state.payments.values()].filter(({ externalReference }) =>
      externalReference?.includes(subscriptionId),
    )

  /** Deeds of people answer with a status, those of the worker with nothing. */
  const deeds: Record<string, (company: Company) => Promise<number | undefined>> = {
    pause: (company) => status(company.send('PATCH', '/api/suscripciones/pausar', { body: {} })),
    resume: (company) => status(company.send('PATCH', '/api/suscripciones/reanudar')),
    cancel: (company) => status(company.post('/api/suscripciones/cancelar', {})),
    undo: (company) => status(company.post('/api/suscripciones/deshacer-cancelacion')),
    upgrade: (company) =>
      status(
        company.post('/api/suscripciones/mi-plan/cambiar', { plan: pick(['professional', 'business', 'starter']) }),
      ),
    look: (company) => status(company.get('/api/suscripciones/mi-suscripcion')),
    checkout: (company) => status(company.post('/api/checkout/iniciar', { correoPagador: company.admin.email })),
    invite: (company) =>
      status(
        company.post('/api/usuarios/invite', {
          email: `persona${++made}@ejemplo.mx`,
          nombre: 'Persona Nueva',
          rol: 'contador',
        }),
      ),
    override: ({ id }) =>
      status(
        world.product.staff.post(`/api/subscriptions/${id}/excepciones`, {
          tipo: 'limite',
          clave: 'usuarios',
          valor: 1_000,
          hasta: null,
          motivo: 'Prueba de carga',
        }),
      ),
    transfer: ({ id }) => {
      const transfer = {
        importe: pick(['650.00', '100.00', '1250.00']),
        fecha: fechaOf(world.product.deps.clock.now()),
        // Often the same one twice at once.
        referencia: `SPEI ${Math.floor(made++ / 2)}`,
        evidencia: { banco: 'Banco de prueba' },
      }
      return status(world.product.staff.post(`/api/subscriptions/${id}/mark-paid`, transfer))
    },
    async refund({ id, subscriptionId }) {
      const payment = await world.product.deps.central
        .selectFrom('payments')
        .select('id')
        .where('subscription_id', '=', subscriptionId)
        .where('status', '=', 'approved')
        .orderBy(sql`random()`)
        .limit(1)
        .executeTakeFirst()
      if (!payment) return undefined
      const url = `/api/subscriptions/${id}/payments/${payment.id}/reembolsar`
      const body = { importe: pick(['1.00', '650.00']), motivo: 'Prueba de carga', evidencia: { banco: 'Banco' } }
      return status(world.product.staff.post(url, body))
    },
    reactivate: ({ id }) => {
      const hasta = addDays(fechaOf(world.product.deps.clock.now()), 5)
      return status(
        world.product.staff.post(`/api/subscriptions/${id}/reactivar`, { hasta, motivo: 'Prueba de carga' }),
      )
    },
    suspend: ({ id }) =>
      status(world.product.staff.post(`/api/subscriptions/${id}/suspender`, { motivo: 'Prueba de carga' })),
    async read(company) {
      const resource = {
        connectorId: world.connectorId,
        kind: 'payment',
        resourceId: pick(paymentsOf(company)).id,
      } as const
      const { central, clock } = world.product.deps
      await markDirty(central, resource, clock.now())
      await fetchResource(world.product.deps, resource)
    },
    sync: async ({ subscriptionId }) =>
      void (await syncSubscription(world.product.deps, subscriptionId, byMercadoPago)),
    sweep: async () => void (await sweepBilling(world.product.deps)),
    night: async () => void (await compareAll(world.product.deps)),
    async webhook(company) {
      world.simulator.forge({ topic: 'payment', resourceId: pick(paymentsOf(company)).id })
      await world.simulator.settled()
    },
  }

  test('twelve things at once to three companies, round after round', async () => {
    const { central } = world.product.deps
    const names = Object.keys(deeds)
    const seen = new Map<string, number>()
    for (let round = 1; round <= ROUNDS; round++) {
      const deed = async () => {
        const name = pick(names)
        const answer = (await deeds[name]?.(pick(companies))) ?? 200
        const key = `${name} ${answer}`
        seen.set(key, (seen.get(key) ?? 0) + 1)
      }
      await Promise.all(Array.from({ length: 12 }, deed))
      // Whoever was suspended or has ended begins again, and MercadoPago charges.
      if (round % 5 !== 0) continue
      for (const company of companies) await deeds['reactivate']?.(company)
      await world.advance({ days: 2 })
    }
    await world.settle()
    assert.deepEqual(
      [...seen.keys()].filter((key) => Number(key.split(' ')[1]) >= 500),
      [],
    )
    // Else this proves little. What MercadoPago was told to end, nobody takes back.
    for (const name of names.filter((one) => one !== 'undo'))
      assert.ok(
        ['200', '201', '202'].some((code) => seen.has(`${name} ${code}`)),
        `${name} never went well`,
      )
    const { rows } = await sql<{ deadlocks: string }>`
      select deadlocks from pg_stat_database where datname = current_database()`.execute(central)
    assert.equal(rows[0]?.deadlocks, '0')
    const failures = world.product.log.filter((line) => /"level":(50|60)/.test(line))
    assert.deepEqual(failures, [])
    for (const company of companies) await isInBalance(company)
  })

  /** What was paid and not given back is what bought periods, what a change of plan gave or took, and the balance. */
  async function isInBalance({ id, subscriptionId }: Company) {
    const { rows } = await sql<{ paid: string; used: string; numbers: string; last: string }>`
      select
        (select coalesce(sum(amount_c - refunded_c), 0) from payments
          where subscription_id = ${subscriptionId} and status in ('approved', 'refunded')) as paid,
        (select coalesce(sum(total_c), 0) from invoices where subscription_id = ${subscriptionId} and status = 'paid')
          + (select coalesce(sum(amount_c), 0) from ledger where tenant_id = ${id}
             and kind not in ('courtesy', 'proration_credit', 'proration_charge')) as used,
        (select count(*) from invoices) as numbers,
        (select last from invoice_numbers) as last`.execute(world.product.deps.central)
    const [money] = rows
    assert.equal(money?.used, money?.paid, 'to the centavo')
    assert.equal(money?.numbers, money?.last, 'no number of an invoice is missing')
  }
})

const ROUNDS = 25

const status = async (answer: Promise<{ statusCode: number }>) => (await answer).statusCode

/** The same numbers each time. */
function lcg(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
