import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { startPreparedCluster } from '../../../test/support/prepared-cluster.ts'
import { openCentral } from '../../db/client.ts'
import type { CentralDb } from '../../db/databases.ts'
import { deleteOldDeliveries, insertRefusal } from './queries.ts'

let central: CentralDb
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  const cluster = await startPreparedCluster()
  ending.defer(() => cluster.stop())
  const { url } = await cluster.createCentral()
  central = openCentral({ central: { url, poolMax: 2 }, processRole: 'api', statementTimeoutMs: 5000 })
  ending.defer(() => central.destroy())
})

const NOW = new Date('2027-01-10T12:00:00Z')
const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000)
const kept = async () => {
  const { rows } = await sql<{ all: number; told: number }>`
    select count(*)::int as all, count(headers)::int as told from webhook_refusals`.execute(central)
  return rows[0]
}

test('of the refusals of an hour twenty say where they came from, and after a week none is there', async () => {
  const refuse = async (times: number, at: Date) => {
    for (let n = 0; n < times; n += 1) await insertRefusal(central, 'signature_mismatch', { date: 'x' }, at)
  }
  await refuse(25, hoursAgo(7 * 24 + 1))
  assert.deepEqual(await kept(), { all: 25, told: 20 })
  await refuse(25, hoursAgo(2))
  assert.deepEqual(await kept(), { all: 50, told: 40 })
  await refuse(3, NOW)
  assert.deepEqual(await kept(), { all: 53, told: 43 })
  await deleteOldDeliveries(central, NOW)
  assert.deepEqual(await kept(), { all: 28, told: 23 })
})
