import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks a process (or, with a negative pid, its whole group) to end: each signal in turn, waiting at most its
 * milliseconds before the next. Resolves with whether it is gone.
 */
export async function stopProcess(pid: number, steps: readonly (readonly [NodeJS.Signals, number])[]) {
  for (const [signal, waitMs] of steps) {
    if (!send(pid, signal)) return true
    if (await waitForExit(Math.abs(pid), waitMs)) return true
  }
  return false
}

export async function waitForExit(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (isAlive(pid)) {
    if (performance.now() >= deadline) return false
    await sleep(20)
  }
  return true
}

/** A zombie counts as dead: in a container without an init nobody reaps it, and kill(pid, 0) finds it for ever. */
export function isAlive(pid: number): boolean {
  return send(pid, 0) && processState(pid) !== 'Z'
}

/** The command line of a process, arguments joined by blanks; empty when there is none or it may not be read. */
export function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

/** Every process whose working directory is `directory`. Linux only: elsewhere undefined, "nobody can tell". */
export function processesIn(directory: string): number[] | undefined {
  if (process.platform !== 'linux') return undefined
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => workingDirectory(pid) === directory)
}

/** Undefined when it is gone, a zombie or somebody else's, and where the system does not tell. */
export function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

function processState(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    // pid (comm) S …: the name may hold blanks and parentheses, so the state is what follows the last one.
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.[0]
  } catch {
    return undefined
  }
}

/** Whether the signal found somebody, be it one that we may not signal. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
