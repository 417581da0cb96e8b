import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PreparedCluster, startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { openAs } from './client.ts'

let cluster: PreparedCluster
before(async () => {
  cluster = await startPreparedCluster()
})
after(() => cluster.stop())

test('every table of the central database and of a company says what it is for', async (t) => {
  const admin = await openAs(cluster.adminUrl)
  t.after(() => admin.end())
  const [template] = await admin.query<{ name: string }>(
    `select datname as name from pg_database where datname ~ '^horux_tpl_[0-9a-f]{12}$'`,
  )
  await admin.query(`create database documented template ${template?.name} strategy file_copy`)
  for (const [name, least] of [
    [(await cluster.createCentral()).name, 18],
    ['documented', 14],
  ] as const) {
    const url = new URL(cluster.adminUrl)
    url.pathname = name
    const inside = await openAs(url.href)
    t.after(() => inside.end())
    const tables = await inside.query<{ table: string; comment: string | null }>(TABLES)
    assert.ok(tables.length >= least, `${tables.length} tables in ${name}`)
    assert.deepEqual(
      tables.filter(({ comment }) => (comment ?? '').length < 20).map(({ table }) => table),
      [],
    )
  }
})

/** The queue's own schema is pg-boss's, exactly as that would make it. */
const TABLES = `
  select c.relname as table, obj_description(c.oid, 'pg_class') as comment
  from pg_catalog.pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`
