import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { startCluster } from '../test/support/cluster.ts'
import { generateTables } from './db-types.ts'

test('src/db/tables.ts is what the migrations make: run `make db-types` after changing one', async () => {
  const cluster = await startCluster()
  const committed = readFileSync(path.join(import.meta.dirname, '..', 'src', 'db', 'tables.ts'), 'utf8')
  assert.equal(committed, await generateTables(cluster.adminUrl))
})
