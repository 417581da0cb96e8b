import { sql } from 'kysely'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { createApplication } from '../../src/simulators/mercadopago/application.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulators/mercadopago/simulator.ts'
import { type Client, type NewTenant, type Product, type ProductOptions, startProduct, type Tenant } from './product.ts'

/**
 * The product and the simulated MercadoPago on one clock that only moves when it is told: companies pay, fail and recover
 * over months in seconds. One per test file: a process speaks to one MercadoPago.
 */
export interface BillingWorld {
  product: Product
  simulator: Simulator
  connectorId: string
  /** Where it listens. */
  appUrl: string
  /** A company in its trial, with its admin logged in. */
  company(options?: NewTenant): Promise<Company>
  /** Moves all clocks, and waits until everything due on the way is done. */
  advance: Simulator['advance']
  /** Waits until what was set off is done, without moving time. */
  settle(): Promise<unknown>
  /** Has no worker while this is done: time passes, deliveries are taken, and nobody works on them. Then one comes back. */
  withoutWorker<T>(work: () => Promise<T>): Promise<T>
}

export interface Company extends Tenant {
  subscriptionId: string
  /** Pays by card: checkout, the hosted page, and the first charge an hour later. */
  payByCard(options?: CheckoutOptions): Promise<string>
  /** Begins a checkout and authorises it, without waiting for the charge. @returns MercadoPago's id of the mandate */
  authorise(options?: CheckoutOptions): Promise<string>
  story(): Promise<Story>
}

export interface CheckoutOptions {
  /** Holder names for the attempts to come, as the simulator has them. */
  script?: string[]
  frecuencia?: 'mensual' | 'anual'
}

/** All that ever happened to a subscription, in words that a test can compare. */
export interface Story {
  estado: string
  motivo: string | null
  access: string
  /** `event→estado` of each applied event that moved it or said something. */
  events: string[]
  mails: string[]
  ledger: string[]
  invoices: string[]
  payments: string[]
  alerts: string[]
  commands: string[]
  paidUntil: string | null
}

export const PRICES = {
  starter: { precioMensual: '350.00', precioAnual: '3500.00' },
  business: { precioMensual: '650.00', precioAnual: '6500.00' },
  professional: { precioMensual: '1250.00', precioAnual: '12500.00' },
  enterprise: { precioMensual: '2900.00', precioAnual: '29000.00' },
}

const SECRET = 'f3c1a9d47be25068bb19'

export interface WorldOptions extends ProductOptions {
  at?: Date
  simulator?: Partial<SimulatorOptions>
  /** What stands between the product and MercadoPago, given its address. @returns where the product finds it */
  through?: (url: string) => Promise<string>
}

export async function startBillingWorld(
  t: { after(end: () => Promise<void>): void },
  { at = new Date('2027-01-04T16:00:00Z'), simulator: simulated = {}, through, ...productOptions }: WorldOptions = {},
): Promise<BillingWorld> {
  const port = await anyFreePort()
  const appUrl = `http://127.0.0.1:${port}`
  const webhookUrl = `${appUrl}/api/webhooks/mercadopago`
  const closing = new AbortController()
  const { setClock, idle } = createApplication(appUrl, closing.signal, 180_000)
  let isUnattended = false
  const application = { setClock, idle: async () => (isUnattended ? null : await idle()) }
  const hook = { application, webhookUrl, webhookSecret: SECRET }
  const simulator = await startSimulator({ port: 0, frozen: true, at, seed: 7, ...hook, ...simulated })
  t.after(() => {
    closing.abort()
    return simulator.close()
  })
  const env = {
    TEST_CLOCK: 'true',
    MERCADOPAGO_URL: through ? await through(simulator.url) : simulator.url,
    PUBLIC_URL: 'http://localhost:3000',
    // The clock of a test runs through years; its logins are not what it is about.
    ACCESS_TOKEN_MINUTES: '10000000',
    REFRESH_TOKEN_DAYS: '7000',
    ...productOptions.env,
  }
  // Who logs in today, when `at` is over, would have a token of the future.
  const startsAt = new Date(at.getTime() - 3_600_000)
  const product = await startProduct(t, { ...productOptions, env, startsAt })
  await product.app.listen({ host: '127.0.0.1', port })
  await moveClock(appUrl, at)
  const connectorId = await prepareSales(product.staff, simulator)
  const world: BillingWorld = {
    product,
    simulator,
    connectorId,
    appUrl,
    advance: (distance) => simulator.advance(distance),
    settle: () => simulator.advance({ minutes: 0 }),
    async withoutWorker(work) {
      await product.worker.stop()
      isUnattended = true
      try {
        return await work()
      } finally {
        isUnattended = false
        await product.worker.start()
        await world.settle()
      }
    },
    async company(options) {
      const tenant = await product.createTenant({ plan: 'business', ...options })
      await world.settle()
      return companyOf(world, tenant)
    },
  }
  return world
}

