import { readdirSync, readFileSync } from 'node:fs'
import type { OwnerConnection } from '../../src/db/client.ts'

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

/** "PostgreSQL 1.42 of 2 cores": of seconds of CPU and of time. */
export function cores(name: string, cpuSeconds: number | undefined, seconds: number): string {
  return cpuSeconds === undefined ? '' : `${name} ${(cpuSeconds / seconds).toFixed(2)}`
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
