import { setTimeout as sleep } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { isConnectionError } from '../../db/failures.ts'
import type { ApplyOptions } from '../../db/migrate.ts'
import { type SchemaVersion, schemaVersionOf } from '../../db/migrations.ts'
import { ensureTemplates, type ServerTemplate } from './ensure-templates.ts'
import { bringUp, describeFailure, type FleetDeps, type Outcome } from './migrate-tenant.ts'
import { isDeadOwner, newOwner } from './owner.ts'
import { refuseEdited } from './preflight.ts'
import { type FleetServer, type FleetTenant, findServers, type Scope } from './queries.ts'
import { findFailures, type Tally, type TenantFailure, tallyRun } from './report-queries.ts'
import {
  addFailedRows,
  addNewcomers,
  addRows,
  beat,
  type Claim,
  claimTenant,
  closeRun,
  countPending,
  openRun,
  type RowState,
  type Settlement,
  settleTenant,
  settleUnreachable,
  skipPending,
} from './run-queries.ts'

export interface FleetOptions {
  scope?: Scope
  /** Tenants at a time on each server. Default 4: beyond twice the cores of a server nothing is gained. */
  concurrency?: number
  /** With more failures than this no further tenant is begun. Default 3. */
  maxFailures?: number
  /** Only the tenants that the last run did not bring to the end. */
  onlyFailed?: boolean
  /** How long tenants that are being moved are waited for at the end. Default 10 s. */
  movingWaitMs?: number
  /** How often the run says that it lives. Default 5 s. */
  heartbeatMs?: number
  /** How patient it is with each database and server. */
  patience?: Pick<ApplyOptions, 'lockWaitMs' | 'retries' | 'backoffMs'>
  /** When aborted no further tenant is begun; what runs is finished. */
  signal?: AbortSignal
  onEvent?: (event: FleetEvent) => void
}

export type FleetEvent =
  | { event: 'run'; runId: string; resumed: boolean; target: SchemaVersion; tenants: Tally; servers: number }
  | { event: 'template'; server: string; name: string; built: boolean; durationMs: number }
  | { event: 'server-unreachable'; server: string; error: string }
  | {
      event: 'tenant'
      tenant: FleetTenant
      state: RowState
      durationMs: number
      code: string | null
      error: string | null
    }

export type FleetReport =
  /** A guard said no, nothing was touched: edited files, or another run that is alive. */
  { state: 'refused'; reason: 'files' | 'another-run' | 'taken-over'; text: string } | FleetRun

export interface FleetRun {
  state: 'succeeded' | 'failed' | 'aborted'
  runId: string
  tally: Tally
  failures: readonly TenantFailure[]
  /** Why tenants were left that nobody began. */
  stopped: 'max-failures' | 'signal' | undefined
  durationMs: number
}

/**
 * Brings every tenant's database to the current schema: templates first, so that new companies no longer add to the
 * work, then the tenants, a few at a time on each server. What is done is written down tenant by tenant, so that
 * whoever calls this after we died, or after a tenant failed, goes on with the rest.
 * @throws MigrationError when the files do not apply to an empty database; AppError `unavailable` when the central
 * database is gone (the run then stands open until half a minute has passed or this process has ended).
 */
export async function migrateFleet(deps: FleetDeps, options: FleetOptions = {}): Promise<FleetReport> {
  const started = performance.now()
  const edited = await refuseEdited(deps)
  if (edited) return { state: 'refused', reason: 'files', text: edited.message }
  const { scope = { tenant: null, server: null }, concurrency = 4, maxFailures = 3, onlyFailed = false } = options
  const owner = newOwner()
  const target = schemaVersionOf(deps.migrations)
  const opened = await openRun(deps.central, {
    id: uuidv7(),
    target,
    scope,
    owner,
    isDead: isDeadOwner,
    options: { concurrency, maxFailures, onlyFailed },
  })
  if (opened.kind === 'busy') return { state: 'refused', reason: 'another-run', text: describeOther(opened) }
  const run = new AbortController()
  const work: Work = {
    deps,
    options,
    target,
    scope,
    concurrency,
    maxFailures,
    failures: 0,
    claimed: 0,
    unreachable: new Map(),
    stop: run,
    claim: { runId: opened.id, owner },
  }
  options.signal?.addEventListener('abort', () => run.abort('signal'), { once: true })
  if (options.signal?.aborted) run.abort('signal')
  const heart = keepBeating(work)
  try {
    const report = await goThrough(work, opened.resumed)
    return { ...report, durationMs: Math.round(performance.now() - started) }
  } catch (error) {
    if (error instanceof TakenOver) return { state: 'refused', reason: 'taken-over', text: error.message }
    // The next caller need not wait for our silence; unless the central database is what we lost.
    await closeRun(deps.central, opened.id, owner, 'failed').catch(() => undefined)
    throw error
  } finally {
    clearInterval(heart)
  }
}

interface Work {
  deps: FleetDeps
  options: FleetOptions
  target: SchemaVersion
  scope: Scope
  concurrency: number
  maxFailures: number
  claim: Claim
  claimed: number
  failures: number
  /** By server id, why. */
  unreachable: Map<number, string>
  stop: AbortController
}

class TakenOver extends Error {}

