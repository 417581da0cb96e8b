import { collectDefaultMetrics } from 'prom-client'
import { setMercadoPagoUrl } from '../src/billing/mercadopago/base-url.ts'
import { systemClock } from '../src/clock.ts'
import { ConfigError, loadConfig } from '../src/config.ts'
import { announce, createDeps } from '../src/deps.ts'
import { findKeyFaults, findMachineFaults } from '../src/fiel/check-vault.ts'
import { createMetrics, metricsApp } from '../src/http/metrics.ts'
import { createLog } from '../src/log.ts'
import { createMailer } from '../src/mail/smtp.ts'
import { countJobs } from '../src/queue/queries.ts'
import { createServers } from '../src/tenants/servers/servers.ts'
import { startWorker } from './worker.ts'

const EX_CONFIG = 78

const config = readConfig()
const log = createLog({ level: config.logLevel, service: 'worker' })
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (err) => {
    log.fatal({ err }, 'uncaught')
    process.exit(1)
  })

setMercadoPagoUrl(config.mercadoPagoUrl)
const shared = createDeps(config, { log, clock: systemClock })
const deps = { ...shared, mailer: createMailer(config.mail), servers: createServers({ ...shared, config }) }
const metrics = createMetrics({ tenantPools: () => deps.tenants.stats(), queueDepth: () => countJobs(deps.central) })
collectDefaultMetrics({ register: metrics.registry })
const operator = metricsApp(metrics)
const instance = await announce(shared, 'worker')
void tellOfVault()
const worker = await startWorker(deps)
// Last: whoever sees it answer knows that jobs are being taken.
await operator.listen({ host: '127.0.0.1', port: config.metricsPort })

process.once('SIGTERM', goAway)
process.once('SIGINT', goAway)

/** Everything that runs ends or goes back to the queue within 30 s. */
async function goAway(signal: NodeJS.Signals) {
  log.info({ signal }, 'leaving')
  for (const again of ['SIGTERM', 'SIGINT'] as const) process.once(again, () => process.exit(1))
  setTimeout(() => process.exit(1), 30_000).unref()
  try {
    await worker.stop()
    await instance.stop()
    await operator.close()
    await deps.close()
    log.info('gone')
    process.exit(0)
  } catch (err) {
    log.error({ err }, 'leaving failed')
    process.exit(1)
  }
}

/** Everything else works without e.firmas, so it is an alarm and no reason not to start. */
async function tellOfVault() {
  try {
    const faults = [...(await findMachineFaults(config)), ...(await findKeyFaults(deps.central, config))]
    for (const fault of faults) {
      const isFine = fault.kind === 'on_disk' && config.env !== 'production'
      if (!isFine)
        log.error({ alarm: 'fiel_vault', fault }, 'e.firmas are not as they should be: horux doctor tells how')
    }
  } catch (err) {
    log.error({ err }, 'the vault of e.firmas could not be looked at')
  }
}

function readConfig() {
  try {
    return loadConfig(process.env, 'worker')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) console.error(problem)
    process.exit(EX_CONFIG)
  }
}
