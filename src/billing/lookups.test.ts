import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PreparedCluster, startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { type OwnerConnection, openAs } from '../db/client.ts'

/**
 * What is asked under the lock of a subscription, or every few minutes, of tables that only grow: with a hundred thousand
 * companies none of it may read a table from end to end. Here the tables are empty and reading them whole is made
 * expensive, so that it is chosen only where there is no other way.
 */
let cluster: PreparedCluster
let owner: OwnerConnection
before(async () => {
  cluster = await startPreparedCluster()
  owner = await openAs((await cluster.createCentral()).ownerUrl)
  await owner.query('set enable_seqscan = off')
})
after(async () => {
  await owner.end()
  await cluster.stop()
})

const ID = `'00000000-0000-7000-8000-000000000001'`
const queries: [string, string, string][] = [
  [
    'later orders of a mandate',
    'mp_commands',
    `select id from mp_commands where mandate_id = ${ID} and kind in ('pause') and id > ${ID}`,
  ],
  [
    'an amount that was asked',
    'mp_commands',
    `select id from mp_commands where mandate_id = ${ID} and kind = 'set_amount' and payload->>'amountC' = '1'`,
  ],
  [
    'orders that wait',
    'mp_commands',
    `select id from mp_commands where state = 'queued' and (next_try_at is null or next_try_at <= now()) order by created_at limit 500`,
  ],
  [
    'another attempt at an instalment',
    'payments',
    `select id from payments where mandate_id = ${ID} and mp_authorized_payment_id = '7' and status = 'approved'`,
  ],
  [
    'payments by their number',
    'payments',
    `select id from payments where provider = 'mercadopago' and mp_payment_id in ('1', '2')`,
  ],
  ['credit of a payment', 'ledger', `select sum(amount_c) from ledger where payment_id = ${ID}`],
  ['balance of a company', 'ledger', `select sum(amount_c) from ledger where tenant_id = ${ID}`],
  [
    'invoice of a change',
    'invoices',
    `update invoices set status = 'void' where plan_change_id = ${ID} and status = 'open'`,
  ],
  [
    'open invoices',
    'invoices',
    `update invoices set status = 'uncollectible' where subscription_id = ${ID} and status = 'open'`,
  ],
  [
    'who is due',
    'subscriptions',
    `select id from subscriptions where next_due_at <= now() order by next_due_at limit 500`,
  ],
  [
    'resources that wait',
    'mp_resources',
    `select resource_id from mp_resources where dead_reason is null and clean_seq < dirty_seq and (next_try_at is null or next_try_at <= now()) order by next_try_at nulls first limit 500`,
  ],
  [
    'the resource that waits longest',
    'mp_resources',
    `select min(first_seen_at) from mp_resources where clean_seq = 0 and clean_seq < dirty_seq and dead_reason is null`,
  ],
  [
    'deliveries of a resource',
    'webhook_events',
    `update webhook_events set state = 'processed' where connector_id = ${ID} and data_id = '7' and state = 'received'`,
  ],
  [
    'deliveries of the last hour',
    'webhook_events',
    `select count(*) from webhook_events where received_at > now() - interval '1 hour'`,
  ],
  [
    'refusals of the last minutes',
    'webhook_refusals',
    `select count(*) from webhook_refusals where at > now() - interval '10 minutes'`,
  ],
  [
    'the history of a subscription',
    'subscription_events',
    `select id from subscription_events where subscription_id = ${ID} order by id desc limit 50`,
  ],
]

for (const [name, table, query] of queries)
  test(`${name}: without reading all of ${table}`, async () => {
    const rows = await owner.query<{ 'QUERY PLAN': string }>(`explain ${query}`, [])
    const plan = rows.map((row) => row['QUERY PLAN'])
    assert.deepEqual(
      plan.filter((line) => line.includes(`Seq Scan on ${table}`)),
      [],
      plan.join('\n'),
    )
  })
