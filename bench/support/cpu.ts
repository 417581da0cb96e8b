import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { OwnerConnection } from '../../src/db/client.ts'
import { median } from '../harness.ts'

/**
 * Seconds of CPU that a PostgreSQL server has used so far, its sessions that are gone included; undefined where there
 * is no /proc. What a bench is bound by is the one of PostgreSQL and Node whose share of the cores is the larger.
 */
export async function postgresCpu(admin: OwnerConnection): Promise<() => number | undefined> {
  const [row] = await admin.query<{ pid: number }>('select pg_backend_pid() as pid')
  const postmaster = readStat(row?.pid ?? 0)?.parent
  return () => (postmaster === undefined ? undefined : treeSeconds(postmaster))
}

/** The same of one process, such as a server that is a child of ours. */
export function processCpu(pid: number): number | undefined {
  return readStat(pid)?.own
}

/** Milliseconds of CPU that one request, visit or whatever was counted has cost. */
export interface Cost {
  node: number
  postgres: number
}

/** Adds up what rounds cost. `work` answers how many things it did. */
export function cpuMeter(postgres: () => number | undefined, node: () => number | undefined) {
  const costs: Cost[] = []
  return {
    async round<T extends { count: number }>(work: () => Promise<T>): Promise<T> {
      const [pg, own] = [postgres(), node()]
      const done = await work()
      const each = (after: number | undefined, before: number | undefined) =>
        ((after ?? Number.NaN) - (before ?? Number.NaN)) * (1000 / done.count)
      costs.push({ node: each(node(), own), postgres: each(postgres(), pg) })
      return done
    },
    /** Medians of the rounds. */
    cost: (): Cost => ({ node: median(costs.map((c) => c.node)), postgres: median(costs.map((c) => c.postgres)) }),
  }
}

export const costInWords = ({ node, postgres }: Cost) => `Node ${ms(node)} + PostgreSQL ${ms(postgres)}`

const ms = (value: number) => value.toFixed(value < 10 ? 2 : 0)

/** How far `perSecond` is from what PostgreSQL alone could do with all cores of the machine. */
export function distance(perSecond: number, { node, postgres }: Cost, unit: string): string {
  const most = (availableParallelism() * 1000) / postgres
  const share = Math.round((postgres / (node + postgres)) * 100)
  const reached = Math.round((perSecond / most) * 100)
  return `PostgreSQL is ${share} % of the CPU; if it had all ${availableParallelism()} cores to itself they would give ${Math.round(most).toLocaleString('en')} ${unit}, and we reach ${reached} % of that`
}

/** The server waits for its children, so those that ended are in its own account. */
function treeSeconds(postmaster: number): number | undefined {
  const root = readStat(postmaster)
  if (!root) return undefined
  let total = root.own + root.ofEndedChildren
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined
    if (stat?.parent === postmaster) total += stat.own
  }
  return total
}

function readStat(pid: number): { parent: number; own: number; ofEndedChildren: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program is in parentheses and may hold anything.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15)
    return { parent: fields[1] ?? 0, own: (utime + stime) / TICKS, ofEndedChildren: (cutime + cstime) / TICKS }
  } catch {
    return undefined // ended meanwhile, or a system without /proc
  }
}

/** USER_HZ: 100 on every Linux that runs Node. */
const TICKS = 100
