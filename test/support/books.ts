import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import { byMercadoPago, type Cause } from '../../src/billing/apply/cause.ts'
import { setLastSynced } from '../../src/billing/facts/queries.ts'
import { recordMandate } from '../../src/billing/facts/record-mandate.ts'
import { recordPayment } from '../../src/billing/facts/record-payment.ts'
import type { BillingEvent } from '../../src/billing/machine/event.ts'
import type { Payment, PaymentStatus, Preapproval } from '../../src/billing/mercadopago/gateway.ts'
import { amountToPay } from '../../src/billing/notices/write-notice.ts'
import { commandSubscription } from '../../src/billing/own/command-subscription.ts'
import { requestPlanChange } from '../../src/billing/own/request-plan-change.ts'
import { markPaid } from '../../src/billing/payments/mark-paid.ts'
import { refundPayment } from '../../src/billing/payments/refund-payment.ts'
import { findTerms } from '../../src/billing/plans/terms.ts'
import type { Frecuencia } from '../../src/billing/subscription.ts'
import { findSubscriptionById } from '../../src/billing/subscription-queries.ts'
import { runDue } from '../../src/billing/sweep/run-due.ts'
import { AppError } from '../../src/errors.ts'
import { type Fecha, fechaOf, instantOf } from '../../src/fiscal/fecha.ts'
import { type Centavos, formatCentavos, parseCentavos } from '../../src/fiscal/money.ts'
import { insertSubscription } from '../../src/tenants/operations/begin-queries.ts'
import { nobody, startTenancy } from './tenancy.ts'

/**
 * Money without a MercadoPago: what it would say of mandates and payments is said here, on a real database, so that
 * hundreds of histories are lived in a minute and all orders of things can be had.
 */
export interface Books {
  now(): Date
  /** To midday of a day in Mexico City, or to an instant. */
  to(when: Fecha | Date): void
  account(options?: { plan?: PlanCode }): Promise<Account>
  /** Numbers of invoices that nobody has although a later one was given out. */
  gaps(): Promise<string[]>
  stop(): Promise<void>
}

export interface Account {
  tenantId: string
  subscriptionId: string
  /** A transfer seen at the bank. @returns the payment's id */
  transfer(amount: string, options?: { on?: Fecha; reference?: string; changeId?: string }): Promise<string>
  /** A card is authorised at this amount. */
  card(amount: string): Promise<Card>
  /** Pays once on a page of MercadoPago, for a change of plan. */
  payPage(changeId: string, amount: string): Promise<CardPayment>
  change(plan: PlanCode, frecuencia?: Frecuencia): Promise<Changed>
  /** Gives a transfer back; all that is left without an amount. */
  giveBack(paymentId: string, amount?: string): Promise<void>
  /** Everything that is due happens; MercadoPago was read just now. */
  sweep(): Promise<void>
  /** A price of its own from now on. */
  price(key: 'month' | 'year' | 'extra_user', amount: string, until?: Fecha): Promise<void>
  /** How many people it had on a night. */
  night(day: Fecha, users: number): Promise<void>
  sub(): Promise<{ estado: string; plan: string; frecuencia: Frecuencia; start: Fecha | null; paidUntil: Fecha | null }>
  balance(): Promise<string>
  invoices(): Promise<string[]>
  /** What it is asked for now. */
  toPay(): Promise<string>
  /** MercadoPago does what it was told about a card until now. */
  carryOut(card: Card): Promise<void>
  /** Of staff. */
  command(event: BillingEvent): Promise<void>
  /** Every centavo that came is where it should be. */
  check(): Promise<void>
  /** What runs as paid was paid for, by a payment or by the balance. */
  checkRunning(): Promise<void>
}

export interface Changed {
  id: string
  state: 'aplicado' | 'pendiente_pago'
  collect: string
}

export interface Card {
  mandateId: string
  /** What it charges by itself. */
  amount(): string
  /** It charges. */
  charge(amount: string): Promise<CardPayment>
  /** MercadoPago was told of another amount, or its payer ended it. */
  becomes(change: { amount?: string; status?: 'authorized' | 'paused' | 'cancelled' }): Promise<void>
}

