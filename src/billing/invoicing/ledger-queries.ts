import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'

export type LedgerKind =
  | 'proration_credit'
  | 'proration_charge'
  | 'duplicate_payment'
  | 'overpayment'
  | 'incomplete_payment'
  | 'undercharge'
  | 'applied_to_invoice'
  | 'refund'
  | 'chargeback'
  | 'chargeback_won'
  | 'courtesy'
  | 'writeoff'
  | 'late_payment'

export interface LedgerEntry {
  tenantId: string
  at: Date
  kind: LedgerKind
  /** Positive is in favour of the customer; never zero. */
  amountC: Centavos
  /** Names the effect: a second row with it is not written. */
  sourceKey: string
  paymentId?: string | null
  invoiceId?: string | null
  note?: string | null
  actorId?: string | null
}

/** @returns whether it is new */
export async function insertLedger(trx: CentralTx, entry: LedgerEntry): Promise<boolean> {
  const row = await trx
    .insertInto('ledger')
    .values({
      tenant_id: entry.tenantId,
      entry_at: entry.at,
      kind: entry.kind,
      amount_c: entry.amountC,
      source_key: entry.sourceKey,
      payment_id: entry.paymentId ?? null,
      invoice_id: entry.invoiceId ?? null,
      note: entry.note ?? null,
      actor_id: entry.actorId ?? null,
    })
    .onConflict((oc) => oc.column('source_key').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** Positive is in favour of the customer. */
export async function findBalance(db: CentralSql, tenantId: string): Promise<Centavos> {
  const row = await db
    .selectFrom('ledger')
    .select(sql<string>`coalesce(sum(amount_c), 0)::text`.as('balance'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return BigInt(row.balance)
}

/** What of a payment is in the balance: credit when positive. */
export async function findCreditOfPayment(db: CentralSql, paymentId: string): Promise<Centavos> {
  const row = await db
    .selectFrom('ledger')
    .select(sql<string>`coalesce(sum(amount_c), 0)::text`.as('credit'))
    .where('payment_id', '=', paymentId)
    .executeTakeFirstOrThrow()
  return BigInt(row.credit)
}

/** What of a payment was given back out of the balance; zero or below. What a company was given for nothing is not of it. */
export async function findRefundsOfPayment(db: CentralSql, paymentId: string): Promise<Centavos> {
  const row = await db
    .selectFrom('ledger')
    .select(sql<string>`coalesce(sum(amount_c), 0)::text`.as('refunded'))
    .where('payment_id', '=', paymentId)
    .where('kind', '=', 'refund')
    .executeTakeFirstOrThrow()
  return BigInt(row.refunded)
}
