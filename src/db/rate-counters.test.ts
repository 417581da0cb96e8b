import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { openCentral } from './client.ts'
import type { CentralDb } from './databases.ts'
import { deleteExpiredCounters, rateCounters } from './rate-counters.ts'

let one: CentralDb
let two: CentralDb

before(async () => {
  const cluster = await startPreparedCluster()
  const { url } = await cluster.createCentral()
  const config = { central: { url, poolMax: 4 }, processRole: 'api', statementTimeoutMs: 5000 } as const
  one = openCentral(config)
  two = openCentral(config)
})
after(() => Promise.all([one.destroy(), two.destroy()]))

test('hits of many at once are all counted, and the window does not move with them', async () => {
  const [a, b] = [rateCounters(one), rateCounters(two)]
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 ? a : b).add('ip:x', 2, 60_000)))
  const seen = answers.map(({ hits }) => hits).sort((x, y) => x - y)
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, i) => (i + 1) * 2),
  )
  const late = await a.add('ip:x', 1, 60_000)
  assert.ok(late.leftMs <= Math.max(...answers.map(({ leftMs }) => leftMs)))
})

test('a window that is over begins anew, and is swept when nobody does', async () => {
  const counters = rateCounters(one)
  for (const key of ['ip:y', 'ip:z']) await counters.add(key, 5, 60_000)
  const past = new Date(Date.now() - 1000)
  await one.updateTable('rate_counters').set({ expires_at: past }).where('key', 'in', ['ip:y', 'ip:z']).execute()
  assert.equal((await counters.add('ip:y', 1, 60_000)).hits, 1)
  await deleteExpiredCounters(two)
  const keys = await one.selectFrom('rate_counters').select('key').where('key', 'in', ['ip:y', 'ip:z']).execute()
  assert.deepEqual(keys, [{ key: 'ip:y' }])
})
