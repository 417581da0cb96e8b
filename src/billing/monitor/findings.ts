import type { Severity } from '../alerts/queries.ts'
import type { GatewayStats } from '../mercadopago/gateway.ts'
import type { Vitals } from './queries.ts'

export interface Finding {
  code: MonitorCode
  severity: Severity
  detail: object
}

export const monitorCodes = [
  'avisos_sin_procesar',
  'avisos_muertos',
  'firmas_rechazadas',
  'avisos_en_silencio',
  'bandeja_atorada',
  'mercadopago_fuera',
  'lectura_atrasada',
  'noche_sin_conciliar',
] as const
export type MonitorCode = (typeof monitorCodes)[number]

/** What is wrong, by the thresholds of billing.md 5.8. Pure: the same vitals give the same findings. */
export function findingsOf(vitals: Vitals, gateways: readonly GatewayStats[], now: Date): Finding[] {
  const age = (at: Date | null) => (at === null ? 0 : now.getTime() - at.getTime())
  const found: Finding[] = []
  const { unprocessed, dead, refusals, refusalsOfHour, deliveriesOfHour } = vitals
  if (unprocessed > WARN_UNPROCESSED)
    found.push({
      code: 'avisos_sin_procesar',
      severity: unprocessed > CRITICAL_UNPROCESSED ? 'critica' : 'advertencia',
      detail: { avisos: unprocessed },
    })
  if (dead > 0) found.push({ code: 'avisos_muertos', severity: 'critica', detail: { recursos: dead } })
  // Strangers try now and then; a burst, or more bad ones than good ones, may be our own secret being wrong.
  const isMostlyBad = refusalsOfHour >= BURST && refusalsOfHour > deliveriesOfHour
  if (refusals >= BURST || isMostlyBad)
    found.push({
      code: 'firmas_rechazadas',
      severity: 'critica',
      detail: { rechazadas: refusalsOfHour, validas: deliveriesOfHour },
    })
  // The silent failure: payments are found by asking, and nobody tells us of them any more.
  if (vitals.newsOfDay > 0 && (vitals.lastDelivery === null || age(vitals.lastDelivery) > DAY))
    found.push({
      code: 'avisos_en_silencio',
      severity: 'critica',
      detail: { hallazgos: vitals.newsOfDay, ultimo: vitals.lastDelivery?.toISOString() ?? null },
    })
  const oldest = Math.max(age(vitals.oldestMail), age(vitals.oldestCommand), age(vitals.oldestResource))
  if (oldest > HOUR)
    found.push({ code: 'bandeja_atorada', severity: 'advertencia', detail: { minutos: Math.round(oldest / MINUTE) } })
  const away = gateways.filter(({ unreachableSince }) => age(unreachableSince) > 30 * MINUTE)
  if (away.length > 0)
    found.push({
      code: 'mercadopago_fuera',
      severity: 'critica',
      detail: { desde: away[0]?.unreachableSince?.toISOString(), conectores: away.map(({ account }) => account) },
    })
  if (age(vitals.oldestReading) > DAY + 2 * HOUR)
    found.push({
      code: 'lectura_atrasada',
      severity: 'advertencia',
      detail: { desde: vitals.oldestReading?.toISOString() },
    })
  if (vitals.lastNight !== null && age(vitals.lastNight) > DAY + 6 * HOUR)
    found.push({
      code: 'noche_sin_conciliar',
      severity: 'advertencia',
      detail: { ultima: vitals.lastNight.toISOString() },
    })
  return found
}

const WARN_UNPROCESSED = 10
const CRITICAL_UNPROCESSED = 25
const BURST = 5
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
