import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import { WORKER_PROCESS } from '../../src/queue/worker-process.ts'
import { demo, demoStaff, seed } from '../seed.ts'
import { box } from './box.ts'
import { type Child, type ChildSpec, keepRunning } from './children.ts'
import {
  type Addresses,
  developmentEnvironment,
  developmentSecrets,
  keepEnvironment,
  type Secrets,
  simulatorSecrets,
} from './development.ts'
import { HOME, LOG_DIR } from './environment.ts'
import type { Instance } from './instance.ts'
import { freePort } from './ports.ts'
import { type DevelopmentServer, developmentServer, givenServer } from './postgres.ts'
import { prepareDatabases } from './prepare-databases.ts'

export interface Product {
  /** Resolves when it cannot start, or something that was started cannot be kept alive. */
  failed: Promise<Error>
  /** Resolves when nothing more will be put on the stack. */
  settled: Promise<void>
  /** Stop starting. */
  interrupt(): void
  /** Everybody at once, without a word. */
  kill(): void
}

export interface ProductOptions {
  instance: Instance
  /** Processes restart when their code changes, and all their log lines are shown. */
  watch: boolean
  /** The demonstration company; without it only the staff login is there. */
  demo: boolean
  say: (name: string, line: string) => void
}

/** Starts everything in order. What was started goes on `stack`, whose end stops it in the reverse order. */
export function startProduct(options: ProductOptions, stack: AsyncDisposableStack): Product {
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>()
  const interruption = new AbortController()
  const kills: (() => void)[] = []
  const run: Run = {
    ...options,
    signal: interruption.signal,
    fail,
    keep: (stop, kill) => {
      stack.defer(stop)
      kills.push(kill)
    },
  }
  const settled = start(run).catch((error: Error) => {
    if (!interruption.signal.aborted) fail(error)
  })
  return { failed, settled, interrupt: () => interruption.abort(), kill: () => kills.forEach((kill) => void kill()) }
}

interface Run extends ProductOptions {
  signal: AbortSignal
  fail: (error: Error) => void
  keep: (stop: () => Promise<void>, kill: () => void) => void
}

async function start(run: Run): Promise<void> {
  const began = performance.now()
  const secrets = developmentSecrets()
  const server = await startServer(run, secrets.superuser)
  const addresses = await chooseAddresses(run, server.adminUrl)
  const environment = developmentEnvironment(secrets, addresses)
  keepEnvironment(secrets, environment)
  const prepare = { adminUrl: server.adminUrl, environment, signal: run.signal }
  await prepareDatabases({ ...prepare, say: (line) => run.say('base', line) })
  run.signal.throwIfAborted()

  const started = processes(addresses, environment, secrets, run.watch).map((spec) => startChild(run, spec))
  await Promise.all(started.map((child) => child.ready(60_000, run.signal)))
  run.signal.throwIfAborted()
  if (run.demo) await seedDemo(run, addresses, secrets)
  showBox(addresses, performance.now() - began)
}

async function startServer(run: Run, password: string): Promise<DevelopmentServer> {
  const given = process.env['DATABASE_URL']
  if (given) return givenServer(given, (line) => run.say('postgres', line))
  const server = await developmentServer(password, { say: (line) => run.say('postgres', line), onLost: run.fail })
  run.keep(server.stop, server.kill)
  run.signal.throwIfAborted()
  return server
}

/** The usual ports, or the next free ones. */
async function chooseAddresses({ say }: Run, adminUrl: string): Promise<Addresses> {
  const taken = new Set<number>()
  const choose = async (what: string, variable: string, usual: number) => {
    const wanted = Number(process.env[variable] || usual)
    const port = await freePort(wanted, taken)
    taken.add(port)
    if (port !== wanted) say('inicio', `el puerto ${wanted} está ocupado; ${what} usa ${port}`)
    return port
  }
  return {
    adminUrl,
    apiPort: await choose('la API', 'API_PORT', 3000),
    metricsPort: await choose('la API (métricas)', 'METRICS_PORT', 9464),
    workerMetricsPort: await choose('el worker (métricas)', 'WORKER_METRICS_PORT', 9465),
    mailbox: process.env['SMTP_URL']
      ? undefined
      : {
          smtpPort: await choose('el buzón (SMTP)', 'MAILBOX_SMTP_PORT', 3525),
          httpPort: await choose('el buzón', 'MAILBOX_HTTP_PORT', 8025),
        },
    mercadoPagoPort: process.env['MERCADOPAGO_URL']
      ? undefined
      : await choose('el simulador de MercadoPago', 'MERCADOPAGO_SIM_PORT', 8035),
    satPort: process.env['SAT_ESTADO_URL'] ? undefined : await choose('el simulador del SAT', 'SAT_SIM_PORT', 8045),
  }
}

