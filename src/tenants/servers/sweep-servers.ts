import type { Alarm } from '../../alarms.ts'
import type { Clock } from '../../clock.ts'
import { ROLE_SETTINGS } from '../../db/bootstrap.ts'
import type { CentralDb } from '../../db/databases.ts'
import { type FleetServer, findServers } from '../fleet/queries.ts'
import type { Log } from '../operations/saga.ts'
import { findPlacements } from '../queries.ts'
import { INTERRUPTED_DROP } from './ownership.ts'
import * as server from './queries.ts'
import type { Servers } from './servers.ts'

export interface SweepDeps {
  central: CentralDb
  clock: Clock
  servers: Servers
  log: Log
}

type Placement = Awaited<ReturnType<typeof findPlacements>>[number]

/**
 * Compares every server with the placements. What does not fit is told to the operator and never dropped by itself; what
 * has one possible remedy is mended: half-dropped databases of ours, limits that no longer fit the processes.
 */
export async function sweepServers(deps: SweepDeps): Promise<void> {
  const placements = await findPlacements(deps.central)
  for (const row of await findServers(deps.central, { tenant: null, server: null })) {
    const here = placements.filter((placement) => placement.serverId === row.id)
    try {
      await sweepServer(deps, row, here)
    } catch (error) {
      deps.log.error({ err: error, server: row.name, alarm: 'servers.unreachable' }, 'server could not be swept')
    }
  }
  const due = placements.filter(({ purgeAfter }) => purgeAfter && purgeAfter < deps.clock.now())
  if (due.length > 0) {
    const tenants = due.map(({ tenantId }) => tenantId)
    deps.log.warn({ tenants, alarm: 'tenants.purge_due' }, 'deleted companies are past their days: horux tenant purge')
  }
}

async function sweepServer(deps: SweepDeps, row: FleetServer, placements: readonly Placement[]): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  const owner = cleanup.adopt(await deps.servers.owner(row), (session) => session.end().catch(() => undefined))
  const alarm = (name: Alarm, fields: object, message: string) =>
    deps.log.error({ ...fields, server: row.name, alarm: name }, message)

  const open = await server.findOpenDatabases(owner)
  if (open.length > 0) alarm('servers.open_to_public', { databases: open }, 'databases let every role in')

  const databases = await server.findDatabases(owner)
  // Companies come and go while we look: what is told stands neither in what was planned before nor in what is now.
  const now = await placementsOn(deps, row)
  const present = new Set(databases.map(({ name }) => name))
  const living = new Set(now.filter(({ state }) => state === 'active').map(({ databaseName }) => databaseName))
  for (const { tenantId, databaseName, state } of placements)
    if (state === 'active' && living.has(databaseName) && !present.has(databaseName))
      alarm('servers.missing_database', { database: databaseName, tenantId }, 'the database of a company is not there')
  const known = new Set([...placements, ...now].map(({ databaseName }) => databaseName))
  const moving = new Set(
    now.filter(({ databaseName }) => !present.has(databaseName)).map(({ tenantId }) => server.markOf(tenantId)),
  )
  for (const { name, connectionLimit, owner: role, isTemplate, comment } of databases) {
    if (role !== 'horux_owner' || isTemplate || NOT_A_TENANT.test(name)) continue
    if (connectionLimit === INTERRUPTED_DROP) await server.dropInterrupted(owner, name)
    else if (!known.has(name) && !(comment && moving.has(comment)))
      alarm('servers.stray_database', { database: name }, 'database belongs to no company')
  }
  await sweepRoles(deps, owner, { row, placements, present }, alarm)
}

async function sweepRoles(
  deps: SweepDeps,
  owner: server.OwnerSession,
  { row, placements, present }: { row: FleetServer; placements: readonly Placement[]; present: ReadonlySet<string> },
  alarm: (name: Alarm, fields: object, message: string) => void,
): Promise<void> {
  const limit = await deps.servers.connectionLimit()
  const settings = Map.groupBy(await server.findTenantSettings(owner), (row) => row.role)
  const roles = await server.findTenantRoles(owner)
  const before = new Map(placements.map((placement) => [placement.roleName, placement]))
  const now = new Map((await placementsOn(deps, row)).map((placement) => [placement.roleName, placement]))
  for (const role of roles) {
    const placement = now.get(role.name)
    if (!placement && !before.has(role.name))
      alarm('servers.stray_role', { role: role.name }, 'role belongs to no company')
    // Being made or unmade: an operation sees to it.
    if (placement?.state !== 'active' || before.get(role.name)?.state !== 'active') continue
    if (!present.has(placement.databaseName)) continue
    // Never lowered here: a process that is late with its sign of life would find the door shut.
    if (role.connectionLimit < limit) await server.setConnectionLimit(owner, role.name, limit)
    if (isAsWeSetThem(settings.get(role.name) ?? [], placement.databaseName)) continue
    // Somebody ran statements of his own in that company's name.
    alarm('servers.role_settings', { role: role.name, tenantId: placement.tenantId }, 'role changed its own settings')
    await server.resetSettings(owner, role.name, placement.databaseName)
  }
}

async function placementsOn({ central }: SweepDeps, { id }: FleetServer): Promise<Placement[]> {
  return (await findPlacements(central)).filter(({ serverId }) => serverId === id)
}

function isAsWeSetThem(rows: readonly server.RoleSettings[], database: string): boolean {
  const expected = Object.entries(ROLE_SETTINGS).map(([name, value]) => `${name}=${value}`)
  const [row] = rows
  return rows.length === 1 && row?.database === database && row.settings.toSorted().join() === expected.sort().join()
}

/** Of ours, and for something else: central databases, templates and those being built, restored or retired copies. */
const NOT_A_TENANT = /^horux_(central|tpl_|restore_)/
