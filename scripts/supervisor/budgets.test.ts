import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { maxConnections } from './budgets.ts'
import { ROOT } from './environment.ts'

test('the settings of config.ts fit into the max_connections that deploy/ gives a server', () => {
  const conf = readFileSync(path.join(ROOT, 'deploy', 'postgresql', 'horux360.conf'), 'utf8')
  const given = Number(/^max_connections = (\d+)/m.exec(conf)?.[1])
  assert.ok(maxConnections({}) <= given, `${maxConnections({})} > ${given}`)
})

test('a larger budget asks for as much more from both API processes', () => {
  assert.equal(maxConnections({ TENANT_DB_BUDGET: '190' }) - maxConnections({}), 20)
})
