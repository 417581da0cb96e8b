import type { CentralSql, CentralTx } from '../../db/databases.ts'

export type MandateDetail = Awaited<ReturnType<typeof findMandatesWithConnector>>[number]

/** Every permission to charge that a subscription ever had, the newest first, and through which account. */
export async function findMandatesWithConnector(db: CentralSql, subscriptionId: string) {
  return db
    .selectFrom('mp_mandates as m')
    .innerJoin('payment_connectors as c', 'c.id', 'm.connector_id')
    .select(['m.id', 'm.attempt', 'm.external_reference', 'm.preapproval_id', 'm.status', 'm.raw_status'])
    .select([
      'm.was_authorized',
      'm.cancelled_by_us',
      'm.payer_email',
      'm.frecuencia',
      'm.amount_c',
      'm.amount_acked_c',
    ])
    .select(['m.next_payment_date', 'm.failure', 'm.created_at', 'm.authorized_at', 'm.last_synced_at'])
    .select(['c.id as connector_id', 'c.name as connector_name'])
    .where('m.subscription_id', '=', subscriptionId)
    .orderBy('m.attempt', 'desc')
    .limit(20)
    .execute()
}

export type LinkDetail = Awaited<ReturnType<typeof findLinks>>[number]

/** Links that pay or cancel, the newest first. What opens them is not kept. */
export async function findLinks(db: CentralSql, subscriptionId: string) {
  return db
    .selectFrom('billing_links')
    .select(['id', 'kind', 'plan_code', 'plan_version', 'frecuencia', 'amount_c'])
    .select(['created_at', 'expires_at', 'used_at', 'revoked_at'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('id', 'desc')
    .limit(20)
    .execute()
}

export type LedgerDetail = Awaited<ReturnType<typeof findLedgerEntries>>[number]

/** The last movements of a company's balance, the newest first. */
export async function findLedgerEntries(db: CentralSql, tenantId: string) {
  return db
    .selectFrom('ledger')
    .select(['id', 'entry_at', 'kind', 'amount_c', 'payment_id', 'invoice_id', 'note'])
    .where('tenant_id', '=', tenantId)
    .orderBy('id', 'desc')
    .limit(20)
    .execute()
}

export type OpenCommand = Awaited<ReturnType<typeof findOpenCommands>>[number]

/** What MercadoPago is still to be told, the oldest first. */
export async function findOpenCommands(db: CentralSql, subscriptionId: string) {
  return db
    .selectFrom('mp_commands')
    .select(['id', 'kind', 'attempts', 'last_error', 'created_at', 'next_try_at'])
    .where('subscription_id', '=', subscriptionId)
    .where('state', '=', 'queued')
    .orderBy('created_at')
    .limit(20)
    .execute()
}

/** The rate of a company's own, in basis points; null for that of its plan. */
export async function setTaxRate(trx: CentralTx, subscriptionId: string, taxRateBp: number | null): Promise<void> {
  await trx.updateTable('subscriptions').set({ tax_rate_bp: taxRateBp }).where('id', '=', subscriptionId).execute()
}
