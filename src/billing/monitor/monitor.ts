import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import { fechaOf } from '../../fiscal/fecha.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import { raiseAlert, settleAlert } from '../alerts/queries.ts'
import type { Gateways } from '../connectors/gateways.ts'
import type { GatewayStats } from '../mercadopago/gateway.ts'
import { findingsOf, monitorCodes } from './findings.ts'
import { findOpenMonitorAlerts, findVitals } from './queries.ts'

export interface MonitorDeps {
  central: CentralDb
  clock: Clock
  gateways: Pick<Gateways, 'stats'>
  log: Log
}

/**
 * Looks after the pipeline itself: each thing that is wrong is one alert a day and a line of the log with its alarm, and
 * what is right again is settled.
 */
export async function monitorBilling({ central, clock, gateways, log }: MonitorDeps): Promise<{ findings: string[] }> {
  const now = clock.now()
  const health = gateways.stats()
  const findings = findingsOf(await findVitals(central, now), health, now)
  for (const { code, severity, detail } of findings) {
    await raiseAlert(central, { code, severity, key: fechaOf(now), at: now, detail })
    log[severity === 'critica' ? 'error' : 'warn'](
      { alarm: `billing.${code}`, ...detail },
      'billing: the monitor found',
    )
  }
  const wrong = new Set<string>(findings.map(({ code }) => code))
  for (const { code, dedupeKey } of await findOpenMonitorAlerts(central, monitorCodes))
    if (code === 'mercadopago_fuera' && !isHeardOf(health)) wrong.add(code)
    else if (!wrong.has(code)) await settleAlert(central, dedupeKey, now, 'Se normalizó.')
  return { findings: [...wrong] }
}

/** Each process knows of MercadoPago what it met itself: a worker that began anew little, and the operator's command nothing. */
const isHeardOf = (health: readonly GatewayStats[]) =>
  health.some(({ lastAnswerAt }) => lastAnswerAt !== null) &&
  health.every(({ unreachableSince }) => unreachableSince === null)
