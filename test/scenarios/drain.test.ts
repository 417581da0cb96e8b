import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { type ApiProcess, type AuthHouse, JWT_KEYS, startAuthHouse } from '../support/auth.ts'
import { until } from '../support/until.ts'

const SERVER = path.join(import.meta.dirname, '../../src/server.ts')

let house: AuthHouse
let token: string
before(async () => {
  house = await startAuthHouse()
  const process: ApiProcess = await house.process()
  token = (await process.login((await house.user()).email)).accessToken
})
after(() => house?.close())

interface Unit {
  child: ChildProcess
  url: string
  metricsUrl: string
  output: string[]
}

async function startUnit(env: Record<string, string> = {}): Promise<Unit> {
  const [apiPort, metricsPort] = [await anyFreePort(), await anyFreePort()]
  const own = {
    HORUX_ENV: 'test',
    CENTRAL_DATABASE_URL: house.config.central.url,
    HORUX_TENANT_KEY: JWT_KEYS,
    JWT_KEYS,
    BILLING_ENCRYPTION_KEY: JWT_KEYS,
    FIEL_ENCRYPTION_KEY: JWT_KEYS,
    RATE_LIMIT_PER_MINUTE: '0',
    API_PORT: String(apiPort),
    METRICS_PORT: String(metricsPort),
  }
  const child = spawn(process.execPath, [SERVER], {
    env: { ...process.env, ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(String(chunk)))
  return { child, url: `http://127.0.0.1:${apiPort}`, metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`, output }
}

const probe = new Agent({ keepAlive: false })
const isReady = ({ url }: Unit) =>
  send(`${url}/api/ready`, probe).then(
    ({ status }) => status === 200,
    () => false,
  )

interface Answer {
  status: number | string
  connection?: string | undefined
  body: string
}

/** As the logged-in person. Rejects when the connection fails. */
function send(url: string, agent: Agent, payload?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...(payload && { 'content-type': 'application/json' }) }
    const sent = request(url, { agent, headers, method: payload ? 'POST' : 'GET' }, (answer) => {
      let body = ''
      answer.on('data', (chunk) => {
        body += chunk
      })
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, connection: answer.headers.connection, body }))
      answer.once('error', reject)
    })
    sent.once('error', reject)
    sent.end(payload && JSON.stringify(payload))
  })
}

/** Reads and writes alternate; nobody is member of that company. */
const ask = (unit: Unit, n: number, agent: Agent) =>
  n % 3 === 0
    ? send(`${unit.url}/api/auth/tenant`, agent, { tenant: 'EKU9003173C9' })
    : send(`${unit.url}/api/auth/me`, agent)

test('SIGTERM to one of two units under keep-alive load: no request fails, the process ends with 0', async (t) => {
  const units = await Promise.all([startUnit(), startUnit()])
  t.after(() => units.map(({ child }) => child.kill('SIGKILL')))
  const [first] = units
  await until(async () => (await Promise.all(units.map(isReady))).every(Boolean))

  let working = true
  let done = 0
  let closed = 0
  const failures: unknown[] = []
  const clients = Array.from({ length: 8 }, async (_, first) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let n = first; working; n++) {
      // That one leaves is known when it has ended a connection that was kept; and then to everybody, as a proxy's workers have it.
      const unit = units[n % 2 === 0 && closed === 0 ? 0 : 1] as Unit
      const answer = await ask(unit, n, agent).catch((error): Answer => ({ status: String(error), body: '' }))
      if (answer.status === (n % 3 === 0 ? 403 : 200)) done += 1
      // A machine that is busy with other tests sheds load; a proxy would ask again. Nothing else is an excuse.
      else if (!answer.body.includes('"sobrecarga"')) failures.push(`${answer.status} ${answer.body}`)
      if (answer.connection === 'close') closed += 1
    }
    agent.destroy()
  })
  const served = (n: number) => until(() => done >= n || failures.length > 0)
  await served(100)
  const exited = once(first.child, 'exit')
  first.child.kill('SIGTERM')
  // It says so itself when the time that it gives itself was not enough: then it ends with 1.
  assert.deepEqual(await exited, [0, null], first.output.join(''))
  await served(done + 50)
  working = false
  await Promise.all(clients)

  assert.deepEqual(failures, [])
  assert.ok(closed > 0)
  await assert.rejects(send(`${first.url}/api/live`, probe), /ECONNREFUSED/)
})

test('metrics are on the private port alone, by route pattern', async (t) => {
  const unit = await startUnit()
  t.after(() => unit.child.kill('SIGKILL'))
  await until(() => isReady(unit))
  await until(async () => (await send(`${unit.url}/api/auth/me`, probe)).status === 200)
  const { body } = await send(unit.metricsUrl, probe)
  assert.match(body, /http_request_duration_seconds_count\{route="\/api\/auth\/me",method="GET",status="200"\} [1-9]/)
  assert.match(body, /nodejs_eventloop_lag_p99_seconds/)
  assert.match(body, /tenant_pools\{what="connections"\} 0/)
  assert.equal((await send(`${unit.url}/metrics`, probe)).status, 404)
})

test('a configuration that is wrong ends with 78 and names the variable, never its value', async () => {
  const unit = await startUnit({ HORUX_ENV: 'production', JWT_KEYS: 'k1:Y2FuYXJpbw==' })
  assert.deepEqual(await once(unit.child, 'exit'), [78, null])
  assert.match(unit.output.join(''), /JWT_KEYS/)
  assert.doesNotMatch(unit.output.join(''), /Y2FuYXJpbw/)
})
