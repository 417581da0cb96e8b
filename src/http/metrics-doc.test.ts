import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createMetrics } from './metrics.ts'

const namesOf = (registry: Registry) => registry.getMetricsAsArray().map(({ name }) => name)

test('docs/metricas.md tells of every metric of ours what it says and when to call, and of none that does not exist', () => {
  const none = { live: 0, connections: 0, leased: 0, waiting: 0 }
  const never = { opens: 0, evictions: 0, youngEvictions: 0, retries: 0, mismatches: 0 }
  const { registry } = createMetrics({ tenantPools: () => ({ ...none, ...never }), queueDepth: async () => [] })
  const ofNode = new Registry()
  collectDefaultMetrics({ register: ofNode })

  const guide = readFileSync(new URL('../../docs/metricas.md', import.meta.url), 'utf8')
  const rows = [...guide.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, name = '']) => name)
  assert.deepEqual(
    namesOf(registry).filter((name) => !rows.includes(name)),
    [],
  )
  // `up` is Prometheus's own; of those of Node only some are worth a row.
  const known = new Set(['up', ...namesOf(registry), ...namesOf(ofNode)])
  assert.deepEqual(
    rows.filter((name) => !known.has(name)),
    [],
  )
  for (const label of [...Object.keys(none), ...Object.keys(never)]) assert.ok(guide.includes(`\`${label}\``), label)
})
