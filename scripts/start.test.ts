import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { parseEnv } from 'node:util'
import { until } from '../test/support/until.ts'
import { findPostmaster, stopPostgres } from './embedded-postgres.ts'
import { demoStaff } from './seed.ts'
import { removeDataDir } from './supervisor/data-directory.ts'
import { stopLeftoversOf } from './supervisor/instance.ts'
import { anyFreePort } from './supervisor/ports.ts'
import { isAlive } from './supervisor/processes.ts'

// One story, because each chapter needs what the one before left: a first start, its murder, the next start, Ctrl-C.
const home = mkdtempSync(path.join(tmpdir(), 'horux-start-'))
chmodSync(home, 0o755)
const dataDir = path.join(home, 'pg')
const record = path.join(home, 'run.json')
const env = {
  HORUX_HOME: home,
  ...(await ports()),
  DATABASE_URL: '',
  HORUX_ENV: '',
  SMTP_URL: '',
  CENTRAL_DATABASE_URL: '',
  MERCADOPAGO_URL: '',
  SAT_ESTADO_URL: '',
  TEST_CLOCK: '',
}
const supervisors: ChildProcess[] = []
/** A database is made and six processes begin, on a machine that has other things to do too. */
const START_MS = 200_000
let api = ''
let mailbox = ''
let simulator = ''

after(async () => {
  for (const supervisor of supervisors) supervisor.kill('SIGKILL')
  await stopLeftoversOf(record)
  await stopPostgres(dataDir)
  removeDataDir(dataDir)
  rmSync(home, { recursive: true, force: true })
})

test('a first start makes everything, keeps its secrets to itself and says where things are', async (t) => {
  const squatter = createServer().listen(Number(env.API_PORT), '127.0.0.1')
  await once(squatter, 'listening')
  t.after(() => squatter.close())
  const first = start()
  await first.ready()
  assert.match(first.said(), new RegExp(`el puerto ${env.API_PORT} está ocupado; la API usa \\d+`))
  for (const url of [
    'API',
    'Documentación',
    'Correo',
    'MercadoPago \\(simulador\\)',
    'SAT \\(simulador\\)',
    'Métricas',
  ])
    assert.match(first.said(), new RegExp(`│ ${url}`))
  api = addressOf(first.said())
  assert.equal((await fetch(`${api}/api/ready`)).status, 200)
  assert.equal(statSync(path.join(home, 'dev.env')).mode & 0o777, 0o600)
  assert.equal(statSync(path.join(home, 'credentials', 'local-owner')).mode & 0o777, 0o600)
  assert.equal(statSync(dataDir).mode & 0o777, 0o700)

  const second = start()
  assert.equal(await second.exitCode(), 4)
  assert.match(second.said(), /Ya está corriendo/)

  // Murdered: nobody stops anything.
  first.process.kill('SIGKILL')
  await first.exitCode()
  assert.deepEqual(Object.keys(children()).sort(), ['api', 'correo', 'mercadopago', 'sat', 'worker'])
})

test('after kill -9 the next start stops the orphans, adopts the database and is ready', async () => {
  const orphans = Object.values(children()).map(({ pid }) => pid)
  const database = findPostmaster(dataDir)?.pid
  assert.ok(database && orphans.length === 5)
  const next = start()
  await next.ready()
  assert.match(next.said(), /quedaban procesos de un arranque que murió/)
  assert.match(next.said(), new RegExp(`PostgreSQL seguía corriendo \\(proceso ${database}\\)`))
  assert.deepEqual(orphans.filter(isAlive), [])
  assert.equal(findPostmaster(dataDir)?.pid, database)
  api = addressOf(next.said())
  mailbox = /│ Correo +(http:\S+)/.exec(next.said())?.[1] ?? ''
  simulator = /│ MercadoPago \(simulador\) +(http:\S+)/.exec(next.said())?.[1] ?? ''
})

test('time that the simulator moves is the time of the API and of the worker', async () => {
  const days = 40
  const target = Date.now() + days * 86_400_000
  const moved = await post(`${simulator}/__sim/clock`, { advance: { days } })
  assert.equal(moved.status, 200, await moved.text())
  const { ahora } = JSON.parse(await (await fetch(`${api}/__test/clock`)).text())
  assert.ok(Math.abs(Date.parse(ahora) - target) < 3_600_000, ahora)
  const { ocioso } = JSON.parse(await (await fetch(`${api}/__test/idle`)).text())
  assert.equal(typeof ocioso, 'boolean')

  const forgot = await post(`${api}/api/auth/password/forgot`, { email: demoStaff.email })
  assert.equal(forgot.status, 202, await forgot.text())
  const { id } = await until(async () => {
    const list = await fetch(`${mailbox}/api/correos?para=${encodeURIComponent(demoStaff.email)}&esperar=30`)
    return JSON.parse(await list.text()).datos[0] as { id: string } | undefined
  })
  const source = await (await fetch(`${mailbox}/correos/${id}/fuente`)).text()
  const date = /^Date: (.*)$/im.exec(source)?.[1] ?? ''
  assert.ok(Math.abs(Date.parse(date) - target) < 3_600_000, date)
})

