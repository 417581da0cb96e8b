import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Config } from '../../src/config.ts'
import { DATA_DIR, DEV_ENV, HOME, ROOT } from '../supervisor/environment.ts'
import { isFree } from '../supervisor/ports.ts'
import { type Finding, ok, problem } from './finding.ts'

export function nodeVersion(version = process.versions.node): Finding {
  const enough = Number.parseInt(version, 10) >= 24
  if (enough) return ok('Node', version)
  return problem('Node', 'failed', `${version}, se necesita 24`, 'usa node_modules/.bin/node o make')
}

export function dependencies(root = ROOT): Finding {
  const stamp = path.join(root, 'node_modules', '.installed')
  const wanted = ['package.json', 'package-lock.json'].map((file) => statSync(path.join(root, file)).mtimeMs)
  const current = existsSync(stamp) && statSync(stamp).mtimeMs >= Math.max(...wanted)
  if (current) return ok('Dependencias', 'al día')
  return problem('Dependencias', 'warning', 'no se instalaron con make después del último cambio', 'make check')
}

/** Who may read what is secret: development's file, and the credentials of the database servers' owners. */
export function secretFiles(config: Config | undefined, home = HOME): Finding {
  const credentials = config?.credentialsDir
  const files = [
    ...(existsSync(DEV_ENV) ? [DEV_ENV] : []),
    ...(credentials && existsSync(credentials)
      ? readdirSync(credentials).map((name) => path.join(credentials, name))
      : []),
  ]
  const open = files.filter((file) => (statSync(file).mode & 0o077) !== 0)
  if (open.length > 0) {
    return problem('Secretos', 'failed', `otros pueden leer ${open.join(', ')}`, `chmod 600 ${open.join(' ')}`)
  }
  if (files.length === 0) {
    const remedy = existsSync(home) ? 'revisa CREDENTIALS_DIRECTORY' : 'make start los crea en desarrollo'
    return problem('Secretos', 'warning', `no hay credenciales en ${credentials ?? home}`, remedy)
  }
  return ok('Secretos', `${files.length} archivos, sólo para su dueño`)
}

/** Undefined where the server is not ours. */
export function dataDirectory(dataDir = DATA_DIR): Finding | undefined {
  if (!existsSync(dataDir)) return undefined
  const mode = statSync(dataDir).mode & 0o777
  if (mode === 0o700) return ok('Datos de PostgreSQL', dataDir)
  const detail = `${dataDir} tiene permisos ${mode.toString(8)} y PostgreSQL exige 700`
  return problem('Datos de PostgreSQL', 'failed', detail, `chmod 700 ${dataDir}`)
}

/** Free, or ours: whatever else sits there keeps the API from listening. */
export async function apiPort({ apiPort: port, env }: Config): Promise<Finding> {
  const check = `Puerto ${port} (API)`
  if (await isFree(port)) {
    if (env === 'development')
      return { check, state: 'info', detail: 'libre: la API no está corriendo', remedy: 'make start' }
    return problem(check, 'warning', 'libre: la API no está corriendo', 'systemctl start horux.target')
  }
  const live = await fetch(`http://127.0.0.1:${port}/api/live`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => undefined,
  )
  if (live?.ok) return ok(check, 'contesta la API')
  return problem(
    check,
    'failed',
    'lo ocupa otro programa',
    `ciérralo o pon otro en API_PORT (lsof -i :${port} dice cuál es)`,
  )
}

export function freeDisk(place = existsSync(DATA_DIR) ? DATA_DIR : ROOT, ask: typeof disk = disk): Finding {
  const { bavail, blocks, bsize } = ask(place)
  const percent = Math.floor((100 * bavail) / blocks)
  const detail = `${percent} % libre (${((bavail * bsize) / 1e9).toFixed(1)} GB) en ${place}`
  if (percent > 20) return ok('Disco', detail)
  // A full disk stops PostgreSQL in the middle of a write, and then not even a DROP gets through.
  return problem(
    'Disco',
    percent > 10 ? 'warning' : 'failed',
    detail,
    'libera espacio antes de que PostgreSQL se detenga',
  )
}

const disk = (place: string): { bavail: number; blocks: number; bsize: number } => statfsSync(place)

export async function smtp({ mail, env }: Config): Promise<Finding> {
  const { hostname, port, protocol } = new URL(mail.smtpUrl)
  const where = `${hostname}:${port || (protocol === 'smtps:' ? 465 : 587)}`
  const answered = await greets(hostname, Number(where.split(':').at(-1)), protocol === 'smtp:')
  if (answered) return ok('Correo (SMTP)', where)
  const remedy =
    env === 'development' ? 'make start levanta el buzón de desarrollo' : 'revisa SMTP_URL y el cortafuegos'
  return problem('Correo (SMTP)', env === 'development' ? 'warning' : 'failed', `${where} no contesta`, remedy)
}

/** Whether anybody speaks HTTP there; no token is shown to it, so that what it answers says nothing. */
export async function mercadoPago({ mercadoPagoUrl, env }: Config): Promise<Finding> {
  const check = 'MercadoPago'
  const answer = await fetch(`${mercadoPagoUrl}/`, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined)
  await answer?.body?.cancel()
  if (answer) return ok(check, mercadoPagoUrl)
  const isOurs = env === 'development'
  const remedy = isOurs
    ? 'make start levanta el simulador; o revisa MERCADOPAGO_URL'
    : 'revisa la salida a internet del servidor: sin ella no se cobra'
  return problem(check, isOurs ? 'warning' : 'failed', `${mercadoPagoUrl} no contesta`, remedy)
}

/** The SAT is out of order now and then, which is nothing that is wrong here: what is not asked now is asked later. */
export async function sat({ satEstadoUrl, env }: Config): Promise<Finding> {
  const check = 'SAT (estado de CFDI)'
  const answer = await fetch(satEstadoUrl, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined)
  await answer?.body?.cancel()
  if (answer) return ok(check, satEstadoUrl)
  const remedy =
    env === 'development'
      ? 'make start levanta el simulador; o revisa SAT_ESTADO_URL'
      : 'si no se recupera, revisa la salida a internet del servidor'
  return problem(check, 'warning', `${satEstadoUrl} no contesta`, remedy)
}

/** Only told: the portable archive needs no client program. */
export async function pgDump(serverMajor: number | undefined): Promise<Finding> {
  const check = 'pg_dump'
  try {
    const { stdout } = await promisify(execFile)('pg_dump', ['--version'])
    const major = Number(/\s(\d+)\./.exec(stdout)?.[1])
    if (serverMajor === undefined || major >= serverMajor) return ok(check, stdout.trim())
    const detail = `versión ${major}, menor que la del servidor (${serverMajor}): no puede respaldarlo`
    return { check, state: 'info', detail, remedy: `instala postgresql-client-${serverMajor} si lo necesitas` }
  } catch {
    return { check, state: 'info', detail: 'no está instalado', remedy: 'instala postgresql-client si lo necesitas' }
  }
}

/** With TLS from the start the greeting comes after the handshake: there being somebody is all we ask. */
function greets(host: string, port: number, plain: boolean): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port, timeout: 3_000 })
  if (!plain) socket.once('connect', () => resolve(true))
  socket.once('data', (data) => resolve(data.toString().startsWith('220')))
  for (const end of ['error', 'timeout', 'close']) socket.once(end, () => resolve(false))
  return promise.finally(() => socket.destroy())
}
