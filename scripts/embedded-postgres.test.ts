import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import pg from 'pg'
import { until } from '../test/support/until.ts'
import { findPostmaster, type PostgresOptions, startPostgres, stopPostgres } from './embedded-postgres.ts'
import { initialise, removeDataDir } from './supervisor/data-directory.ts'
import { anyFreePort } from './supervisor/ports.ts'
import { canReach, copyForEverybody, reachableDirectory, serverUser } from './supervisor/postgres-binaries.ts'
import { isAlive } from './supervisor/processes.ts'

const PASSWORD = 'prueba'
const home = mkdtempSync(path.join(tmpdir(), 'horux-embedded-'))
chmodSync(home, 0o755)
const fresh = path.join(home, 'fresh')
before(() => initialise(fresh, PASSWORD, ['--no-sync', '--wal-segsize=1']))
after(() => rmSync(home, { recursive: true, force: true }))

test('the data directory belongs to the server alone and asks everybody for a password', async (t) => {
  assert.equal(statSync(fresh).mode & 0o777, 0o700)
  const options = await copyOfFresh(t)
  const { port } = await startPostgres(options)
  const { rows } = await ask({ ...options, port }, 'select auth_method from pg_hba_file_rules group by 1')
  assert.deepEqual(rows, [{ auth_method: 'scram-sha-256' }])
  const { rows: databases } = await ask(
    { ...options, port },
    "select datcollate, pg_encoding_to_char(encoding) as encoding from pg_database where datname = 'template0'",
  )
  assert.deepEqual(databases, [{ datcollate: 'C.UTF-8', encoding: 'UTF8' }])
  await assert.rejects(new pg.Client(`postgres://postgres:otra@127.0.0.1:${port}/postgres`).connect(), /password/)
})

