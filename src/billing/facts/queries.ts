import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'
import type { MandateRow } from '../apply/queries.ts'
import type { Payment, Preapproval } from '../mercadopago/gateway.ts'
import type { OurPaymentStatus } from '../mercadopago/normalize.ts'

/** What MercadoPago said of a mandate. Its status is taken only where we know it. */
export async function updateMandate(
  trx: CentralTx,
  id: string,
  preapproval: Preapproval,
  { status, at, clock }: { status: MandateRow['status']; at: Date; clock: Date },
): Promise<void> {
  await trx
    .updateTable('mp_mandates')
    .set({
      preapproval_id: preapproval.id,
      status,
      raw_status: preapproval.rawStatus,
      ...(preapproval.amountC !== null && { amount_acked_c: preapproval.amountC }),
      ...(preapproval.initPoint !== null && { init_point: preapproval.initPoint }),
      ...(preapproval.version !== null && { version: preapproval.version }),
      ...(preapproval.lastModified !== null && { last_modified: preapproval.lastModified }),
      next_payment_date: preapproval.nextPaymentDate,
      last_synced_at: at,
      ...(status === 'authorized' && {
        was_authorized: true,
        authorized_at: sql<Date>`coalesce(authorized_at, ${clock})`,
      }),
    })
    .where('id', '=', id)
    .execute()
}

/** Whether we asked MercadoPago for another amount and it has not been done, or was done just now. */
export async function wasAmountAsked(db: CentralSql, mandateId: string, amountC: Centavos): Promise<boolean> {
  const row = await db
    .selectFrom('mp_commands')
    .select('id')
    .where('mandate_id', '=', mandateId)
    .where('kind', '=', 'set_amount')
    .where(sql<boolean>`payload->>'amountC' = ${String(amountC)}`)
    .executeTakeFirst()
  return row !== undefined
}

export interface SeenPayment {
  id: string
  subscriptionId: string | null
  status: OurPaymentStatus
  providerStatus: string
  refundedC: Centavos
  providerUpdatedAt: Date | null
}

/** @param lock nobody else changes it, or gives it to a company, until the transaction ends */
export async function findSeenPayment(
  db: CentralSql,
  mpPaymentId: string,
  { lock = false }: { lock?: boolean } = {},
): Promise<SeenPayment | undefined> {
  const row = await db
    .selectFrom('payments')
    .select([
      'id',
      'subscription_id as subscriptionId',
      'status',
      'provider_status as providerStatus',
      'refunded_c',
      'provider_updated_at as providerUpdatedAt',
    ])
    .where('provider', '=', 'mercadopago')
    .where('mp_payment_id', '=', mpPaymentId)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst()
  return row && { ...row, refundedC: BigInt(row.refunded_c) }
}

export interface PaymentFacts {
  payment: Payment
  status: OurPaymentStatus
  disputed: boolean
  connectorId: string
  tenantId: string | null
  subscriptionId: string | null
  mandateId: string | null
  planChangeId: string | null
  authorizedPaymentId: string | null
  unmatched: string | null
  at: Date
}