export interface CardPayment {
  /** Ours. */
  id: string
  /** What MercadoPago says of it from now on. */
  becomes(status: PaymentStatus, refunded?: string): Promise<void>
}

/** Centavos a month and a year. */
const PLANS = { chico: [35_000, 350_000], mediano: [65_000, 650_000], grande: [125_000, 1_250_000] } as const
export type PlanCode = keyof typeof PLANS

export async function startBooks(start: Fecha): Promise<Books> {
  const { central, queue, stop } = await startTenancy()
  let now = instantOf(start, 12)
  const clock = { now: () => now }
  const deps = { central, queue, clock }
  const plans = Object.entries(PLANS).map(([code, [month, year]]) => ({
    code,
    nombre: code,
    price_month_c: month,
    price_year_c: year,
    extra_user_c: 8_500,
    cfdi_limit: 1000,
    user_limit: 3,
    features: sql<string>`'[]'::jsonb`,
  }))
  await central.insertInto('plans').values(plans).execute()
  const connector = { id: uuidv7(), ownAccountId: '700' }
  await central
    .insertInto('payment_connectors')
    .values({
      id: connector.id,
      name: 'Libros',
      kind: 'simulator',
      access_token: Buffer.from('x'),
      own_account_id: '700',
    })
    .execute()
  let serial = 0

  const say = async (
    facts: Pick<Payment, 'id' | 'amountC' | 'preapprovalId' | 'externalReference' | 'dateApproved'>,
  ) => {
    const tell = (status: PaymentStatus, refundedC: Centavos) => {
      now = new Date(now.getTime() + 1000)
      const payment: Payment = {
        ...facts,
        status,
        rawStatus: status,
        statusDetail: null,
        refundedC,
        currency: 'MXN',
        collectorId: '700',
        dateCreated: facts.dateApproved ?? now,
        lastUpdated: now,
        sequence: null,
        operationType: null,
        description: null,
        isValidation: false,
        payerEmail: null,
        method: 'visa',
        methodType: 'credit_card',
      }
      return central
        .transaction()
        .execute((trx) => recordPayment(trx, deps, { connector, payment }, byMercadoPago, now))
    }
    await tell('approved', 0n)
    const row = await central
      .selectFrom('payments')
      .select('id')
      .where('mp_payment_id', '=', facts.id)
      .executeTakeFirstOrThrow()
    return {
      id: row.id,
      becomes: async (status: PaymentStatus, refunded = '0.00') => {
        await tell(status, parseCentavos(refunded))
      },
    }
  }

  return {
    now: () => now,
    to(when) {
      now = typeof when === 'string' ? instantOf(when, 12) : when
    },
    stop,
    async gaps() {
      const { rows } = await sql<{ number: string }>`
        select n::text as number from invoice_numbers, generate_series(1, last) n
        where not exists (select from invoices where number = n)`.execute(central)
      return rows.map(({ number }) => number)
    },
    async account({ plan = 'mediano' } = {}) {
      const [tenantId, subscriptionId] = [uuidv7(), uuidv7()]
      const rfc = `LIB${String(++serial).padStart(6, '0')}AAA`
      await central
        .insertInto('tenants')
        .values({ id: tenantId, rfc, nombre: `Empresa ${serial}` })
        .execute()
      await central
        .transaction()
        .execute((trx) =>
          insertSubscription(trx, { id: subscriptionId, tenantId, plan: { code: plan, version: 1 }, trial: true, now }),
        )
      const staff: Cause = { origin: 'staff' }
      const find = async () => {
        const found = await findSubscriptionById(central, subscriptionId)
        assert.ok(found)
        return found
      }
      const account: Account = {
        tenantId,
        subscriptionId,
        transfer: (amount, { on = fechaOf(now), reference = `R${++serial}`, changeId } = {}) =>
          markPaid(
            deps,
            tenantId,
            { amountC: parseCentavos(amount), on, reference, evidence: {}, changeId },
            { cause: staff, by: nobody },
          ),
        async card(amount) {
          const mandateId = uuidv7()
          const attempt = ++serial
          const { planCode, planVersion, sub } = await find()
          const reference = `hx-${subscriptionId}-${attempt}`
          await central
            .insertInto('mp_mandates')
            .values({
              id: mandateId,
              subscription_id: subscriptionId,
              connector_id: connector.id,
              attempt,
              external_reference: reference,
              preapproval_id: mandateId,
              payer_email: 'paga@ejemplo.mx',
              frecuencia: sub.frecuencia,
              amount_c: parseCentavos(amount),
              plan_code: planCode,
              plan_version: planVersion,
              created_at: now,
            })
            .execute()
          let version = 0
          let said = { amount, status: 'authorized' as 'authorized' | 'paused' | 'cancelled' }
          const becomes: Card['becomes'] = async (change) => {
            said = { ...said, ...change }
            const preapproval: Preapproval = {
              id: mandateId,
              status: said.status,
              rawStatus: said.status,
              externalReference: reference,
              payerEmail: null,
              payerId: null,
              collectorId: '700',
              reason: null,
              amountC: parseCentavos(said.amount),
              currency: 'MXN',
              frecuencia: sub.frecuencia,
              dateCreated: now,
              lastModified: now,
              version: ++version,
              initPoint: null,
              nextPaymentDate: null,
              startDate: null,
              method: null,
            }
            const seen = { connectorId: connector.id, preapproval, readAt: now }
            await central.transaction().execute((trx) => recordMandate(trx, deps, seen, byMercadoPago, now))
          }
          await becomes({})
          return {
            mandateId,
            amount: () => said.amount,
            becomes,
            charge: (charged) =>
              say({
                id: String(++serial),
                amountC: parseCentavos(charged),
                preapprovalId: mandateId,
                externalReference: null,
                dateApproved: now,
              }),
          }
        },
        payPage: (changeId, amount) =>
          say({
            id: String(++serial),
            amountC: parseCentavos(amount),
            preapprovalId: null,
            externalReference: `up:${changeId}`,
            dateApproved: now,
          }),
        async change(planCode, frecuencia) {
          const gateways = {
            // No account sells: the offer is kept nevertheless, for whoever pays it.
            primary: () => Promise.reject(new AppError('unavailable', 'connectors.no_primary', 'No hay conector.')),
          }
          const request = { planCode, frecuencia, payerEmail: 'paga@ejemplo.mx' }
          const config = { publicUrl: 'https://horux.example' }
          const asked = requestPlanChange({ ...deps, gateways, config }, tenantId, request, {
            cause: staff,
            by: nobody,
          })
          await asked.catch((error: unknown) => {
            if (!(error instanceof AppError && error.code === 'connectors.no_primary')) throw error
          })
          const row = await central
            .selectFrom('plan_changes as c')
            .leftJoin('invoices as i', 'i.plan_change_id', 'c.id')
            .select(['c.id', 'c.state', 'i.collect_c'])
            .where('c.subscription_id', '=', subscriptionId)
            .orderBy('c.id', 'desc')
            .limit(1)
            .executeTakeFirstOrThrow()
          assert.ok(row.state !== 'descartado')
          return { id: row.id, state: row.state, collect: formatCentavos(BigInt(row.collect_c ?? 0)) }
        },
        async giveBack(paymentId, amount) {
          const amountC = amount === undefined ? null : parseCentavos(amount)
          const request = { paymentId, amountC, reason: 'Prueba', evidence: { nota: 'SPEI' } }
          await refundPayment(deps, tenantId, request, { cause: staff, by: nobody })
        },
        async sweep() {
          const readAt = new Date(now.getTime() + 1)
          await central.transaction().execute((trx) => setLastSynced(trx, subscriptionId, readAt))
          await runDue(deps, subscriptionId)
        },
        async price(key, amount, until) {
          await central
            .insertInto('tenant_overrides')
            .values({
              id: uuidv7(),
              tenant_id: tenantId,
              kind: 'price',
              key,
              amount: parseCentavos(amount),
              valid_from: now,
              valid_to: until ? instantOf(until) : null,
              reason: 'Prueba',
              created_at: now,
            })
            .execute()
        },
        async night(day, users) {
          await central.insertInto('seat_snapshots').values({ tenant_id: tenantId, day, users }).execute()
        },
        async sub() {
          const { sub, planCode } = await find()
          const { estado, frecuencia, periodStart, paidThrough } = sub
          return { estado, plan: planCode, frecuencia, start: periodStart, paidUntil: paidThrough }
        },
        async balance() {
          const { rows } = await sql<{ sum: string }>`
            select coalesce(sum(amount_c), 0)::text as sum from ledger where tenant_id = ${tenantId}`.execute(central)
          return formatCentavos(BigInt(rows[0]?.sum ?? 0))
        },
        async invoices() {
          const { rows } = await sql<{ line: string }>`
            select period_key || ' ' || status || ' ' || total_c || ' ' || collect_c as line from invoices
            where subscription_id = ${subscriptionId} order by number`.execute(central)
          return rows.map(({ line }) => line)
        },
        async toPay() {
          const stored = await find()
          const terms = await findTerms(central, stored, now)
          const amountC = await central.transaction().execute((trx) => amountToPay(trx, { stored, terms, now }))
          return formatCentavos(amountC === null || amountC === 0n ? 100n : amountC)
        },
        async carryOut(card) {
          const commands = await central
            .updateTable('mp_commands')
            .set({ state: 'done' })
            .where('mandate_id', '=', card.mandateId)
            .where('state', '=', 'queued')
            .returning(['id', 'kind', 'payload'])
            .execute()
          for (const { kind, payload } of commands.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
            if (kind === 'set_amount') {
              const { amountC } = payload as { amountC: string }
              await card.becomes({ amount: formatCentavos(BigInt(amountC)) })
            } else if (kind !== 'refund')
              await card.becomes({
                status: ({ cancel: 'cancelled', pause: 'paused', resume: 'authorized' } as const)[kind],
              })
          }
        },
        async command(event) {
          const command = { event, cause: staff, by: nobody, action: 'prueba' }
          await commandSubscription(deps, tenantId, command)
        },
        async checkRunning() {
          const { sub } = await find()
          if (sub.estado !== 'activa' || sub.courtesy || !sub.periodStart) return
          const { rows } = await sql<{ paid: boolean }>`
            select exists (
              select from invoices where subscription_id = ${subscriptionId} and status = 'paid' and plan_change_id is null
                and period_start = ${sub.periodStart}
              union all
              select from payments where subscription_id = ${subscriptionId} and status = 'approved'
                and period_start = ${sub.periodStart}
            ) as paid`.execute(central)
          assert.ok(rows[0]?.paid, `what began on ${sub.periodStart} was not paid`)
        },
        async check() {
          const { rows } = await sql<{
            paid: string
            returned: string
            given: string
            bought: string
            balance: string
          }>`
            select
              (select coalesce(sum(amount_c), 0) from payments
               where tenant_id = ${tenantId} and status in ('approved', 'refunded'))::text as paid,
              (select coalesce(sum(case status when 'refunded' then amount_c else refunded_c end), 0) from payments
               where tenant_id = ${tenantId} and status in ('approved', 'refunded'))::text as returned,
              -- What was given of a period that is not paid any more was given of nothing.
              (select coalesce(sum(l.amount_c), 0) from ledger l where l.tenant_id = ${tenantId}
               and (l.kind in ('proration_credit', 'proration_charge') or (l.kind = 'courtesy' and exists (
                 select from payments p join invoices i on i.id = p.invoice_id
                 where p.id::text = split_part(l.source_key, ':', 2) and i.status = 'paid'))))::text as given,
              (select coalesce(sum(total_c), 0) from invoices where tenant_id = ${tenantId} and status = 'paid')::text as bought,
              (select coalesce(sum(amount_c), 0) from ledger where tenant_id = ${tenantId})::text as balance
          `.execute(central)
          const [books] = rows
          assert.ok(books)
          const [paid, returned, given] = [books.paid, books.returned, books.given].map(BigInt) as [
            bigint,
            bigint,
            bigint,
          ]
          assert.equal(paid - returned + given, BigInt(books.bought) + BigInt(books.balance), JSON.stringify(books))
          const odd = await sql<{ number: string }>`
            select i.number::text from invoices i where i.tenant_id = ${tenantId} and i.total_c <>
              (select coalesce(sum(l.amount_c), 0) from invoice_lines l where l.invoice_id = i.id)`.execute(central)
          assert.deepEqual(odd.rows, [], 'lines sum to the total')
        },
      }
      return account
    },
  }
}
