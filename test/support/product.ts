import { randomBytes, randomInt } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Response } from 'light-my-request'
import { buildApp } from '../../src/app.ts'
import { ensureStaff } from '../../src/auth/ensure-staff.ts'
import { setMercadoPagoUrl } from '../../src/billing/mercadopago/base-url.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import type { TenantDb } from '../../src/db/databases.ts'
import { createDeps, type Deps } from '../../src/deps.ts'
import { hasCheckDigit } from '../../src/fiscal/rfc.ts'
import type { Rol } from '../../src/http/access.ts'
import type { App } from '../../src/http/zod.ts'
import { createLog } from '../../src/log.ts'
import { startMailbox } from '../../src/mail/mailbox/mailbox.ts'
import { createMailer } from '../../src/mail/smtp.ts'
import { ensureQueues } from '../../src/queue/queue.ts'
import { createServers } from '../../src/tenants/servers/servers.ts'
import { startWorker } from '../../workers/worker.ts'
import { type PreparedCluster, startPreparedCluster } from './prepared-cluster.ts'
import { registerServerAs } from './register-server.ts'

/**
 * The whole product for one test: the real app, a real worker, the development mailbox, on this file's own PostgreSQL.
 * Everything ends with the test. Companies are registered over the API and provisioned by the worker.
 */
export interface Product {
  app: App
  /** The dependencies of the API process. */
  deps: Deps
  staff: Client
  anonymous: Client
  mailboxUrl: string
  /** What a further process of the product needs to work on the same databases. */
  env: Readonly<Record<string, string>>
  /** As the administrator of the server of its databases. */
  adminUrl: string
  /** As the owner of the central database. */
  centralOwnerUrl: string
  /** Lines of the log of API and worker. */
  log: string[]
  /** The worker of this process, which a test may do without for a while. */
  worker: { start(): Promise<void>; stop(): Promise<void> }
  createTenant(options?: NewTenant): Promise<Tenant>
  /** Mails to an address, newest first, once there is one. */
  mailTo(email: string): Promise<Mail>
  login(email: string, password: string): Promise<Client>
  close(): Promise<void>
}

export interface NewTenant {
  rfc?: string
  plan?: string
  /** Without a trial when false. */
  prueba?: boolean
}

export interface Tenant extends Client {
  id: string
  rfc: string
  admin: { email: string; password: string }
  /** A further member, logged in. */
  member(rol: Rol): Promise<Client>
  db<T>(work: (db: TenantDb) => Promise<T>): Promise<T>
}

