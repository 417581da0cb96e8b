import { collectDefaultMetrics } from 'prom-client'
import { buildApp } from './app.ts'
import { setMercadoPagoUrl } from './billing/mercadopago/base-url.ts'
import { systemClock } from './clock.ts'
import { ConfigError, loadConfig } from './config.ts'
import { announce, createDeps } from './deps.ts'
import { createDrain, leave } from './http/drain.ts'
import { createMetrics, metricsApp } from './http/metrics.ts'
import { createLog } from './log.ts'

const EX_CONFIG = 78

const config = readConfig()
const log = createLog({ level: config.logLevel, service: 'api' })
process.on('uncaughtException', (err) => {
  log.fatal({ err }, 'uncaught')
  process.exit(1)
})

setMercadoPagoUrl(config.mercadoPagoUrl)
const deps = createDeps(config, { log, clock: systemClock })
const drain = createDrain()
const metrics = createMetrics({ tenantPools: () => deps.tenants.stats() })
collectDefaultMetrics({ register: metrics.registry })
const app = await buildApp(deps, { drain, metrics })
const operator = metricsApp(metrics)
const instance = await announce(deps, 'api')

process.once('SIGTERM', goAway)
process.once('SIGINT', goAway)

// The private port first: whoever sees the public one open can ask for both.
await operator.listen({ host: '127.0.0.1', port: config.metricsPort })
await app.listen({ host: config.apiHost, port: config.apiPort })
log.info({ version: config.version, port: config.apiPort }, 'listening')

async function goAway(signal: NodeJS.Signals) {
  log.info({ signal }, 'leaving')
  // Whoever asks twice means it.
  for (const again of ['SIGTERM', 'SIGINT'] as const) process.once(again, () => process.exit(1))
  const release = async () => {
    await instance.stop().catch((err: unknown) => log.warn({ err }, 'our row stays until it is old'))
    await operator.close()
    await deps.close()
  }
  const orderly = await leave({ app, drain, release }).catch((err: unknown) => {
    log.error({ err }, 'leaving failed')
    return false
  })
  log.info({ orderly }, 'gone')
  process.exit(orderly ? 0 : 1)
}

function readConfig() {
  try {
    return loadConfig(process.env, 'api')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) console.error(problem)
    process.exit(EX_CONFIG)
  }
}
