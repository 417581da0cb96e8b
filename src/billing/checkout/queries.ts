import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { Frecuencia } from '../subscription.ts'

/** What makes two checkouts the same one. */
export interface CheckoutTerms {
  subscriptionId: string
  connectorId: string
  payerEmail: string
  amountC: Centavos
  plan: { code: string; version: number }
  frecuencia: Frecuencia
}

export interface OpenCheckout {
  id: string
  externalReference: string
  status: 'creating' | 'pending'
  initPoint: string | null
  createdAt: Date
}

/** Begun after `since` with the same terms, and authorised by nobody yet. The newest first. */
export async function findOpenCheckouts(db: CentralSql, terms: CheckoutTerms, since: Date): Promise<OpenCheckout[]> {
  const rows = await db
    .selectFrom('mp_mandates')
    .select([
      'id',
      'external_reference as externalReference',
      'status',
      'init_point as initPoint',
      'created_at as createdAt',
    ])
    .where('subscription_id', '=', terms.subscriptionId)
    .where('connector_id', '=', terms.connectorId)
    .where('payer_email', '=', terms.payerEmail)
    .where('amount_c', '=', String(terms.amountC))
    .where('plan_code', '=', terms.plan.code)
    .where('plan_version', '=', terms.plan.version)
    .where('frecuencia', '=', terms.frecuencia)
    .where('status', 'in', ['creating', 'pending'])
    .where('cancelled_by_us', 'is', null)
    .where('created_at', '>', since)
    .orderBy('attempt', 'desc')
    .execute()
  return rows as OpenCheckout[]
}

/** Nobody has authorised them, and they sell something else than `terms`. */
export async function findOutdatedCheckouts(
  db: CentralSql,
  { subscriptionId, plan, frecuencia }: Pick<CheckoutTerms, 'subscriptionId' | 'plan' | 'frecuencia'>,
): Promise<{ id: string; connectorId: string }[]> {
  return db
    .selectFrom('mp_mandates')
    .select(['id', 'connector_id as connectorId'])
    .where('subscription_id', '=', subscriptionId)
    .where('status', 'in', ['creating', 'pending'])
    .where('cancelled_by_us', 'is', null)
    .where((eb) =>
      eb.or([
        eb('plan_code', '<>', plan.code),
        eb('plan_version', '<>', plan.version),
        eb('frecuencia', '<>', frecuencia),
      ]),
    )
    .execute()
}

export interface NewMandate extends CheckoutTerms {
  id: string
  attempt: number
  externalReference: string
  at: Date
}

/** Under the lock of the subscription, which is what numbers attempts one after the other. */
export async function findLastAttempt(trx: CentralTx, subscriptionId: string): Promise<number> {
  const row = await trx
    .selectFrom('mp_mandates')
    .select('attempt')
    .where('subscription_id', '=', subscriptionId)
    .orderBy('attempt', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.attempt ?? 0
}

/** How many were begun after `since`, whatever became of them. Under the lock of the subscription. */
export async function countAttempts(trx: CentralTx, subscriptionId: string, since: Date): Promise<number> {
  const { attempts } = await trx
    .selectFrom('mp_mandates')
    .select(sql<number>`count(*)::int`.as('attempts'))
    .where('subscription_id', '=', subscriptionId)
    .where('created_at', '>', since)
    .executeTakeFirstOrThrow()
  return attempts
}

/** Before MercadoPago is asked: what it answers and we never hear is still ours to find. */
export async function insertMandate(trx: CentralTx, mandate: NewMandate): Promise<void> {
  await trx
    .insertInto('mp_mandates')
    .values({
      id: mandate.id,
      subscription_id: mandate.subscriptionId,
      connector_id: mandate.connectorId,
      attempt: mandate.attempt,
      external_reference: mandate.externalReference,
      status: 'creating',
      payer_email: mandate.payerEmail,
      frecuencia: mandate.frecuencia,
      amount_c: mandate.amountC,
      plan_code: mandate.plan.code,
      plan_version: mandate.plan.version,
      created_at: mandate.at,
    })
    .execute()
}

/** MercadoPago refused to make it: it never was. */
export async function failMandate(db: CentralSql, id: string, failure: string): Promise<void> {
  await db
    .updateTable('mp_mandates')
    .set({ status: 'cancelled', failure: failure.slice(0, 500) })
    .where('id', '=', id)
    .where('status', '=', 'creating')
    .where('preapproval_id', 'is', null)
    .execute()
}

/** The e-mail that was last given as that of an account at MercadoPago: what the next checkout suggests. */
export async function setPayerEmail(trx: CentralTx, subscriptionId: string, email: string): Promise<void> {
  await trx.updateTable('subscriptions').set({ payer_email: email }).where('id', '=', subscriptionId).execute()
}