/** In the order of starting: whoever is stopped first stands last. */
function processes(addresses: Addresses, env: Record<string, string>, secrets: Secrets, watch: boolean): ChildSpec[] {
  const { apiPort, workerMetricsPort, mailbox, mercadoPagoPort, satPort } = addresses
  const at = (port: number, path: string) => `http://127.0.0.1:${port}${path}`
  const mail = mailbox && { name: 'correo', script: 'src/mail/mailbox/main.ts', readyUrl: at(mailbox.httpPort, '/') }
  const simulator = mercadoPagoPort && {
    name: 'mercadopago',
    script: 'src/simulators/mercadopago/main.ts',
    readyUrl: at(mercadoPagoPort, '/'),
    env: { ...env, ...simulatorSecrets(secrets) },
  }
  const sat = satPort && { name: 'sat', script: 'src/simulators/sat/main.ts', readyUrl: at(satPort, '/') }
  const specs = [
    ...(mail ? [mail] : []),
    ...(simulator ? [simulator] : []),
    ...(sat ? [sat] : []),
    {
      name: 'worker',
      script: 'workers/main.ts',
      readyUrl: at(workerMetricsPort, '/metrics'),
      nodeFlags: WORKER_PROCESS.nodeFlags,
      env: { ...env, ...WORKER_PROCESS.env },
    },
    { name: 'api', script: 'src/server.ts', readyUrl: at(apiPort, '/api/ready') },
  ]
  return specs.map((spec) => ({ env, watch, ...spec }))
}

function startChild(run: Run, spec: ChildSpec): Child {
  const child = keepRunning(spec, { instance: run.instance, logDir: LOG_DIR, say: run.say, verbose: run.watch })
  // The API drains for at most 30 s.
  run.keep(() => child.stop(35_000), child.kill)
  return child
}

/** What runs is of use without it, so a seed that fails is told and the next start tries again. It may be repeated. */
async function seedDemo({ say, signal }: Run, addresses: Addresses, { mercadoPago }: Secrets): Promise<void> {
  const { apiPort, mailbox, mercadoPagoPort, satPort } = addresses
  if (!mailbox) return say('demo', 'con SMTP_URL propio no se siembra la empresa: su contraseña llega por correo')
  const options = {
    apiUrl: `http://127.0.0.1:${apiPort}`,
    mailboxUrl: `http://127.0.0.1:${mailbox.httpPort}`,
    staff: demoStaff,
    mercadoPago: mercadoPagoPort === undefined ? undefined : mercadoPago,
    satUrl: satPort === undefined ? undefined : `http://127.0.0.1:${satPort}`,
    say: (line: string) => say('demo', line),
  }
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await seed(options)
    } catch (error) {
      // A process that has just started on a busy machine sheds load (503): that passes.
      if (attempt === 4) return say('demo', styleText('red', String(error)))
      await sleep(attempt * 1_000, undefined, { signal }).catch(() => undefined)
    }
  }
}

function showBox({ apiPort, metricsPort, mailbox, mercadoPagoPort, satPort }: Addresses, tookMs: number): void {
  const url = `http://localhost:${apiPort}`
  const mail: [string, string][] = mailbox ? [['Correo', `http://localhost:${mailbox.httpPort}`]] : []
  const simulator: [string, string][] = mercadoPagoPort
    ? [['MercadoPago (simulador)', `http://localhost:${mercadoPagoPort}`]]
    : []
  const sat: [string, string][] = satPort ? [['SAT (simulador)', `http://localhost:${satPort}`]] : []
  const urls: [string, string][] = [
    ['API', `${url}/api`],
    ['Documentación', `${url}/api/docs`],
    ...mail,
    ...simulator,
    ...sat,
    ['Métricas', `http://localhost:${metricsPort}/metrics`],
  ]
  const logins: [string, string][] = [
    ['Operador', `${demoStaff.email}  ${demoStaff.password}`],
    [`Empresa ${demo.rfc}`, `${demo.email}  ${demo.password}`],
  ]
  const arriving: [string, string][] = satPort
    ? [['Sus CFDI llegan', `GET ${url}/api/sat/sync dice cuántos; docs/demostracion-sat.md`]]
    : []
  const hints: [string, string][] = [
    ['Qué probar', 'las líneas de curl del README'],
    ...arriving,
    ['Bitácoras', LOG_DIR.replace(`${process.cwd()}/`, '')],
    ['Detener', `Ctrl-C; make reset además borra ${HOME.replace(`${process.cwd()}/`, '')}`],
  ]
  console.log(box(`Horux360 está listo (${(tookMs / 1000).toFixed(1)} s)`, [urls, logins, hints]))
}
