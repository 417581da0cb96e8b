import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openAs } from '../src/db/client.ts'
import type { CentralDb } from '../src/db/databases.ts'
import { findSite } from '../src/tenants/queries.ts'
import { startProduct } from '../test/support/product.ts'
import { until } from '../test/support/until.ts'
import { compare, type Result } from './harness.ts'
import { CONNECTIONS, measured, startApi } from './support/api-load.ts'
import { fillCfdis } from './support/cfdi-rows.ts'
import { costInWords, distance, postgresCpu } from './support/cpu.ts'
import { inDatabase } from './support/tenant-fleet.ts'

const ROWS = 20_000
const PAGE = 50

/** What it costs a request of B3 to ask what its company's subscription allows: two processes that differ in that hook alone. */
export async function run(): Promise<Result[]> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-bench-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const product = await startProduct({ after: (end) => stack.defer(end) })
  const tenant = await product.createTenant()
  const site = await findSite(product.deps.central, tenant.id)
  const owner = await openAs(inDatabase(product.adminUrl, site?.databaseName ?? ''))
  stack.defer(() => owner.end())
  await fillCfdis(owner, ROWS)

  const withGate = await startApi(product.env, { logFile: path.join(folder, 'with.log') })
  stack.defer(() => withGate.stop())
  const nodeFlags = ['--import', './bench/support/without-gate.ts']
  const without = await startApi(product.env, { logFile: path.join(folder, 'without.log'), nodeFlags })
  stack.defer(() => without.stop())

  const pgCpu = await postgresCpu(owner)
  const headers = { authorization: `Bearer ${tenant.token}` }
  const [ours, peer] = [withGate, without].map(({ url, pid }) =>
    measured({ url: `${url}/api/cfdi?limite=${PAGE}`, headers }, pid, pgCpu),
  ) as [ReturnType<typeof measured>, ReturnType<typeof measured>]
  await proveDifference(product.deps.central, tenant.id, { withGate: withGate.url, without: without.url, headers })
  for (const side of [ours, peer]) await side.warmUp()
  const result = await compare({
    id: 'B3b',
    title: `entitlement check: GET /api/cfdi, ${PAGE} of ${ROWS.toLocaleString('en')} rows, ${CONNECTIONS} connections`,
    unit: 'requests/s',
    ratio: 'ours/peer',
    goal: { atLeast: 0.95 },
    rounds: 7,
    ours: { name: 'with the check', round: ours.round },
    peer: { name: 'without', round: peer.round },
    limit: (perSecond) => distance(perSecond, ours.cost(), 'requests/s'),
    extra: () => ({ 'CPU per request, ms': `${costInWords(ours.cost())} against ${costInWords(peer.cost())}` }),
  })
  return [result]
}

/** That the two processes do differ: a company that is blocked is refused by one and served by the other. */
async function proveDifference(
  central: CentralDb,
  tenantId: string,
  { withGate, without, headers }: { withGate: string; without: string; headers: Record<string, string> },
): Promise<void> {
  const become = (estado: 'suspendida' | 'trial') =>
    central.updateTable('subscriptions').set({ estado }).where('tenant_id', '=', tenantId).execute()
  const status = async (url: string) => (await fetch(`${url}/api/cfdi?limite=1`, { headers })).status
  await become('suspendida')
  await until(async () => (await status(withGate)) === 402)
  await until(async () => {
    const answered = await status(without)
    assert.notEqual(answered, 402)
    return answered === 200
  })
  await become('trial')
  await until(async () => (await status(withGate)) === 200)
}
