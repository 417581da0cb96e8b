import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { startCluster } from './cluster.ts'
import { startPreparedCluster } from './prepared-cluster.ts'

test('a cluster is private, answers as superuser, and leaves nothing behind', async () => {
  const [one, other] = await Promise.all([startCluster(), startCluster({ maxConnections: 20 })])
  assert.notEqual(one.port, other.port)
  const client = new pg.Client(one.adminUrl)
  await client.connect()
  const { rows } = await client.query("select current_user, current_setting('max_connections') as max, version()")
  assert.equal(rows[0].current_user, 'postgres')
  assert.equal(rows[0].max, '120')
  await client.end()
  await Promise.all([one.stop(), other.stop(), one.stop()])
  assert.equal(existsSync(path.dirname(one.logFile)), false)
})

test('a prepared cluster has a migrated central database for everyone who asks', async (t) => {
  const cluster = await startPreparedCluster()
  t.after(() => cluster.stop())
  const [one, other] = await Promise.all([cluster.createCentral(), cluster.createCentral()])
  assert.notEqual(one.name, other.name)
  for (const central of [one, other]) {
    const client = new pg.Client(central.url)
    await client.connect()
    const { rows } = await client.query('select current_user, (select count(*)::int from plans) > 0 as seeded')
    assert.deepEqual(rows, [{ current_user: 'horux_central', seeded: true }])
    await assert.rejects(client.query('create table x ()'), /permission denied/)
    await client.end()
  }
})
