import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pino from 'pino'
import type { Clock } from '../../src/clock.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { type OwnerConnection, openAs, openCentral } from '../../src/db/client.ts'
import type { CentralDb } from '../../src/db/databases.ts'
import { createDeps } from '../../src/deps.ts'
import { createMailer } from '../../src/mail/smtp.ts'
import { ensureQueues, openQueue, type Queue } from '../../src/queue/queue.ts'
import { type Outcome, type RunOptions, runOperation } from '../../src/tenants/operations/run-operation.ts'
import type { OperationDeps } from '../../src/tenants/operations/saga.ts'
import { type Registration, registerTenant } from '../../src/tenants/register.ts'
import { createServers } from '../../src/tenants/servers/servers.ts'
import { startWorker, type Worker, type WorkerOptions } from '../../workers/worker.ts'
import { type PreparedCluster, startPreparedCluster } from './prepared-cluster.ts'

/** Everything that operations on tenants need, on a server of their own: no API, no worker. */
export interface Tenancy {
  cluster: PreparedCluster
  config: Config
  /** The environment of a child process that works on the same databases. */
  env: Record<string, string>
  central: CentralDb
  queue: Queue
  clock: MovableClock
  deps: OperationDeps
  /** Superuser, in database `postgres`. */
  admin: OwnerConnection
  /** horux_owner, in the central database. */
  owner: OwnerConnection
  /** Alarms that were raised since the last look. */
  alarms(): string[]
  /** A worker in this process, with everything a worker has. Looks for dead ones every second. */
  worker(options?: WorkerOptions): Promise<Worker>
  register(
    request?: Partial<Registration>,
  ): Promise<{ tenantId: string; operationId: string; rfc: string; email: string }>
  run(operationId: string, options?: RunOptions): Promise<Outcome>
  /** Registered and provisioned. */
  company(
    request?: Partial<Registration>,
  ): Promise<{ tenantId: string; rfc: string; email: string; database: string; role: string }>
  stop(): Promise<void>
}

export interface MovableClock extends Clock {
  move(ms: number): void
}

export const nobody = { actor: null, ip: null, requestId: null }

export async function startTenancy(options: Parameters<typeof startPreparedCluster>[0] = {}): Promise<Tenancy> {
  const cluster = await startPreparedCluster(options)
  const credentials = mkdtempSync(path.join(tmpdir(), 'horux-credentials-'))
  writeFileSync(path.join(credentials, 'local-owner'), `${cluster.ownerCredential}\n`, { mode: 0o600 })
  const database = await cluster.createCentral()
  await ensureQueues(database.url)
  const env = {
    HORUX_ENV: 'test',
    LOG_LEVEL: 'silent',
    CENTRAL_DATABASE_URL: database.url,
    CREDENTIALS_DIRECTORY: credentials,
    HORUX_TENANT_KEY: `test:${randomBytes(32).toString('base64')}`,
    JWT_KEYS: `test:${randomBytes(32).toString('base64')}`,
    BILLING_ENCRYPTION_KEY: `test:${randomBytes(32).toString('base64')}`,
    FIEL_ENCRYPTION_KEY: `test:${randomBytes(32).toString('base64')}`,
    SMTP_URL: 'smtp://127.0.0.1:1',
    WORKER_METRICS_PORT: '0',
  }
  const config = loadConfig(env, 'worker')
  const central = openCentral(config)
  const clock = movableClock()
  const queue = openQueue(central, pino({ level: 'silent' }))
  const raised: string[] = []
  const log = alarmLog(raised)
  const deps = { central, queue, clock, log, servers: createServers({ config, central }) }
  const admin = await openAs(cluster.adminUrl)
  const owner = await openAs(database.ownerUrl)
  await owner.query(
    `insert into database_servers (name, host, port, tls, owner_credential) values ('local', $1, $2, 'off', 'local-owner')`,
    [cluster.host, cluster.port],
  )
  const tenancy: Tenancy = {
    cluster,
    config,
    env,
    central,
    queue,
    clock,
    deps,
    admin,
    owner,
    alarms: () => raised.splice(0),
    async worker(options) {
      const own = createDeps(config, { log: pino({ level: 'silent' }), clock })
      const all = { ...own, mailer: createMailer(config.mail), servers: deps.servers }
      const worker = await startWorker(all, { cron: false, superviseSeconds: 1, ...options })
      return {
        async stop(how) {
          await worker.stop(how)
          await own.close()
        },
      }
    },
    async register(request = {}) {
      const rfc = request.rfc ?? someRfc()
      const email = request.admin?.email ?? `admin.${rfc.toLowerCase().replace(/[^a-z0-9]/g, '-')}@ejemplo.mx`
      const usual = {
        rfc,
        nombre: `Empresa ${rfc}`,
        admin: { email, nombre: 'Ana Pérez' },
        plan: 'starter',
        regimen: null,
      }
      return { ...(await registerTenant(deps, { ...usual, ...request }, nobody)), rfc, email }
    },
    run: (operationId, options) => runOperation(deps, operationId, options),
    async company(request) {
      const { tenantId, operationId, rfc, email } = await tenancy.register(request)
      const outcome = await tenancy.run(operationId)
      if (outcome !== 'succeeded') throw new Error(`provisioning ended ${outcome}`)
      const [row] = await owner.query<{ database: string; role: string }>(
        'select database_name as database, role_name as role from tenant_databases where tenant_id = $1',
        [tenantId],
      )
      return { tenantId, rfc, email, ...(row as { database: string; role: string }) }
    },
    async stop() {
      await queue.stop()
      await central.destroy()
      await admin.end()
      await owner.end()
      rmSync(credentials, { recursive: true, force: true })
      await cluster.stop()
    },
  }
  return tenancy
}

/** Well-formed, never twice in one process; with `special` it has the letters that need care. */
export function someRfc(special = false): string {
  made += 1
  const letters = String.fromCharCode(65 + (made % 26), 65 + (Math.floor(made / 26) % 26))
  return `${special ? 'Ñ&' : 'EM'}${letters}850101AB1`
}
let made = 0

function movableClock(): MovableClock {
  let offset = 0
  return {
    now: () => new Date(Date.now() + offset),
    move: (ms) => {
      offset += ms
    },
  }
}

function alarmLog(raised: string[]): OperationDeps['log'] {
  const note = (fields: object) => {
    if (process.env.HORUX_TEST_LOG) console.log(fields)
    if ('alarm' in fields) raised.push(String(fields.alarm))
  }
  return { info: note, warn: note, error: note }
}
