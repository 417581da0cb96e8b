import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findPostmaster, startPostgres } from '../../scripts/embedded-postgres.ts'
import { initialise } from '../../scripts/supervisor/data-directory.ts'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { binariesVersion, canReach, serverUser } from '../../scripts/supervisor/postgres-binaries.ts'
import { isAlive, send } from '../../scripts/supervisor/processes.ts'

/**
 * A PostgreSQL of its own for one test file:
 *
 *   const cluster = await startCluster()      // about 0.3 s; superuser at cluster.adminUrl
 *   after(() => cluster.stop())               // not needed: it goes when the process goes, however that ends
 *
 * Data that no crash has to survive: fsync is off, and the directory is removed at the end.
 */
export interface Cluster {
  /** Superuser on database `postgres`: `postgres://postgres:…@127.0.0.1:port/postgres`. */
  adminUrl: string
  host: string
  port: number
  /** The server's log, for a test that asserts what was (not) written there. */
  logFile: string
  stop(): Promise<void>
}

export interface ClusterOptions {
  maxConnections?: number
  /** What the server holds from the start. Done once for each `key`, then copied like everything else. */
  prepare?: Preparation
  /** Further `postgres -c` settings. */
  settings?: Readonly<Record<string, string | number>>
}

export interface Preparation {
  /** Changes with everything that the result depends on. */
  key: string
  run(adminUrl: string): Promise<void>
}

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { maxConnections = 120, settings = {}, prepare } = options
  const home = temporaryHome()
  const leash = removeWhenWeEnd(home)
  const dataDir = path.join(home, 'data')
  await copyCached(dataDir, prepare)
  const logFile = path.join(home, 'postgres.log')
  const all = { ...CARELESS, max_connections: maxConnections, ...settings }
  const server = await startPostgres({ dataDir, port: await anyFreePort(), settings: all, logFile })
  return { adminUrl: adminUrl(server.port), host: '127.0.0.1', port: server.port, logFile, stop: () => letGo(leash) }
}

const PASSWORD = 'prueba'

const CARELESS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  wal_level: 'minimal',
  max_wal_senders: 0,
  io_method: 'sync',
  jit: 'off',
}

const adminUrl = (port: number) => `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`

/** Another test file that begins now may take away what it found unused for an hour, while we copy it: then it is made anew. */
async function copyCached(dataDir: string, prepare?: Preparation): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      return copyDirectory(await cachedDirectory(prepare), dataDir)
    } catch (error) {
      if (tries === 3) throw error
      rmSync(dataDir, { recursive: true, force: true })
    }
}

/** A data directory, made once per state of what goes into it. Two that make it at once: one is kept. */
async function cachedDirectory(prepare?: Preparation): Promise<string> {
  const key = createHash('sha256').update(`2 ${binariesVersion()} ${prepare?.key}`).digest('hex').slice(0, 12)
  const directory = path.join(CACHE, key)
  if (!existsSync(directory)) await fillCache(directory, prepare)
  const now = new Date()
  utimesSync(directory, now, now)
  return directory
}

const CACHE = path.join(import.meta.dirname, '..', '..', '.horux', 'test')

async function fillCache(directory: string, prepare: Preparation | undefined): Promise<void> {
  mkdirSync(CACHE, { recursive: true })
  removeUnused(CACHE)
  const home = temporaryHome()
  const leash = removeWhenWeEnd(home)
  const dataDir = path.join(home, 'data')
  if (prepare) {
    await copyCached(dataDir)
    await prepareServer(dataDir, prepare)
  } else {
    await initialise(dataDir, PASSWORD, ['--no-sync', '--wal-segsize=1'])
  }
  const unfinished = `${directory}.${process.pid}`
  // Of somebody of our number who was killed: to copy into it would make a cache that nobody can start from.
  rmSync(unfinished, { recursive: true, force: true })
  copyDirectory(dataDir, unfinished)
  try {
    renameSync(unfinished, directory)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(directory)) throw error
  }
  await letGo(leash)
}

async function prepareServer(dataDir: string, prepare: Preparation): Promise<void> {
  const logFile = path.join(dataDir, '..', 'postgres.log')
  const server = await startPostgres({ dataDir, port: await anyFreePort(), settings: CARELESS, logFile })
  await prepare.run(adminUrl(server.port))
  await server.stop()
}

/** Caches of earlier migrations, and unfinished ones of killed runs. An hour: nobody is copying from it any more. */
function removeUnused(cache: string): void {
  for (const name of readdirSync(cache)) {
    const entry = path.join(cache, name)
    const age = Date.now() - (statSync(entry, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (age > 3_600_000) takeAway(entry)
  }
}

/** Under another name first: what has its name is whole. */
function takeAway(entry: string): void {
  const unused = `${entry}.${process.pid}.unused`
  try {
    renameSync(entry, unused)
  } catch {
    return // somebody else did
  }
  removeWhatIsLeft(unused)
}

/** `cp` and not fs.cp: a thousand files in 30 ms, owners kept, and no copy at all where the file system shares blocks. */
function copyDirectory(from: string, to: string): void {
  execFileSync('cp', ['-Rp', from, to])
}

/** A directory of the server's user, who is not us when we are root. */
function temporaryHome(): string {
  const user = serverUser()
  const places = [tmpdir(), '/var/tmp'].filter((place) => existsSync(place) && canReach(place, user))
  for (const place of places) sweep(place)
  const home = mkdtempSync(path.join(places[0] ?? tmpdir(), `${PREFIX}${process.pid}-`))
  if (user) chownSync(home, user.uid, user.gid)
  return home
}

const PREFIX = 'horux-test-'

/** What remains when somebody killed a leash too, or the machine went down: the lock file may name a stranger then. */
function sweep(place: string): void {
  for (const name of readdirSync(place).filter((entry) => entry.startsWith(PREFIX))) {
    if (isAlive(Number(name.slice(PREFIX.length).split('-')[0]))) continue
    const postmaster = findPostmaster(path.join(place, name, 'data'))
    if (postmaster) send(postmaster.pid, 'SIGQUIT')
    removeWhatIsLeft(path.join(place, name))
  }
}

/**
 * Its own leash, or another test file that begins now, may be taking it away too, and a server that is ending still writes
 * there: that is no failure of whoever sweeps. What stays is met by the next one.
 */
function removeWhatIsLeft(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {}
}

/**
 * A shell that reads from us until we end, by whatever death, then stops the server of `home` and removes it.
 * In a session of its own, so that Ctrl-C does not end it before its work.
 */
function removeWhenWeEnd(home: string): ChildProcess {
  const leash = spawn('/bin/sh', ['-c', LEASH, home], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' })
  leash.unref()
  if (leash.stdin instanceof Socket) leash.stdin.unref()
  return leash
}

const LEASH = `
  cat > /dev/null
  pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null)
  if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2> /dev/null
    tries=0
    while kill -0 "$pid" 2> /dev/null && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
  fi
  rm -rf "$0"
`

async function letGo(leash: ChildProcess): Promise<void> {
  if (leash.exitCode !== null || leash.signalCode !== null) return
  const { promise, resolve } = Promise.withResolvers<void>()
  leash.ref()
  leash.once('exit', () => resolve())
  leash.stdin?.end()
  await promise
}
