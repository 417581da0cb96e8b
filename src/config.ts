import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import path from 'node:path'
import { z } from 'zod'

/**
 * The environment as one schema. Only entry points call `loadConfig`; everybody else is given values.
 *
 * Production refuses what would be a hole: a missing, default, short or low-entropy secret, mail to nowhere. The
 * message names the variable and never its value, because it ends up in a journal.
 */
export function loadConfig(env: NodeJS.ProcessEnv, processRole: ProcessRole): Config {
  const parsed = Environment.safeParse(dropEmpty(env))
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`))
  const e = parsed.data
  const problems: string[] = []
  const ring = (variable: RingVariable) => readRing(variable, e[variable], problems)
  const config: Config = {
    env: e.HORUX_ENV,
    version,
    processRole,
    apiHost: e.API_HOST,
    apiPort: e.API_PORT,
    metricsPort: processRole === 'worker' ? e.WORKER_METRICS_PORT : e.METRICS_PORT,
    publicUrl: e.PUBLIC_URL,
    docsEnabled: e.DOCS ?? e.HORUX_ENV !== 'production',
    trustProxy: e.TRUST_PROXY ?? false,
    corsOrigins: e.CORS_ORIGINS,
    rateLimitPerMinute: e.RATE_LIMIT_PER_MINUTE,
    logLevel: e.LOG_LEVEL,
    central: { url: e.CENTRAL_DATABASE_URL, poolMax: e.CENTRAL_POOL_MAX },
    credentialsDir: e.CREDENTIALS_DIRECTORY,
    centralOwnerCredential: e.CENTRAL_OWNER_CREDENTIAL,
    tenantKeys: ring('HORUX_TENANT_KEY'),
    jwtKeys: ring('JWT_KEYS'),
    billingKeys: ring('BILLING_ENCRYPTION_KEY'),
    fielKeys: ring('FIEL_ENCRYPTION_KEY'),
    fielStoragePath: path.resolve(e.FIEL_STORAGE_PATH),
    fielRuntimePath: path.resolve(e.FIEL_RUNTIME_PATH),
    fielCaPath: e.FIEL_CA_PATH === undefined ? null : path.resolve(e.FIEL_CA_PATH),
    tenantPool: {
      max: e.TENANT_POOL_MAX,
      budget: processRole === 'worker' ? e.WORKER_TENANT_DB_BUDGET : e.TENANT_DB_BUDGET,
      idleMs: e.TENANT_POOL_IDLE_SECONDS * 1000,
    },
    statementTimeoutMs: processRole === 'api' ? 5_000 : 60_000,
    accessTokenMinutes: e.ACCESS_TOKEN_MINUTES,
    refreshTokenDays: e.REFRESH_TOKEN_DAYS,
    mail: { smtpUrl: e.SMTP_URL ?? 'smtp://127.0.0.1:3525', from: e.MAIL_FROM, platformAddress: e.PLATFORM_EMAIL },
    mercadoPagoUrl: e.MERCADOPAGO_URL,
    satEstadoUrl: e.SAT_ESTADO_URL,
    satDescargaUrl: e.SAT_DESCARGA_URL ?? null,
    satSync: { windowMinutes: e.SAT_SYNC_WINDOW_MINUTES, historyYears: e.SAT_HISTORY_YEARS },
    filesPath: path.resolve(e.FILES_PATH),
    testClock: e.TEST_CLOCK,
  }
  if (config.env === 'production') problems.push(...productionProblems(config, e))
  // Forgotten on a server, the default would open its clock and take a simulator's money.
  else if (e.NODE_ENV === 'production') problems.push('HORUX_ENV: contradicts NODE_ENV')
  if (config.tenantPool.budget < config.tenantPool.max) problems.push('TENANT_DB_BUDGET: smaller than TENANT_POOL_MAX')
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

export type ProcessRole = 'api' | 'worker' | 'cli'

export interface Config {
  env: 'development' | 'test' | 'production'
  version: string
  processRole: ProcessRole
  apiHost: string
  apiPort: number
  /** Private port of /metrics, loopback only. Each process has its own. */
  metricsPort: number
  /** Absolute base of every link in a mail, without a slash at its end. Never taken from a request. */
  publicUrl: string
  docsEnabled: boolean
  /** Address or list of addresses of our own proxy; never `true` (any client could then choose its address). */
  trustProxy: string | false
  corsOrigins: readonly string[]
  /** Requests a minute of one person, or of one network without login, over all processes. 0: no limit. */
  rateLimitPerMinute: number
  logLevel: string
  central: { url: string; poolMax: number }
  /** Folder of credential files: `<owner_credential>` holds `user:password` on one line. Only the worker and the CLI read it. */
  credentialsDir: string
  /** Which of those files belongs to the server of the central database. */
  centralOwnerCredential: string
  tenantKeys: KeyRing
  jwtKeys: KeyRing
  /** Seals tokens and secrets of payment connectors. */
  billingKeys: KeyRing
  /** Wraps the data keys that seal each e.firma. */
  fielKeys: KeyRing
  /** Absolute folder of the sealed files of each e.firma, written by the worker. */
  fielStoragePath: string
  /** Absolute folder, in memory, where `horux fiel decrypt` puts an opened e.firma for half an hour. */
  fielRuntimePath: string
  /** Absolute folder with the certificates of who may issue e.firmas; null believes their names. */
  fielCaPath: string | null
  tenantPool: { max: number; budget: number; idleMs: number }
  statementTimeoutMs: number
  accessTokenMinutes: number
  refreshTokenDays: number
  mail: { smtpUrl: string; from: string; platformAddress: string }
  /** Base of MercadoPago's API, without a slash at its end: the real one, or a simulator. */
  mercadoPagoUrl: string
  /** SAT's service that says the state of a CFDI: the real one, or a simulator. */
  satEstadoUrl: string
  /** Base of a simulator of the SAT's mass download, one folder a host; null is the SAT itself. */
  satDescargaUrl: string | null
  /** Minutes after 03:00 (Mexico City) that nightly synchronisations are spread over; years before this one that a first one goes back. */
  satSync: { windowMinutes: number; historyYears: number }
  /**
   * Absolute folder of what is too large for a request or a row: uploads until they are imported, exports until they
   * expire. API and worker see the same one.
   */
  filesPath: string
  /** Time can be moved, by anybody on this machine. Never in production. */
  testClock: boolean
}

/** Keys by id: the first signs or encrypts, all verify or decrypt. Written `kid:base64,kid:base64`. */
export interface KeyRing {
  readonly active: { readonly kid: string; readonly key: Buffer }
  readonly kids: readonly string[]
  get(kid: string): Buffer | undefined
}

/** What is wrong with the environment, one line per variable. Entry points print it and exit 78 (EX_CONFIG). */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`configuration: ${problems.join('; ')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Reads a ring. @throws ConfigError naming the variable; the value never appears. */
export function parseKeyRing(variable: string, text: string): KeyRing {
  // A Map, not an object: `kid` comes from tokens, and `__proto__` must find nothing.
  const keys = new Map<string, Buffer>()
  for (const part of text.split(',')) {
    const [, kid, base64] = /^\s*([\w-]{1,32}):([A-Za-z0-9+/=_-]+)\s*$/.exec(part) ?? []
    const key = Buffer.from(base64 ?? '', 'base64')
    if (!kid || !base64) throw new ConfigError([`${variable}: must be kid:base64,kid:base64`])
    if (key.length < 32) throw new ConfigError([`${variable}: key ${kid} is shorter than 32 bytes`])
    if (new Set(key).size < 12) throw new ConfigError([`${variable}: key ${kid} has too little entropy`])
    if (keys.has(kid)) throw new ConfigError([`${variable}: key id ${kid} appears twice`])
    keys.set(kid, key)
  }
  const kids = [...keys.keys()]
  const first = kids[0] as string
  return { active: { kid: first, key: keys.get(first) as Buffer }, kids, get: (kid) => keys.get(kid) }
}

/**
 * Whether whoever sits between us and this database could pass for it, and so be told its passwords: it is reached over
 * a network and nobody checks its certificate. The driver lets the server choose the manner of authentication, clear
 * text included, so that everything rests on knowing the server.
 */
export function isImpersonable(databaseUrl: string): boolean {
  const { hostname, searchParams } = new URL(databaseUrl)
  const host = searchParams.get('host') ?? hostname.replace(/^\[|\]$/g, '')
  const isLocal =
    host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && /^127\./.test(host))
  return !isLocal && searchParams.get('sslmode') !== 'verify-full'
}

const version: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version

const port = (fallback: number) => z.coerce.number().int().min(0).max(65535).default(fallback)
const count = (fallback: number, min = 1) => z.coerce.number().int().min(min).default(fallback)
const url = (schemes: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && schemes.includes(new URL(text).protocol) && isEncoded(new URL(text)),
      `must be a ${schemes.join(' or ')} URL, with % written as %25`,
    )

function isEncoded({ username, password, pathname }: URL): boolean {
  try {
    decodeURIComponent(username + password + pathname)
    return true
  } catch {
    return false
  }
}

/** Not a number of hops, a name or everybody: whoever may write X-Forwarded-For chooses the address that is limited. */
function isProxy(text: string): boolean {
  if (text === 'loopback') return true
  const [address = '', prefix = '', more] = text.split('/')
  const bits = { 4: 32, 6: 128 }[isIP(address)] ?? 0
  const length = text.includes('/') ? Number(/^\d{1,3}$/.exec(prefix)?.[0]) : bits
  return more === undefined && length >= 8 && length <= bits
}

/** The one there is; its sandbox is the same address with other tokens. */
const MERCADOPAGO = 'https://api.mercadopago.com'

const SAT_ESTADO = 'https://consultaqr.facturaelectronica.sat.gob.mx/ConsultaCFDIService.svc'

const Environment = z.object({
  NODE_ENV: z.string().optional(),
  HORUX_ENV: z.enum(['development', 'test', 'production']).default('development'),
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port(3000),
  METRICS_PORT: port(9464),
  WORKER_METRICS_PORT: port(9465),
  PUBLIC_URL: url(['http:', 'https:'])
    .default('http://localhost:3000')
    .transform((text) => text.replace(/\/+$/, '')),
  DOCS: z.stringbool().optional(),
  TRUST_PROXY: z
    .string()
    .refine((text) => text.split(',').every((one) => isProxy(one.trim())), 'must be the address of the proxy')
    .optional(),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((s) => s.trim())
        .filter(Boolean),
    )
    .refine((list) => list.every((o) => URL.canParse(o) && new URL(o).origin === o), 'must be exact origins'),
  RATE_LIMIT_PER_MINUTE: count(1200, 0),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  CENTRAL_DATABASE_URL: url(['postgres:', 'postgresql:']),
  CENTRAL_POOL_MAX: count(10),
  CREDENTIALS_DIRECTORY: z.string().default('.horux/credentials'),
  CENTRAL_OWNER_CREDENTIAL: z.string().default('local-owner'),
  HORUX_TENANT_KEY: z.string(),
  JWT_KEYS: z.string(),
  BILLING_ENCRYPTION_KEY: z.string(),
  FIEL_ENCRYPTION_KEY: z.string(),
  FIEL_STORAGE_PATH: z.string().min(1).default('.horux/fiel'),
  FIEL_RUNTIME_PATH: z.string().min(1).default('/run/horux-fiel'),
  FIEL_CA_PATH: z.string().min(1).optional(),
  TENANT_POOL_MAX: count(3),
  TENANT_DB_BUDGET: count(180),
  WORKER_TENANT_DB_BUDGET: count(40),
  TENANT_POOL_IDLE_SECONDS: count(300),
  ACCESS_TOKEN_MINUTES: count(15),
  REFRESH_TOKEN_DAYS: count(30),
  SMTP_URL: url(['smtp:', 'smtps:']).optional(),
  MAIL_FROM: z.string().default('Horux360 <no-responder@horux360.mx>'),
  PLATFORM_EMAIL: z.email().default('operacion@horux360.mx'),
  MERCADOPAGO_URL: url(['http:', 'https:'])
    .default(MERCADOPAGO)
    .transform((text) => text.replace(/\/+$/, '')),
  SAT_ESTADO_URL: url(['http:', 'https:']).default(SAT_ESTADO),
  SAT_DESCARGA_URL: url(['http:', 'https:'])
    .transform((text) => text.replace(/\/+$/, ''))
    .optional(),
  SAT_SYNC_WINDOW_MINUTES: count(180, 1),
  SAT_HISTORY_YEARS: z.coerce.number().int().min(0).max(6).default(1),
  FILES_PATH: z.string().min(1).default('.horux/files'),
  TEST_CLOCK: z.stringbool().default(false),
})

