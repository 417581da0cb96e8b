import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { commandLine, isAlive, stopProcess } from './processes.ts'

/** What one run of the supervisor leaves on disk for the next: who it was, and which processes it had. */
const Record = z.object({
  supervisor: z.number().int(),
  /** By name: the process group and the script that makes it recognisable after its number was used again. */
  children: z.record(z.string(), z.object({ pid: z.number().int(), script: z.string() })),
})
type Record = z.output<typeof Record>

export interface Instance {
  started(name: string, pid: number, script: string): void
  ended(name: string): void
  /** Forgets the run: everything was stopped. */
  close(): void
}

/** Another supervisor lives: `pid`. */
export class AlreadyRunning extends Error {
  readonly pid: number
  constructor(pid: number) {
    super(`already running as process ${pid}`)
    this.pid = pid
  }
}

/**
 * Claims `file` for this process and stops what a killed supervisor left behind, resolving with the names of those.
 * @throws AlreadyRunning
 */
export async function claimInstance(file: string): Promise<{ instance: Instance; stopped: string[] }> {
  const record: Record = { supervisor: process.pid, children: {} }
  const stopped = await takeOver(file, record)
  const save = () => {
    writeNew(record, `${file}.new`)
    renameSync(`${file}.new`, file) // whole or not at all: we may be killed here
  }
  const instance: Instance = {
    started: (name, pid, script) => {
      record.children[name] = { pid, script }
      save()
    },
    ended: (name) => {
      delete record.children[name]
      save()
    },
    close: () => rmSync(file, { force: true }),
  }
  return { instance, stopped }
}

/** Another supervisor that runs now, if any. In a container that was restarted our own number is the dead one's too. */
export function runningSupervisor(file: string): number | undefined {
  const pid = existsSync(file) ? read(file)?.supervisor : undefined
  return pid && pid !== process.pid && isOurs(pid, 'scripts/start.ts') ? pid : undefined
}

/** Stops the processes of a dead supervisor. For `make reset`, which must not leave them without their database. */
export async function stopLeftoversOf(file: string): Promise<string[]> {
  const record = existsSync(file) ? read(file) : undefined
  return record ? stopLeftovers(record) : []
}

/** Makes `file` ours. Of two that start at once one creates it, and the other finds a supervisor that lives. */
async function takeOver(file: string, record: Record): Promise<string[]> {
  const stopped: string[] = []
  const mine = `${file}.${process.pid}`
  writeNew(record, mine)
  try {
    // A link appears with its content or not at all; a file made with `wx` would be empty for a moment.
    while (!linked(mine, file)) {
      const alive = runningSupervisor(file)
      if (alive) throw new AlreadyRunning(alive)
      stopped.push(...(await stopLeftoversOf(file)))
      setAside(file)
    }
  } finally {
    rmSync(mine, { force: true })
  }
  return stopped
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Takes a dead one's file away. Should it be that of a winner by now, it is put back. */
function setAside(file: string): void {
  const aside = `${file}.${process.pid}.dead`
  try {
    renameSync(file, aside)
  } catch {
    return // somebody else was faster
  }
  if (runningSupervisor(aside)) linked(aside, file)
  rmSync(aside)
}

function writeNew(record: Record, file: string): void {
  writeFileSync(file, JSON.stringify(record), { mode: 0o600 })
}

async function stopLeftovers({ children }: Record): Promise<string[]> {
  const ours = Object.entries(children).filter(([, { pid, script }]) => isOurs(pid, script))
  await Promise.all(ours.map(([, { pid }]) => stopGroup(pid, 5_000)))
  return ours.map(([name]) => name)
}

/**
 * Ends a child, which leads a group of its own. Asked politely it ends what it started by itself (`node --watch`
 * does; a second signal to those would be taken for impatience); what then remains of the group is killed.
 */
export async function stopGroup(pid: number, deadlineMs: number): Promise<void> {
  await stopProcess(pid, [['SIGTERM', deadlineMs]])
  await stopProcess(-pid, [['SIGKILL', 5_000]])
}

const isOurs = (pid: number, script: string) => isAlive(pid) && commandLine(pid).includes(script)

/** A file cut short by a full disk says nothing; then ports show whether anybody was left. */
function read(file: string): Record | undefined {
  try {
    return Record.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}
