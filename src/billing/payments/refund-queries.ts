import type { CentralSql } from '../../db/databases.ts'
import type { Centavos } from '../../fiscal/money.ts'

export interface RefundToSend {
  id: string
  state: 'requested' | 'confirmed' | 'failed'
  amountC: Centavos
  paymentId: string
  mpPaymentId: string | null
  /** Of the payment. */
  paidC: Centavos
  connectorId: string | null
}

export async function findRefundToSend(db: CentralSql, id: string): Promise<RefundToSend | undefined> {
  const row = await db
    .selectFrom('refunds as r')
    .innerJoin('payments as p', 'p.id', 'r.payment_id')
    .select([
      'r.id',
      'r.state',
      'r.amount_c',
      'r.payment_id as paymentId',
      'p.mp_payment_id as mpPaymentId',
      'p.amount_c as paid_c',
      'p.connector_id as connectorId',
    ])
    .where('r.id', '=', id)
    .executeTakeFirst()
  if (!row) return undefined
  const { amount_c, paid_c, ...rest } = row
  return { ...rest, amountC: BigInt(amount_c), paidC: BigInt(paid_c) }
}

/** MercadoPago took it; that it is done is what the payment will say. */
export async function setRefundSent(db: CentralSql, id: string, mpRefundId: string): Promise<void> {
  await db.updateTable('refunds').set({ mp_refund_id: mpRefundId, last_error: null }).where('id', '=', id).execute()
}

export async function setRefundFailed(db: CentralSql, id: string, error: string, at: Date): Promise<void> {
  await db
    .updateTable('refunds')
    .set({ state: 'failed', last_error: error, settled_at: at })
    .where('id', '=', id)
    .where('state', '=', 'requested')
    .execute()
}
