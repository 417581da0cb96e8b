import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Cluster, startCluster } from '../../test/support/cluster.ts'
import { parseDatabaseUrl } from './address.ts'
import { openConnection } from './connection.ts'
import { PLANNED_ANEW } from './planned-anew.ts'

let cluster: Cluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster.stop())

test('what is to be planned anew is never prepared, everything else once', async (t) => {
  const { password, ...address } = parseDatabaseUrl(cluster.adminUrl)
  const target = { ...address, passwords: [password], applicationName: 'anew', settings: {}, prepare: true }
  const connection = await openConnection(target, { deadlineMs: 10_000 })
  t.after(() => connection.end())
  const texts = [`${PLANNED_ANEW}select $1::int as n`, 'select $1::int as n']
  for (let run = 0; run < 3; run++)
    for (const text of texts) assert.deepEqual((await connection.query(text, [run], 5_000)).rows, [{ n: run }])
  const { rows } = await connection.query('select statement from pg_prepared_statements', [], 5_000)
  const kept = rows.map(({ statement }) => String(statement))
  assert.ok(kept.includes(texts[1] ?? ''))
  assert.ok(!kept.some((statement) => statement.includes(PLANNED_ANEW)))
})