function dropEmpty(env: NodeJS.ProcessEnv) {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}

type RingVariable = 'HORUX_TENANT_KEY' | 'JWT_KEYS' | 'BILLING_ENCRYPTION_KEY' | 'FIEL_ENCRYPTION_KEY'

function readRing(variable: string, text: string, problems: string[]): KeyRing {
  try {
    return parseKeyRing(variable, text)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
    return { active: { kid: '', key: Buffer.alloc(0) }, kids: [], get: () => undefined }
  }
}

function productionProblems(config: Config, e: z.output<typeof Environment>): string[] {
  const problems: string[] = []
  const rings = [
    ['HORUX_TENANT_KEY', config.tenantKeys],
    ['JWT_KEYS', config.jwtKeys],
    ['BILLING_ENCRYPTION_KEY', config.billingKeys],
    ['FIEL_ENCRYPTION_KEY', config.fielKeys],
  ] as const
  const all = rings.flatMap(([, ring]) => ring.kids.map((kid) => ring.get(kid)))
  const distinct = new Set(all.map((key) => key?.toString('base64')))
  if (distinct.size < all.length) problems.push(`${rings.map(([name]) => name).join(', ')}: the same key is used twice`)
  for (const [name, ring] of rings) {
    // `make start` names its keys dev-…: they lie in a folder of the working copy.
    if (ring.kids.some((kid) => /^(dev|test|example|ejemplo|default)/i.test(kid)))
      problems.push(`${name}: is a development key`)
  }
  if (e.SMTP_URL === undefined) problems.push('SMTP_URL: required, mail must reach people')
  if (!config.publicUrl.startsWith('https://')) problems.push('PUBLIC_URL: must be https')
  if (new URL(config.mercadoPagoUrl).href !== `${MERCADOPAGO}/`)
    problems.push('MERCADOPAGO_URL: must be its own API, over https')
  if (new URL(config.satEstadoUrl).href !== SAT_ESTADO)
    problems.push('SAT_ESTADO_URL: must be the service of the SAT, over https')
  if (config.satDescargaUrl !== null) problems.push('SAT_DESCARGA_URL: must not be set, the SAT has one address')
  if (config.testClock) problems.push('TEST_CLOCK: time cannot be moved here')
  const password = decodeURIComponent(new URL(config.central.url).password)
  if (password.length < 16 || new Set(password).size < 8)
    problems.push('CENTRAL_DATABASE_URL: its password is missing, short or weak')
  if (isImpersonable(config.central.url))
    problems.push('CENTRAL_DATABASE_URL: over a network it must say sslmode=verify-full')
  if (config.corsOrigins.some((origin) => !origin.startsWith('https://'))) problems.push('CORS_ORIGINS: must be https')
  return problems
}