/** What is known of a payment of MercadoPago; a row there already keeps whom it belongs to. @returns its id */
export async function upsertPayment(trx: CentralTx, facts: PaymentFacts): Promise<string> {
  const { payment } = facts
  const news = {
    status: facts.status,
    provider_status: payment.rawStatus,
    status_detail: payment.statusDetail,
    disputed: facts.disputed,
    refunded_c: payment.refundedC,
    paid_at: payment.dateApproved,
    provider_updated_at: payment.lastUpdated,
    updated_at: facts.at,
    ...(facts.authorizedPaymentId !== null && { mp_authorized_payment_id: facts.authorizedPaymentId }),
  }
  const row = await trx
    .insertInto('payments')
    .values({
      id: uuidv7(),
      tenant_id: facts.tenantId,
      subscription_id: facts.subscriptionId,
      mandate_id: facts.mandateId,
      connector_id: facts.connectorId,
      plan_change_id: facts.planChangeId,
      provider: 'mercadopago',
      mp_payment_id: payment.id,
      method: payment.method,
      amount_c: payment.amountC,
      currency: payment.currency ?? 'MXN',
      unmatched: facts.unmatched,
      created_at: facts.at,
      ...news,
    })
    .onConflict((oc) =>
      oc.columns(['provider', 'mp_payment_id']).doUpdateSet({
        ...news,
        // One that belonged to nobody may have found its subscription meanwhile.
        tenant_id: sql<string | null>`coalesce(payments.tenant_id, excluded.tenant_id)`,
        subscription_id: sql<string | null>`coalesce(payments.subscription_id, excluded.subscription_id)`,
        mandate_id: sql<string | null>`coalesce(payments.mandate_id, excluded.mandate_id)`,
        plan_change_id: sql<string | null>`coalesce(payments.plan_change_id, excluded.plan_change_id)`,
        unmatched: sql<
          string | null
        >`case when payments.subscription_id is null then excluded.unmatched else payments.unmatched end`,
      }),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

/**
 * Another attempt went through: at the same instalment, or later than this one through the same mandate. Of an attempt that
 * is heard of after the next, nobody says which instalment it was: that names its last one only.
 */
export async function isOvercome(
  db: CentralSql,
  rejected: { id: string; mandateId: string; authorizedPaymentId: string | null; at: Date },
): Promise<boolean> {
  const { id, mandateId, authorizedPaymentId, at } = rejected
  const row = await db
    .selectFrom('payments')
    .select('id')
    .where('mandate_id', '=', mandateId)
    .where('status', '=', 'approved')
    .where('id', '<>', id)
    .where((eb) => eb.or([eb('mp_authorized_payment_id', '=', authorizedPaymentId), eb('paid_at', '>', at)]))
    .executeTakeFirst()
  return row !== undefined
}

/** Refunds we asked for are done as far as MercadoPago says that this much went back. */
export async function confirmRefunds(trx: CentralTx, paymentId: string, refundedC: Centavos, at: Date): Promise<void> {
  const rows = await trx
    .selectFrom('refunds')
    .select(['id', 'amount_c', 'state'])
    .where('payment_id', '=', paymentId)
    .where('state', '<>', 'failed')
    .orderBy('created_at')
    .execute()
  let covered = 0n
  for (const { id, amount_c, state } of rows) {
    covered += BigInt(amount_c)
    if (covered > refundedC) return
    if (state === 'requested')
      await trx.updateTable('refunds').set({ state: 'confirmed', settled_at: at }).where('id', '=', id).execute()
  }
}

export interface ChangeToPay {
  id: string
  subscriptionId: string
  tenantId: string
  state: 'pendiente_pago' | 'aplicado' | 'descartado'
  /** Of the account that its page was made with; null while none was kept. */
  connectorId: string | null
}

/** The change of plan that a one-off payment names (`up:<id>`). */
export async function findChangeToPay(db: CentralSql, id: string): Promise<ChangeToPay | undefined> {
  return db
    .selectFrom('plan_changes as c')
    .innerJoin('subscriptions as s', 's.id', 'c.subscription_id')
    .select(['c.id', 'c.subscription_id as subscriptionId', 's.tenant_id as tenantId', 'c.state'])
    .select('c.connector_id as connectorId')
    .where('c.id', '=', id)
    .executeTakeFirst()
}

export async function findTenantOfSubscription(db: CentralSql, subscriptionId: string): Promise<string> {
  const row = await db
    .selectFrom('subscriptions')
    .select('tenant_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  return row.tenant_id
}

/** It was read at `at`. What was read later stays; a reading of the future was written under a clock that went wrong. */
export async function setLastSynced(trx: CentralTx, subscriptionId: string, at: Date): Promise<void> {
  const tooLate = new Date(at.getTime() + CLOCKS_APART_MS)
  await trx
    .updateTable('subscriptions')
    .set({ last_synced_at: at })
    .where('id', '=', subscriptionId)
    .where((eb) =>
      eb.or([eb('last_synced_at', 'is', null), eb('last_synced_at', '<', at), eb('last_synced_at', '>', tooLate)]),
    )
    .execute()
}

/** More than the clocks of two of our machines are ever apart, and more than a reading takes. */
export const CLOCKS_APART_MS = 3_600_000