async function moveClock(appUrl: string, ahora: Date) {
  const answer = await fetch(`${appUrl}/__test/clock`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ahora: ahora.toISOString() }),
  })
  if (!answer.ok) throw new Error(`the clock was not moved: ${answer.status} ${await answer.text()}`)
}

/** Prices and the connector, as staff sets them. */
async function prepareSales(staff: Client, simulator: Simulator): Promise<string> {
  const { datos } = (await staff.get('/api/planes')).json() as { datos: SoldPlan[] }
  for (const { cobro, version, vigente, creadaEn, ...plan } of datos) {
    const prices = PRICES[plan.codigo]
    await ok(staff.send('PUT', '/api/planes', { body: { ...plan, ...prices, precioUsuarioExtra: '85.00' } }))
  }
  const connector = await ok(
    staff.post('/api/conectores-pago', {
      nombre: 'Simulador',
      tipo: 'simulador',
      accessToken: simulator.accessToken,
      webhookSecret: SECRET,
    }),
  )
  const { id } = connector.json() as { id: string }
  await ok(staff.post(`/api/conectores-pago/${id}/verificar`))
  await ok(staff.post(`/api/conectores-pago/${id}/principal`))
  return id
}

interface SoldPlan {
  codigo: keyof typeof PRICES
  cobro: unknown
  version: unknown
  vigente: unknown
  creadaEn: unknown
}

export async function ok<T extends { statusCode: number; body: string }>(answer: Promise<T>): Promise<T> {
  const got = await answer
  if (got.statusCode >= 300) throw new Error(`answered ${got.statusCode} ${got.body}`)
  return got
}

async function companyOf(world: BillingWorld, tenant: Tenant): Promise<Company> {
  const { product, simulator } = world
  const { central } = product.deps
  const { id: subscriptionId } = await central
    .selectFrom('subscriptions')
    .select('id')
    .where('tenant_id', '=', tenant.id)
    .executeTakeFirstOrThrow()
  const company: Company = {
    ...tenant,
    subscriptionId,
    async authorise({ script, frecuencia } = {}) {
      const body = { correoPagador: tenant.admin.email, ...(frecuencia && { frecuencia }) }
      const { initPoint } = (await ok(tenant.post('/api/checkout/iniciar', body))).json() as { initPoint: string }
      const id = new URL(initPoint).searchParams.get('preapproval_id') ?? ''
      simulator.authorise(id, script ? { script } : {})
      await world.settle()
      return id
    },
    async payByCard(options) {
      const id = await company.authorise(options)
      await world.advance({ hours: 2 })
      return id
    },
    story: () => storyOf(world, tenant, subscriptionId),
  }
  return company
}

async function storyOf(world: BillingWorld, tenant: Tenant, subscriptionId: string): Promise<Story> {
  const { id: tenantId } = tenant
  const { central } = world.product.deps
  const of = async <T>(query: ReturnType<typeof sql<T>>) => (await query.execute(central)).rows
  const [sub] = await of(
    sql<{ estado: string; motivo: string | null; paid: string | null }>`
      select estado, motivo, paid_until::text as paid from subscriptions where id = ${subscriptionId}`,
  )
  const lines = async (query: ReturnType<typeof sql<{ line: string }>>) => (await of(query)).map(({ line }) => line)
  const mine = await tenant.get('/api/suscripciones/mi-suscripcion')
  return {
    estado: sub?.estado ?? '',
    motivo: sub?.motivo ?? null,
    access: mine.json().access,
    paidUntil: sub?.paid ?? null,
    events: await lines(sql`
      select event || '→' || (after->>'estado') as line from subscription_events
      where subscription_id = ${subscriptionId} order by id`),
    mails: await lines(sql`
      select template as line from mail_outbox where tenant_id = ${tenantId} and template not in ('bienvenida', 'invitacion')
      order by created_at, id`),
    ledger: await lines(sql`
      select kind || ' ' || amount_c as line from ledger where tenant_id = ${tenantId} order by id`),
    invoices: await lines(sql`
      select period_key || ' ' || status || ' ' || collect_c as line from invoices
      where subscription_id = ${subscriptionId} order by number`),
    payments: await lines(sql`
      select provider || ' ' || status || ' ' || amount_c || coalesce(' ' || period_start, '') as line from payments
      where subscription_id = ${subscriptionId} order by created_at, id`),
    alerts: await lines(sql`
      select code as line from billing_alerts where subscription_id = ${subscriptionId} order by created_at, id`),
    commands: await lines(sql`
      select kind || ' ' || state as line from mp_commands where subscription_id = ${subscriptionId} order by created_at, id`),
  }
}