/** Somebody who sends requests. */
export interface Client {
  token: string | undefined
  send(method: Method, url: string, options?: SendOptions): Promise<Response>
  get(url: string): Promise<Response>
  /** An object goes as JSON, bytes or text as XML. */
  post(url: string, body?: object | string | Buffer): Promise<Response>
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface SendOptions {
  body?: object | string | Buffer
  headers?: Record<string, string>
}

export interface Mail {
  id: string
  asunto: string
  text: string
}

export interface ProductOptions {
  clock?: Clock
  env?: Record<string, string>
  /** Without it nothing is provisioned and no mail goes out. */
  worker?: boolean
  logLevel?: 'debug' | 'trace'
  /** With TEST_CLOCK: the time at which everything begins, the log-in of staff too. */
  startsAt?: Date
}

export const PASSWORD = 'siete hormigas en la ventana'

export async function startProduct(
  t: { after(end: () => Promise<void>): void },
  { clock = systemClock, env = {}, worker = true, logLevel = 'debug', startsAt }: ProductOptions = {},
): Promise<Product> {
  await using stack = new AsyncDisposableStack()
  shared ??= startPreparedCluster({ maxConnections: 200 })
  const cluster = await shared
  const central = await cluster.createCentral()
  await ensureQueues(central.url)
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-product-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(path.join(folder, 'local-owner'), `${cluster.ownerCredential}\n`, { mode: 0o600 })
  const mailbox = await startMailbox({ smtpPort: 0, httpPort: 0, folder: path.join(folder, 'mail') })
  stack.defer(() => mailbox.close())

  const log: string[] = []
  const logTo = (service: string) =>
    createLog({ level: logLevel, service, destination: { write: (line: string) => void log.push(line) } })
  const environment = {
    HORUX_ENV: 'test',
    CENTRAL_DATABASE_URL: central.url,
    CREDENTIALS_DIRECTORY: folder,
    FILES_PATH: path.join(folder, 'files'),
    HORUX_TENANT_KEY: `t1:${randomBytes(32).toString('base64')}`,
    JWT_KEYS: `j1:${randomBytes(32).toString('base64')}`,
    BILLING_ENCRYPTION_KEY: `b1:${randomBytes(32).toString('base64')}`,
    FIEL_ENCRYPTION_KEY: `f1:${randomBytes(32).toString('base64')}`,
    FIEL_STORAGE_PATH: path.join(folder, 'fiel'),
    FIEL_RUNTIME_PATH: path.join(folder, 'fiel-abierta'),
    SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
    RATE_LIMIT_PER_MINUTE: '0',
    // Nobody: a test that wants the SAT starts its simulator.
    SAT_ESTADO_URL: 'http://127.0.0.1:9/ConsultaCFDIService.svc',
    SAT_DESCARGA_URL: 'http://127.0.0.1:9',
    TENANT_DB_BUDGET: '60',
    WORKER_TENANT_DB_BUDGET: '15',
    ...env,
  }
  // One MercadoPago per process: all products of a test file have the same simulator, or none.
  if (env['MERCADOPAGO_URL']) setMercadoPagoUrl(env['MERCADOPAGO_URL'])
  const deps = createDeps(loadConfig(environment, 'api'), { log: logTo('api'), clock })
  stack.defer(() => deps.close())
  const { host, port } = cluster
  const server = { name: 'local', host, port, tls: 'off' as const, ownerCredential: 'local-owner' }
  await registerServerAs(central.ownerUrl, server)
  // What an answer says is asked here, not how long a machine that is busy with other tests takes for it.
  const patience = { maxLoopDelayMs: 0, handlerTimeoutMs: 120_000, uploadPatienceMs: 180_000 }
  const app = await buildApp(deps, patience)
  stack.defer(() => app.close())
  const stage = workerOf(() => createDeps(loadConfig(environment, 'worker'), { log: logTo('worker'), clock }))
  stack.defer(() => stage.stop())
  if (startsAt) await beginAt(app, startsAt)
  if (worker) await stage.start()

  const staffEmail = `operador.${randomBytes(3).toString('hex')}@horux.example`
  await ensureStaff(
    deps.central,
    { email: staffEmail, nombre: 'Operación', password: PASSWORD, temporaryUntil: null },
    clock.now(),
  )
  const ending = stack.move()
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= ending.disposeAsync()
    return closing
  }
  t.after(close)

  const mailboxUrl = `http://127.0.0.1:${mailbox.httpPort}`
  const login = async (email: string, password: string) => client(app, await logIn(app, email, password))
  const mailTo = (email: string) => newestMail(mailboxUrl, email)
  const anonymous = client(app, undefined)
  const staff = await login(staffEmail, PASSWORD)
  const createTenant = async ({ rfc = randomRfc(), plan = 'enterprise', prueba = true }: NewTenant = {}) => {
    const email = `admin.${randomBytes(4).toString('hex')}@empresa.example`
    const body = { rfc, nombre: `Empresa ${rfc}`, plan, prueba, admin: { email, nombre: 'Administración' } }
    const answer = await staff.post('/api/tenants', body)
    const { id } = answer.json() as { id: string }
    if (answer.statusCode === 202) await provisioned(staff, id)
    else if (answer.statusCode !== 201)
      throw new Error(`POST /api/tenants answered ${answer.statusCode} ${answer.body}`)
    const admin = await firstLogin(app, mailTo, email)
    const member = async (rol: Rol) => {
      const invited = `${rol}.${randomBytes(4).toString('hex')}@empresa.example`
      const sent = await admin.post('/api/usuarios/invite', { email: invited, nombre: `Persona ${rol}`, rol })
      if (sent.statusCode >= 300) throw new Error(`invite answered ${sent.statusCode} ${sent.body}`)
      return firstLogin(app, mailTo, invited)
    }
    const db = <T>(work: (db: TenantDb) => Promise<T>) => deps.tenants.use(id, work)
    return { ...admin, id, rfc, admin: { email, password: PASSWORD }, member, db }
  }
  return {
    app,
    deps,
    staff,
    anonymous,
    mailboxUrl,
    env: environment,
    adminUrl: cluster.adminUrl,
    centralOwnerUrl: central.ownerUrl,
    log,
    worker: stage,
    createTenant,
    mailTo,
    login,
    close,
  }
}

