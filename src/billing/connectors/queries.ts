import { type Selectable, sql } from 'kysely'
import { z } from 'zod'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { CentralPaymentConnectors } from '../../db/tables.ts'
import type { Connector } from './connector.ts'
import type { SealedSecrets } from './secrets.ts'

/** A connector as its row has it: secrets sealed, and what is known of its health. */
export interface StoredConnector extends Connector, SealedSecrets {
  ownNickname: string | null
  checkedAt: Date | null
  lastError: string | null
  lastWebhookAt: Date | null
  createdAt: Date
}

export async function findConnector(db: CentralSql, id: string): Promise<StoredConnector | undefined> {
  const row = await connectors(db).where('id', '=', id).executeTakeFirst()
  return row && toConnector(row)
}

/** The one that new checkouts go through. */
export async function findPrimaryConnector(db: CentralSql): Promise<StoredConnector | undefined> {
  const row = await connectors(db).where('is_primary', '=', true).executeTakeFirst()
  return row && toConnector(row)
}

/** The oldest first. */
export async function listConnectors(db: CentralSql, { active }: { active?: true } = {}): Promise<StoredConnector[]> {
  let query = connectors(db)
  if (active) query = query.where('active', '=', true)
  const rows = await query.orderBy('id').execute()
  return rows.map(toConnector)
}

/** All of them, locked: what holds between connectors (one primary, one per account) is decided by one after the other. */
export async function lockConnectors(trx: CentralTx): Promise<StoredConnector[]> {
  // Not their rows: one that is not committed yet has none, and deliveries are noted in them meanwhile.
  await sql`select pg_advisory_xact_lock(hashtextextended('horux.payment_connectors', 0))`.execute(trx)
  return listConnectors(trx)
}

export async function insertConnector(
  trx: CentralTx,
  row: Pick<StoredConnector, 'id' | 'name' | 'kind' | 'testPayerEmail' | 'startDateSupported' | 'createdAt'> &
    SealedSecrets,
): Promise<void> {
  await trx
    .insertInto('payment_connectors')
    .values({
      id: row.id,
      name: row.name,
      kind: row.kind,
      access_token: row.accessToken,
      webhook_secret: row.webhookSecret,
      previous_secret: row.previousSecret,
      test_payer_email: row.testPayerEmail,
      settings: { startDateSupported: row.startDateSupported },
      created_at: row.createdAt,
      updated_at: row.createdAt,
    })
    .execute()
}

export type ConnectorChange = Partial<
  Pick<
    StoredConnector,
    | 'name'
    | 'accessToken'
    | 'webhookSecret'
    | 'previousSecret'
    | 'testPayerEmail'
    | 'startDateSupported'
    | 'active'
    | 'isPrimary'
    | 'ownAccountId'
    | 'ownNickname'
    | 'checkedAt'
    | 'lastError'
  >
>

export async function updateConnector(trx: CentralTx, id: string, change: ConnectorChange, at: Date): Promise<void> {
  const { startDateSupported } = change
  await trx
    .updateTable('payment_connectors')
    .set({
      updated_at: at,
      name: change.name,
      access_token: change.accessToken,
      webhook_secret: change.webhookSecret,
      previous_secret: change.previousSecret,
      test_payer_email: change.testPayerEmail,
      active: change.active,
      is_primary: change.isPrimary,
      own_account_id: change.ownAccountId,
      own_nickname: change.ownNickname,
      checked_at: change.checkedAt,
      last_error: change.lastError,
      ...(startDateSupported !== undefined && {
        settings: sql`settings || ${{ startDateSupported }}::jsonb`,
      }),
    })
    .where('id', '=', id)
    .execute()
}

/** @throws 23503 while anything that happened through it is kept */
export async function deleteConnectorRow(trx: CentralTx, id: string): Promise<void> {
  await trx.deleteFrom('payment_connectors').where('id', '=', id).execute()
}

/** How many permissions to charge were made with it, and how many of them may still charge. */
export async function countMandates(db: CentralSql, connectorId: string): Promise<{ all: number; live: number }> {
  return db
    .selectFrom('mp_mandates')
    .select([
      sql<number>`count(*)::int`.as('all'),
      sql<number>`(count(*) filter (where status in ('creating', 'pending', 'authorized', 'paused', 'unknown')))::int`.as(
        'live',
      ),
    ])
    .where('connector_id', '=', connectorId)
    .executeTakeFirstOrThrow()
}

const connectors = (db: CentralSql) => db.selectFrom('payment_connectors').selectAll()

const Settings = z.object({ startDateSupported: z.boolean().default(false) })

const toConnector = (row: Selectable<CentralPaymentConnectors>): StoredConnector => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  active: row.active,
  isPrimary: row.is_primary,
  ownAccountId: row.own_account_id,
  testPayerEmail: row.test_payer_email,
  startDateSupported: Settings.parse(row.settings).startDateSupported,
  accessToken: row.access_token,
  webhookSecret: row.webhook_secret,
  previousSecret: row.previous_secret,
  ownNickname: row.own_nickname,
  checkedAt: row.checked_at,
  lastError: row.last_error,
  lastWebhookAt: row.last_webhook_at,
  createdAt: row.created_at,
})