test('an orphan of a killed parent is adopted, and replaced when its settings are not ours', async (t) => {
  const options = await copyOfFresh(t)
  const parent = `
    const { startPostgres } = await import(${JSON.stringify(path.join(import.meta.dirname, 'embedded-postgres.ts'))})
    console.log((await startPostgres(${JSON.stringify(options)})).pid)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [pid] = await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')

  const adopted = await startPostgres(options)
  assert.equal(adopted.pid, Number(pid))
  assert.equal(adopted.adopted, true)

  const replaced = await startPostgres({ ...options, settings: { ...options.settings, max_connections: 33 } })
  assert.equal(replaced.adopted, false)
  await adopted.exited
  const { rows } = await ask({ ...options, port: replaced.port }, 'show max_connections')
  assert.deepEqual(rows, [{ max_connections: '33' }])
})

test('a busy port gives way to the next free one', async (t) => {
  const options = await copyOfFresh(t)
  const squatter = createServer().listen(options.port, '127.0.0.1')
  await once(squatter, 'listening')
  t.after(() => squatter.close())
  const server = await startPostgres(options)
  assert.ok(server.port > options.port)
})

test('two that start it at once end with one server', async (t) => {
  const options = await copyOfFresh(t)
  const both = await Promise.all([startPostgres(options), startPostgres(options)])
  assert.equal(both[0].pid, both[1].pid)
  assert.deepEqual(both.map((server) => server.adopted).sort(), [false, true])
})

test('after kill -9 of the server the next start recovers what was committed', async (t) => {
  const options = await copyOfFresh(t)
  const killed = await startPostgres(options)
  await ask({ ...options, port: killed.port }, 'create table kept as select 7 as n')
  process.kill(killed.pid, 'SIGKILL')
  const next = await startPostgres(options)
  assert.notEqual(next.pid, killed.pid)
  assert.deepEqual((await ask({ ...options, port: next.port }, 'select n from kept')).rows, [{ n: 7 }])
})

test('a lock file that names a stranger does not stop the start', { skip: process.platform !== 'linux' }, async (t) => {
  const options = await copyOfFresh(t)
  const stranger = spawn('/bin/sleep', ['60'], { stdio: 'ignore', ...serverUser() })
  t.after(() => stranger.kill())
  const { dataDir, port } = options
  writeFileSync(
    path.join(dataDir, 'postmaster.pid'),
    `${stranger.pid}\n${dataDir}\n0\n${port}\n\n127.0.0.1\n0 0\nready\n`,
  )
  assert.equal(findPostmaster(dataDir), undefined)
  const server = await startPostgres(options)
  assert.notEqual(server.pid, stranger.pid)
  assert.ok(isAlive(stranger.pid ?? 0))
})

test('a broken data directory fails at once and in the words of the server', async (t) => {
  const options = await copyOfFresh(t)
  truncateSync(path.join(options.dataDir, 'global', 'pg_control'), 0)
  await assert.rejects(startPostgres(options), (error: Error) => {
    assert.match(error.message, /PostgreSQL no pudo arrancar/)
    assert.match(error.message, /pg_control/)
    return true
  })
  assert.equal(findPostmaster(options.dataDir), undefined)
})

test('an initialisation that was killed is started over, beside the initdb that it left', async (t) => {
  const dataDir = path.join(home, 'again')
  const unfinished = () => readdirSync(home).filter((name) => name.startsWith('again.new-'))
  const parent = `
    const { initialise } = await import(${JSON.stringify(path.join(import.meta.dirname, 'supervisor', 'data-directory.ts'))})
    await initialise(${JSON.stringify(dataDir)}, ${JSON.stringify(PASSWORD)}, ['--no-sync', '--wal-segsize=1'])`
  const child = spawn(process.execPath, ['--input-type=module', '-e', parent], { stdio: 'ignore' })
  // On a machine that gives us no turn it may be done before we look.
  const begun = () => [...unfinished(), 'again'].some((name) => existsSync(path.join(home, name, 'PG_VERSION')))
  await until(begun)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await initialise(dataDir, PASSWORD, ['--no-sync', '--wal-segsize=1'])
  const options = await optionsFor(t, dataDir)
  const server = await startPostgres(options)
  assert.equal((await ask({ ...options, port: server.port }, 'select 1 as one')).rows[0].one, 1)
  await until(async () => {
    await initialise(dataDir, PASSWORD)
    return unfinished().length === 0
  })
})

test('as root, a checkout that only root may enter works: data and binaries live where the server reaches them', async (t) => {
  if (!serverUser()) return t.skip('not root')
  const closed = path.join(home, 'closed')
  mkdirSync(closed, { mode: 0o700 })
  const dataDir = path.join(closed, 'pg')
  t.after(() => {
    removeDataDir(dataDir)
    rmSync(reachableDirectory(dataDir), { recursive: true, force: true })
    rmSync(reachableDirectory(closed), { recursive: true, force: true })
  })
  await initialise(dataDir, PASSWORD, ['--no-sync', '--wal-segsize=1'])
  assert.equal(lstatSync(dataDir).isSymbolicLink(), true)
  const server = await startPostgres(await optionsFor(t, dataDir))
  assert.equal(statSync(realpathSync(dataDir)).uid, serverUser()?.uid)
  await server.stop()

  const bin = path.join(closed, 'bin')
  mkdirSync(bin)
  writeFileSync(path.join(bin, 'postgres'), '#!/bin/sh\necho reached\n', { mode: 0o700 })
  const copy = copyForEverybody(closed, 'test')
  assert.equal(canReach(copy, serverUser()), true)
  const { stdout } = await promisify(execFile)(path.join(copy, 'bin', 'postgres'), { ...serverUser(), cwd: '/' })
  assert.equal(stdout, 'reached\n')
})

async function copyOfFresh(t: TestContext): Promise<PostgresOptions> {
  const dataDir = mkdtempSync(path.join(home, 'data-'))
  rmSync(dataDir, { recursive: true })
  await promisify(execFile)('cp', ['-Rp', fresh, dataDir])
  return optionsFor(t, dataDir)
}

async function optionsFor(t: TestContext, dataDir: string): Promise<PostgresOptions> {
  t.after(() => stopPostgres(dataDir))
  const settings = { max_connections: 20, shared_buffers: '16MB', fsync: 'off' }
  return { dataDir, port: await anyFreePort(), settings, logFile: path.join(home, 'log', path.basename(dataDir)) }
}

async function ask({ port }: PostgresOptions, sql: string) {
  const client = new pg.Client(`postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`)
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}
