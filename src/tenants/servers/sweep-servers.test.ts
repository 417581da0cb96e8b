import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { nobody, startTenancy, type Tenancy } from '../../../test/support/tenancy.ts'
import { expectHealthy } from '../../../test/support/tenancy-checks.ts'
import { databaseName } from '../../fiscal/rfc.ts'
import { deleteTenant } from '../lifecycle.ts'
import { type OwnerSession, tryLockTenant } from './queries.ts'
import { type SweepDeps, sweepServers } from './sweep-servers.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

test('a half-dropped database that became a company since the sweep saw it is not dropped', async () => {
  const { tenantId, operationId, rfc } = await tenancy.register()
  await halfDropped(databaseName(rfc))
  await sweepServers(
    afterListing(async () => {
      assert.equal(await tenancy.run(operationId), 'succeeded')
    }),
  )
  await expectHealthy(tenancy, tenantId)
})

test('nothing is dropped while an operation works on the server; the next sweep does it', async (t) => {
  await halfDropped('horux_med010101aaa')
  const working = await tenancy.deps.servers.owner(await server())
  t.after(() => working.end())
  assert.ok(await tryLockTenant(working, 'whichever'))
  await sweepServers(tenancy.deps)
  assert.equal(await exists('horux_med010101aaa'), true)
  await working.query('select pg_advisory_unlock_all()')
  await sweepServers(tenancy.deps)
  assert.equal(await exists('horux_med010101aaa'), false)
})

test('companies that come and go during the sweep raise no alarm', async () => {
  const leaving = await tenancy.company()
  tenancy.alarms()
  await sweepServers(
    beforeListing(async () => {
      await tenancy.company()
      await tenancy.run((await deleteTenant(tenancy.deps, leaving.tenantId, nobody)) ?? '')
    }),
  )
  assert.deepEqual(tenancy.alarms(), [])
})

test('a database under its other name, because a worker died between the rename and the note, is nobody stray', async () => {
  const { tenantId, database } = await tenancy.company()
  await deleteTenant(tenancy.deps, tenantId, nobody)
  await tenancy.admin.query(`alter database ${database} rename to horux_deleted_${database.slice(6)}_20260101000000`)
  tenancy.alarms()
  await sweepServers(tenancy.deps)
  assert.deepEqual(tenancy.alarms(), [])
})

const exists = async (name: string) =>
  (await tenancy.admin.query('select from pg_database where datname = $1', [name])).length === 1

async function halfDropped(name: string): Promise<void> {
  await tenancy.admin.query(`create database ${name} owner horux_owner allow_connections false`)
  await tenancy.admin.query(`revoke all on database ${name} from public`)
  await tenancy.admin.query(`update pg_database set datconnlimit = -2 where datname = $1`, [name])
}

async function server() {
  const { findServers } = await import('../fleet/queries.ts')
  const [row] = await findServers(tenancy.central, { tenant: null, server: null })
  assert.ok(row)
  return row
}

const beforeListing = (meanwhile: () => Promise<void>) => around(meanwhile, async () => undefined)
const afterListing = (meanwhile: () => Promise<void>) => around(async () => undefined, meanwhile)

/** A sweep that loses time before and after it asks for the databases of the server. */
function around(first: () => Promise<void>, then: () => Promise<void>): SweepDeps {
  const slow = (session: OwnerSession): OwnerSession => ({
    end: () => session.end(),
    async query<Row extends object>(text: string, params?: readonly unknown[]) {
      const lists = text.includes(`like 'horux`)
      if (lists) await first()
      const rows = await session.query<Row>(text, params)
      if (lists) await then()
      return rows
    },
  })
  const servers = {
    ...tenancy.deps.servers,
    owner: async (row: Parameters<SweepDeps['servers']['owner']>[0]) => slow(await tenancy.deps.servers.owner(row)),
  }
  return { ...tenancy.deps, servers }
}
