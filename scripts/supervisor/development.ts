import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { DATA_DIR, DEV_ENV, HOME } from './environment.ts'

/** Made once and kept: whoever has the data directory needs these to open it. */
export interface Secrets {
  superuser: string
  central: string
  tenantKeys: string
  jwtKeys: string
  billingKeys: string
  fielKeys: string
  /** What the simulated MercadoPago takes for our token, and signs its webhooks with. */
  mercadoPago: { accessToken: string; webhookSecret: string }
}

export interface Addresses {
  /** Superuser on the maintenance database of the server. */
  adminUrl: string
  apiPort: number
  metricsPort: number
  workerMetricsPort: number
  mailbox: { smtpPort: number; httpPort: number } | undefined
  /** Of the simulator; undefined where MERCADOPAGO_URL names somebody else. */
  mercadoPagoPort: number | undefined
  /** Of the simulator; undefined where SAT_ESTADO_URL names somebody else. */
  satPort: number | undefined
}

/** What is on disk, or new and written there: random, and only for this machine. */
export function developmentSecrets(): Secrets {
  const kept = existsSync(DEV_ENV) ? parseEnv(readFileSync(DEV_ENV, 'utf8')) : {}
  if (!kept['HORUX_TENANT_KEY'] && existsSync(DATA_DIR)) {
    throw new Error(`Falta ${DEV_ENV}, y sin él nadie abre los datos de ${DATA_DIR}. Para empezar de nuevo: make reset`)
  }
  const password = () => randomBytes(24).toString('base64url')
  // Production refuses key ids that begin with "dev".
  const ring = () => `dev:${randomBytes(32).toString('base64')}`
  const secrets = {
    superuser: kept['SUPERUSER_PASSWORD'] ?? password(),
    central: kept['CENTRAL_PASSWORD'] ?? password(),
    tenantKeys: kept['HORUX_TENANT_KEY'] ?? ring(),
    jwtKeys: kept['JWT_KEYS'] ?? ring(),
    billingKeys: kept['BILLING_ENCRYPTION_KEY'] ?? ring(),
    fielKeys: kept['FIEL_ENCRYPTION_KEY'] ?? ring(),
    mercadoPago: {
      accessToken: kept['MERCADOPAGO_SIM_TOKEN'] ?? `APP_USR-${randomBytes(16).toString('hex')}`,
      webhookSecret: kept['MERCADOPAGO_SIM_WEBHOOK_SECRET'] ?? randomBytes(32).toString('hex'),
    },
  }
  // Before anything is made with them: whoever is killed between initdb and here could not open its own data.
  const rings = ringsOf(secrets)
  if (Object.keys(rings).some((name) => !kept[name])) keepEnvironment(secrets, rings)
  return secrets
}

/** The variables of `config.ts` for the processes of this machine. */
export function developmentEnvironment(secrets: Secrets, addresses: Addresses): Record<string, string> {
  const { adminUrl, apiPort, metricsPort, workerMetricsPort, mailbox, mercadoPagoPort, satPort } = addresses
  const central = new URL(adminUrl)
  central.username = 'horux_central'
  central.password = secrets.central
  central.pathname = '/horux_central'
  const mail = mailbox && {
    SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
    MAILBOX_SMTP_PORT: String(mailbox.smtpPort),
    MAILBOX_HTTP_PORT: String(mailbox.httpPort),
    MAILBOX_DIR: path.join(HOME, 'mail'),
  }
  const simulator = mercadoPagoPort && {
    MERCADOPAGO_URL: `http://127.0.0.1:${mercadoPagoPort}`,
    MERCADOPAGO_SIM_PORT: String(mercadoPagoPort),
    MERCADOPAGO_SIM_DIR: path.join(HOME, 'mercadopago'),
    MERCADOPAGO_SIM_APP_URL: `http://127.0.0.1:${apiPort}`,
    MERCADOPAGO_SIM_WEBHOOK_URL: `http://127.0.0.1:${apiPort}/api/webhooks/mercadopago`,
    // The simulator's clock and ours are moved together. Nobody moves that of a real MercadoPago.
    TEST_CLOCK: process.env['TEST_CLOCK'] || 'true',
  }
  const sat = satPort && {
    SAT_ESTADO_URL: `http://127.0.0.1:${satPort}/ConsultaCFDIService.svc`,
    SAT_DESCARGA_URL: `http://127.0.0.1:${satPort}`,
    SAT_SIM_PORT: String(satPort),
    SAT_SIM_DIR: path.join(HOME, 'sat'),
    // Its time is the product's: what is asked of it ages as the product's clock is moved.
    SAT_SIM_APP_URL: `http://127.0.0.1:${apiPort}`,
  }
  return {
    HORUX_ENV: 'development',
    API_PORT: String(apiPort),
    METRICS_PORT: String(metricsPort),
    WORKER_METRICS_PORT: String(workerMetricsPort),
    PUBLIC_URL: `http://localhost:${apiPort}`,
    CENTRAL_DATABASE_URL: central.href,
    CREDENTIALS_DIRECTORY: path.join(HOME, 'credentials'),
    FILES_PATH: path.join(HOME, 'files'),
    FIEL_STORAGE_PATH: path.join(HOME, 'fiel'),
    FIEL_RUNTIME_PATH: path.join(HOME, 'fiel-abierta'),
    ...ringsOf(secrets),
    ...mail,
    ...simulator,
    ...sat,
  }
}

const ringsOf = ({ tenantKeys, jwtKeys, billingKeys, fielKeys }: Secrets) => ({
  HORUX_TENANT_KEY: tenantKeys,
  JWT_KEYS: jwtKeys,
  BILLING_ENCRYPTION_KEY: billingKeys,
  FIEL_ENCRYPTION_KEY: fielKeys,
})

/** For the simulator alone: our own processes have them sealed in the connector's row. */
export const simulatorSecrets = ({ mercadoPago }: Secrets) => ({
  MERCADOPAGO_SIM_TOKEN: mercadoPago.accessToken,
  MERCADOPAGO_SIM_WEBHOOK_SECRET: mercadoPago.webhookSecret,
})

/** For the supervisor's next start and for `horux` typed by hand. Whole or not at all, and for nobody else's eyes. */
export function keepEnvironment(secrets: Secrets, environment: Readonly<Record<string, string>>): void {
  const own = {
    SUPERUSER_PASSWORD: secrets.superuser,
    CENTRAL_PASSWORD: secrets.central,
    ...simulatorSecrets(secrets),
  }
  const lines = Object.entries({ ...own, ...environment }).map(([name, value]) => `${name}=${value}`)
  const head = '# Made by make start for this machine. Random, never to be committed or used elsewhere.'
  mkdirSync(HOME, { recursive: true })
  writeFileSync(`${DEV_ENV}.new`, `${head}\n${lines.join('\n')}\n`, { mode: 0o600 })
  renameSync(`${DEV_ENV}.new`, DEV_ENV)
}

/** Whether anybody but the owner may read it. */
export const isReadableByOthers = (file: string) => (statSync(file).mode & 0o077) !== 0