test('the simulator takes the token that was kept for it, and no other', async () => {
  const stranger = await fetch(`${simulator}/users/me`, { headers: { authorization: 'Bearer APP_USR-otro' } })
  assert.equal(stranger.status, 401)
  const kept = parseEnv(readFileSync(path.join(home, 'dev.env'), 'utf8'))
  const authorization = `Bearer ${kept['MERCADOPAGO_SIM_TOKEN']}`
  assert.equal((await fetch(`${kept['MERCADOPAGO_URL']}/users/me`, { headers: { authorization } })).status, 200)
})

test('the state of a CFDI is asked for at the simulator that was started with everything', async () => {
  const kept = parseEnv(readFileSync(path.join(home, 'dev.env'), 'utf8'))
  const { origin, pathname } = new URL(kept['SAT_ESTADO_URL'] ?? '')
  assert.equal(pathname, '/ConsultaCFDIService.svc')
  assert.match(await (await fetch(origin)).text(), /SAT simulado/)
})

test('a child and a database that die are brought back', async () => {
  const killed = children()['api']?.pid ?? 0
  const database = findPostmaster(dataDir)?.pid ?? 0
  process.kill(killed, 'SIGKILL')
  process.kill(database, 'SIGKILL')
  await until(() => isAlive(children()['api']?.pid ?? killed) && children()['api']?.pid !== killed)
  await until(() => (findPostmaster(dataDir)?.pid ?? database) !== database && findPostmaster(dataDir)?.ready === true)
  await until(async () => (await fetch(`${api}/api/ready`).catch(() => undefined))?.status === 200)
  // Who lost the database may have begun anew, and may wait to.
  await until(() => Object.values(children()).filter(({ pid }) => isAlive(pid)).length === 5)
})

test('Ctrl-C stops all in order and leaves no process', async () => {
  const running = supervisors.at(-1)
  assert.ok(running?.pid)
  const pids = [...Object.values(children()).map(({ pid }) => pid), findPostmaster(dataDir)?.pid ?? 0]
  assert.equal(pids.filter(isAlive).length, 6)
  running.kill('SIGINT')
  const [code] = await once(running, 'exit')
  assert.equal(code, 0)
  assert.deepEqual(pids.filter(isAlive), [])
  assert.equal(existsSync(record), false)
  assert.equal(existsSync(path.join(dataDir, 'postmaster.pid')), false)
})

test('reset asks first, then deletes what a start made and nothing else', async () => {
  writeFileSync(path.join(home, 'mio.txt'), 'no es de make start')
  assert.equal(await reset('--dry-run'), 3)
  assert.equal(await reset(), 4, 'nobody there to ask')
  assert.ok(existsSync(dataDir))
  assert.equal(await reset('--yes'), 0)
  assert.deepEqual(readdirSync(home), ['mio.txt'])
  assert.equal(await reset('--dry-run'), 0, 'nothing is left to delete')
})

async function reset(...args: string[]): Promise<number | null> {
  const horux = path.join(import.meta.dirname, 'horux.ts')
  const child = spawn(process.execPath, [horux, 'reset', ...args], { env: { ...process.env, ...env }, stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  return code
}

function start() {
  const args = [path.join(import.meta.dirname, 'start.ts'), '--no-demo']
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  supervisors.push(child)
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => code)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  return {
    process: child,
    said: () => said,
    exitCode: () => ended,
    ready: () =>
      until(() => said.includes('está listo') || child.exitCode !== null, START_MS).then(() => {
        assert.match(said, /está listo/)
      }),
  }
}

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

function children(): Record<string, { pid: number }> {
  return JSON.parse(readFileSync(record, 'utf8')).children
}

async function ports() {
  const names = [
    'API_PORT',
    'METRICS_PORT',
    'WORKER_METRICS_PORT',
    'MAILBOX_SMTP_PORT',
    'MAILBOX_HTTP_PORT',
    'MERCADOPAGO_SIM_PORT',
    'SAT_SIM_PORT',
    'HORUX_PG_PORT',
  ] as const
  const chosen = await Promise.all(names.map(async (name) => [name, String(await anyFreePort())] as const))
  return Object.fromEntries(chosen) as Record<(typeof names)[number], string>
}

const addressOf = (said: string) => /│ API +(http:\S+)\/api/.exec(said)?.[1] ?? ''