async function beginAt(app: App, instant: Date): Promise<void> {
  const payload = { ahora: instant.toISOString() }
  const answer = await app.inject({ method: 'PUT', url: '/__test/clock', payload })
  if (answer.statusCode >= 300) throw new Error(`the clock was not moved: ${answer.statusCode} ${answer.body}`)
}

/** One worker at a time, each with dependencies of its own, as a process has them. */
function workerOf(open: () => Deps): Product['worker'] {
  let stop: (() => Promise<void>) | undefined
  return {
    async start() {
      if (stop) return
      const own = open()
      const servers = createServers({ ...own, config: own.config })
      const starting = startWorker({ ...own, mailer: createMailer(own.config.mail), servers }, { cron: false })
      stop = async () => {
        try {
          await (await starting).stop({ patienceMs: 0, graceMs: 5_000 })
        } finally {
          await own.close()
        }
      }
      try {
        await starting
      } catch (error) {
        stop = undefined
        await own.close()
        throw error
      }
    },
    async stop() {
      const ending = stop
      stop = undefined
      await ending?.()
    },
  }
}

let shared: Promise<PreparedCluster> | undefined

/** A well-formed RFC of a company (or of a person) that nobody else in this run has. */
export function randomRfc(letters = 3): string {
  const pick = (from: string, n: number) => Array.from({ length: n }, () => from[randomInt(from.length)]).join('')
  const two = (n: number) => String(n).padStart(2, '0')
  const date = `${two(randomInt(100))}${two(randomInt(1, 13))}${two(randomInt(1, 29))}`
  const key = `${pick('ABCDEFGHJKLMNPRSTUVWYZ', letters)}${date}${pick('ABCDEFGHJKLMN0123456789', 2)}`
  // With its check digit: a wrong one is warned of in every CFDI, and one RFC of eleven would have it by chance.
  return [...'0123456789A'].map((digit) => key + digit).find(hasCheckDigit) as string
}

export function client(app: App, token: string | undefined): Client {
  const send = (method: Method, url: string, { body, headers = {} }: SendOptions = {}) => {
    const type =
      body === undefined
        ? {}
        : { 'content-type': typeof body === 'string' || Buffer.isBuffer(body) ? 'application/xml' : 'application/json' }
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const payload =
      body === undefined
        ? {}
        : { payload: typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body }
    return app.inject({ method, url, headers: { ...type, ...authorization, ...headers }, ...payload })
  }
  return {
    token,
    send,
    get: (url) => send('GET', url),
    post: (url, body) => send('POST', url, body === undefined ? {} : { body }),
  }
}

async function logIn(app: App, email: string, password: string): Promise<string> {
  const payload = { email, password, transporte: 'cuerpo' }
  const answer = await app.inject({ method: 'POST', url: '/api/auth/login', payload })
  if (answer.statusCode !== 200) throw new Error(`login answered ${answer.statusCode} ${answer.body}`)
  return answer.json().accessToken
}

/** With the temporary password of the mail, then the forced change. */
async function firstLogin(app: App, mailTo: (email: string) => Promise<Mail>, email: string): Promise<Client> {
  const mail = await mailTo(email)
  const [, temporal = ''] = /contraseña temporal:\s*(\S+)/i.exec(mail.text) ?? []
  const limited = client(app, await logIn(app, email, temporal))
  const changed = await limited.post('/api/auth/password', { passwordActual: temporal, passwordNueva: PASSWORD })
  if (changed.statusCode >= 300) throw new Error(`password change answered ${changed.statusCode} ${changed.body}`)
  return client(app, await logIn(app, email, PASSWORD))
}

async function provisioned(staff: Client, id: string): Promise<void> {
  await until(`the provisioning of ${id}`, async () => {
    const { estado } = (await staff.get(`/api/tenants/${id}/aprovisionamiento`)).json()
    if (estado === 'fallida' || estado === 'deshecha') throw new Error('provisioning failed')
    return estado === 'terminada' ? true : undefined
  })
}

async function newestMail(mailboxUrl: string, email: string): Promise<Mail> {
  const list = await fetch(`${mailboxUrl}/api/correos?para=${encodeURIComponent(email)}&esperar=60`)
  const { datos } = (await list.json()) as { datos: { id: string }[] }
  if (!datos[0]) throw new Error(`no mail to ${email} in 60 s`)
  const mail = await fetch(`${mailboxUrl}/api/correos/${datos[0].id}`)
  return (await mail.json()) as Mail
}

/** Asks until there is an answer. @throws after `withinMs` */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
}
