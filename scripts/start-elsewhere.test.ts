import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openAs } from '../src/db/client.ts'
import { startCluster } from '../test/support/cluster.ts'
import { until } from '../test/support/until.ts'
import { stopLeftoversOf } from './supervisor/instance.ts'
import { anyFreePort } from './supervisor/ports.ts'

const home = mkdtempSync(path.join(tmpdir(), 'horux-elsewhere-'))
chmodSync(home, 0o755)
after(async () => {
  await stopLeftoversOf(path.join(home, 'run.json'))
  rmSync(home, { recursive: true, force: true })
})

test('with DATABASE_URL everything lives on that server, which is neither started nor stopped by us', async (t) => {
  const server = await startCluster()
  t.after(() => server.stop())
  const ports = [
    'API_PORT',
    'METRICS_PORT',
    'WORKER_METRICS_PORT',
    'MAILBOX_SMTP_PORT',
    'MAILBOX_HTTP_PORT',
    'MERCADOPAGO_SIM_PORT',
    'SAT_SIM_PORT',
  ]
  const chosen = await Promise.all(ports.map(async (name) => [name, String(await anyFreePort())] as const))
  const env = {
    ...process.env,
    ...Object.fromEntries(chosen),
    ...{ HORUX_HOME: home, DATABASE_URL: server.adminUrl, HORUX_ENV: '', SMTP_URL: '', CENTRAL_DATABASE_URL: '' },
    ...{ MERCADOPAGO_URL: '', SAT_ESTADO_URL: '', TEST_CLOCK: '' },
  }
  const args = [path.join(import.meta.dirname, 'start.ts'), '--no-demo']
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  const exit = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk
    })
  await until(() => said.includes('está listo') || child.exitCode !== null, 200_000)
  assert.match(said, /está listo/)
  assert.ok(said.includes(`se usa el servidor de DATABASE_URL (${new URL(server.adminUrl).host})`))
  const [, api = ''] = /│ API +(http:\S+)\/api/.exec(said) ?? []
  assert.equal((await fetch(`${api}/api/ready`)).status, 200)

  child.kill('SIGINT')
  assert.deepEqual(await exit, [0, null])
  assert.equal(existsSync(path.join(home, 'pg')), false)
  // Its administrator's password is his: what the processes get is the address as our own role.
  assert.ok(!readFileSync(path.join(home, 'dev.env'), 'utf8').includes(new URL(server.adminUrl).password))

  const admin = await openAs(server.adminUrl)
  t.after(() => admin.end())
  const [found] = await admin.query(`select from pg_database where datname = 'horux_central'`)
  assert.ok(found)
})