async function goThrough(work: Work, resumed: boolean): Promise<Omit<FleetRun, 'durationMs'>> {
  const { deps, claim, target, scope, options } = work
  if (options.onlyFailed) await addFailedRows(deps.central, claim.runId)
  else await addRows(deps.central, claim.runId, target, scope)
  const servers = await findServers(deps.central, scope)
  const tenants = await tallyRun(deps.central, claim.runId)
  options.onEvent?.({ event: 'run', runId: claim.runId, resumed, target, tenants, servers: servers.length })
  for (const result of await ensureTemplates(deps, servers, options.patience)) await noteTemplate(work, result)
  await untilNothingIsLeft(work, servers)
  if (!(await beat(deps.central, claim.runId, claim.owner))) throw new TakenOver('another process took the run over')
  const stopped = work.stop.signal.aborted ? (work.stop.signal.reason as FleetRun['stopped']) : undefined
  const tally = await tallyRun(deps.central, claim.runId)
  const complete = tally.ok + tally.current + tally.gone === tally.total
  const state = complete ? 'succeeded' : stopped === 'signal' ? 'aborted' : 'failed'
  await closeRun(deps.central, claim.runId, claim.owner, state)
  return { state, runId: claim.runId, tally, failures: await findFailures(deps.central, claim.runId), stopped }
}

async function noteTemplate(work: Work, result: ServerTemplate): Promise<void> {
  const server = result.server.name
  if ('template' in result) work.options.onEvent?.({ event: 'template', server, ...result.template })
  else await giveUp(work, result.server, result.unreachable)
}

async function giveUp(work: Work, server: FleetServer, error: string): Promise<void> {
  if (!work.unreachable.has(server.id))
    work.options.onEvent?.({ event: 'server-unreachable', server: server.name, error })
  work.unreachable.set(server.id, error)
  await settleUnreachable(work.deps.central, work.claim.runId, server.id, error)
}

/** Round after round: companies are registered, moved and deleted while we work. */
async function untilNothingIsLeft(work: Work, servers: readonly FleetServer[]): Promise<void> {
  const { deps, claim, options } = work
  let deadline = Number.POSITIVE_INFINITY
  let idleRounds = 0
  for (;;) {
    const before = work.claimed
    const reachable = servers.filter(({ id }) => !work.unreachable.has(id))
    const workers = reachable.flatMap((server) => Array.from({ length: work.concurrency }, () => workOn(work, server)))
    await allOrFirstFailure(workers)
    if (work.stop.signal.aborted) return
    if (!options.onlyFailed) await addNewcomers(deps.central, claim.runId, work.target, work.scope)
    for (const [serverId, why] of work.unreachable) await settleUnreachable(deps.central, claim.runId, serverId, why)
    const { ready, moving } = await countPending(deps.central, claim.runId)
    // Ready twice and never ours: it moved to a server that this run is not about.
    idleRounds = work.claimed > before ? 0 : idleRounds + 1
    if (ready > 0 && idleRounds < 2) continue
    deadline = Math.min(deadline, performance.now() + (options.movingWaitMs ?? 10_000))
    if (moving === 0 || performance.now() >= deadline) break
    await sleep(100)
  }
  await skipPending(deps.central, claim.runId)
}

async function workOn(work: Work, server: FleetServer): Promise<void> {
  const { deps, claim } = work
  while (!work.stop.signal.aborted && !work.unreachable.has(server.id)) {
    const tenant = await claimTenant(deps.central, claim, server.id)
    if (!tenant) return
    work.claimed++
    const started = performance.now()
    const outcome = await bringUp(deps, server, tenant, work.options.patience)
    const gone = 'error' in outcome && isConnectionError(outcome.error) && !(await answers(work, server))
    if (gone) await giveUp(work, server, describeFailure(outcome.error).text)
    const settlement = settlementOf(outcome, tenant, gone ? 'unreachable' : 'failed')
    await settle(work, tenant, { ...settlement, durationMs: Math.round(performance.now() - started) })
  }
}

async function settle(work: Work, tenant: FleetTenant, settlement: Settlement): Promise<void> {
  const { deps, claim, options } = work
  const state = await settleTenant(deps.central, claim, tenant, settlement)
  if (state === undefined) return work.stop.abort('taken-over')
  if (state === 'failed' && ++work.failures > work.maxFailures) work.stop.abort('max-failures')
  const { durationMs, errorCode: code, error } = settlement
  options.onEvent?.({ event: 'tenant', tenant, state, durationMs, code, error })
}

function settlementOf(outcome: Outcome, tenant: FleetTenant, failure: 'failed' | 'unreachable') {
  const { reached } = outcome
  const plain = { reached, fromVersion: tenant.schemaVersion, errorCode: null, error: null }
  if ('error' in outcome) {
    const { code, text } = describeFailure(outcome.error)
    return { ...plain, state: failure, errorCode: code, error: text }
  }
  const { applied } = outcome
  if (applied.state === 'locked') return { ...plain, state: 'skipped' as const, errorCode: 'locked' }
  return { ...plain, state: 'succeeded' as const, fromVersion: applied.from.version }
}

/** A database that cannot be entered may be that database's trouble alone. */
async function answers({ deps }: Work, server: FleetServer): Promise<boolean> {
  try {
    const session = await deps.connect(server, server.maintenanceDb)
    await session.end()
    return true
  } catch {
    return false
  }
}

/** A process that was suspended and wakes up finds its run taken: it must not begin anything any more. */
function keepBeating({ deps, claim, options, stop }: Work): NodeJS.Timeout {
  const tick = async () => {
    if (!(await beat(deps.central, claim.runId, claim.owner))) stop.abort('taken-over')
  }
  // A beat that fails is no reason to stop: if the central database is gone the next claim says so.
  return setInterval(() => void tick().catch(() => undefined), options.heartbeatMs ?? 5_000)
}

/** Waits for all even when one fails: what it began must not go on behind the caller's back. */
async function allOrFirstFailure(work: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

const describeOther = ({ id, owner, heartbeatSeconds }: { id: string; owner: string; heartbeatSeconds: number }) =>
  `another run is open: ${id} by ${owner}, last heartbeat ${heartbeatSeconds} s ago`
