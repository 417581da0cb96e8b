import type { FleetEvent, FleetReport, FleetRun } from '../../src/tenants/fleet/migrate-fleet.ts'
import type { TenantPlan } from '../../src/tenants/fleet/plan-fleet.ts'
import type { RunSummary, Tally, TenantFailure } from '../../src/tenants/fleet/report-queries.ts'
import { EXIT } from '../exit-codes.ts'

/** How a run ends for the script that called it: 0 all current, 3 some are not, 4 the files and the databases contradict. */
export function exitCodeOf(report: FleetReport): number {
  if (report.state === 'refused') return EXIT.refused
  if (report.state === 'succeeded') return EXIT.ok
  const onlyRefusals =
    report.failures.length > 0 && report.failures.every(({ errorCode }) => REFUSALS.has(errorCode ?? ''))
  return onlyRefusals && report.tally.failed === report.failures.length && !report.stopped ? EXIT.refused : EXIT.partial
}

const REFUSALS = new Set(['checksum', 'missing', 'order'])

export function headline(event: Extract<FleetEvent, { event: 'run' }>, concurrency: number): string {
  const { runId, target, tenants, servers, resumed } = event
  const parts = [
    `run ${runId}`,
    `target ${numbered(target.version)} (chain ${target.hash.slice(0, 8)})`,
    `${count(tenants.total, 'tenant')} on ${count(servers, 'server')}`,
    `concurrency ${concurrency}/server`,
    ...(resumed ? ['resumed'] : []),
  ]
  return `horux migrate-tenants   ${parts.join('   ')}`
}

export const line = (label: string, text: string) => `  ${label.padEnd(12)}  ${text}`

export function templateText({ server, name, built, durationMs }: Extract<FleetEvent, { event: 'template' }>): string {
  return `${server}  ${name}  ${built ? `built ${durationMs} ms` : 'reused'}`
}

export function summary(run: FleetRun, worked: number): string[] {
  const { tally, durationMs, failures } = run
  const done = tally.total - tally.pending
  const each = worked > 0 ? `   ${Math.max(1, Math.round(durationMs / worked))} ms/tenant` : ''
  const left = tally.pending > 0 ? [`  stopped: ${whyStopped(run)}; ${tally.pending} not begun`] : []
  return [
    line('tenants', `${done}/${tally.total}   ${seconds(durationMs)}${each}`),
    `  ${tallyText(tally)}`,
    ...left,
    ...failureLines(failures),
    ...(run.state === 'succeeded'
      ? []
      : [`  resume with:  make migrate-tenants            state kept in migration_runs ${run.runId}`]),
  ]
}

const whyStopped = ({ stopped }: FleetRun) =>
  stopped === 'max-failures'
    ? 'more failures than --max-failures'
    : stopped === 'signal'
      ? 'interrupted'
      : 'out of scope'

export function tallyText({ ok, current, failed, unreachable, gone, skipped, pending }: Tally): string {
  const parts: [string, number][] = [
    ['ok', ok],
    ['already current', current],
    ['skipped (locked)', skipped.locked],
    ['skipped (moving)', skipped.moving],
    ['deleted meanwhile', gone],
    ['unreachable', unreachable],
    ['failed', failed],
    ['pending', pending],
  ]
  const said = parts.filter(([label, n]) => n > 0 || label === 'ok')
  return said.map(([label, n]) => `${label} ${n}`).join(' · ')
}

export function failureLines(failures: readonly TenantFailure[]): string[] {
  const width = Math.max(0, ...failures.map(({ databaseName }) => handle(databaseName).length))
  return failures.map(({ databaseName, state, error }) => {
    const name = handle(databaseName)
    const label = state === 'failed' ? 'FAILED' : 'UNREACHABLE'
    return `  ${label}  ${name.padEnd(width)}  ${error ?? ''}     try: make migrate-tenants ARGS="--tenant ${name}"`
  })
}

export function planLine({ tenant, from, files, error }: TenantPlan, target: number): string {
  const name = handle(tenant.databaseName)
  if (error) return line('would fail', `${name}  ${error.text}`)
  if (files.length === 0) return line('would note', `${name}  is at ${numbered(target)} already`)
  return line('would apply', `${name}  ${numbered(from)} → ${numbered(target)}  ${files.join(' ')}`)
}

export function statusLines(run: RunSummary, tally: Tally, failures: readonly TenantFailure[]): string[] {
  const { id, target, state, owner, heartbeatSeconds, startedAt } = run
  const sign = state === 'running' ? `, heartbeat ${heartbeatSeconds} s ago by ${owner}` : ''
  const head = `run ${id}   target ${numbered(target.version)} (chain ${target.hash.slice(0, 8)})   ${state}${sign}`
  return [
    `horux migrate-tenants   ${head}`,
    line('started', startedAt.toISOString()),
    line('tenants', `${tally.total - tally.pending}/${tally.total}`),
    `  ${tallyText(tally)}`,
    ...failureLines(failures),
  ]
}

/** What an operator types for a tenant: its database's name without the prefix they all have. */
export const handle = (databaseName: string) => databaseName.replace(/^horux_/, '')

export const numbered = (version: number) => String(version).padStart(4, '0')
export const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
