import { findSite } from '../src/tenants/queries.ts'
import type { OwnerSession } from '../src/tenants/servers/queries.ts'
import { startTenancy, type Tenancy } from '../test/support/tenancy.ts'
import { expectHealthy } from '../test/support/tenancy-checks.ts'
import { compare, percentile, type Result, type Side } from './harness.ts'

/**
 * B4: the whole operation that makes a company (lock, role, clone, rights, proof as the tenant, seeds, activation with
 * its administrator's password hashed), from its claim to its commit, against nothing but `CREATE DATABASE … TEMPLATE` of
 * the same template by the same role on an open session. One of each in turn, because a disk has good and bad seconds.
 * The server flushes its commits to the disk.
 */
export async function run(): Promise<Result[]> {
  const settings = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }
  const tenancy = await startTenancy({ settings })
  try {
    // Code and catalogs warm on both sides.
    for (let n = 0; n < 5; n++) await tenancy.company()
    const site = await findSite(tenancy.central, (await tenancy.company()).tenantId)
    if (!site) throw new Error('a company without a placement')
    const owner = await tenancy.deps.servers.owner(site.server)
    const all: number[] = []
    const result = await compare({
      id: 'B4',
      title: 'provisioning a tenant, server side, against a bare CREATE DATABASE of the same template',
      unit: 'ms',
      ratio: 'ours/peer',
      goal: { atMost: 1.5 },
      rounds: 40,
      ours: provisioning(tenancy, all),
      peer: bare(owner, tenancy.deps.servers.templateOf(site.server)),
      extra: () => ({ 'p95 of ours, ms': Math.round(percentile(all, 0.95)) }),
      limit: (a, b) =>
        `CREATE DATABASE itself is ${Math.round((100 * b) / a)} % of it (files and their flush); the other ${Math.round(a - b)} ms are two new sessions (one builds the catalog cache of the new database), two flushed commits and the password's hash`,
    })
    await owner.end()
    return [result]
  } finally {
    await tenancy.stop()
  }
}

function provisioning(tenancy: Tenancy, all: number[]): Side {
  return {
    name: 'the whole operation',
    async round() {
      const { operationId, tenantId } = await tenancy.register()
      const began = performance.now()
      const outcome = await tenancy.run(operationId)
      const took = performance.now() - began
      if (outcome !== 'succeeded') throw new Error(`provisioning ended ${outcome}`)
      await expectHealthy(tenancy, tenantId)
      all.push(took)
      return took
    },
  }
}

function bare(owner: OwnerSession, template: string): Side {
  let made = 0
  return {
    name: 'bare CREATE DATABASE',
    async round() {
      const began = performance.now()
      await owner.query(`create database bare_${++made} template ${template} allow_connections false`)
      return performance.now() - began
    },
  }
}
