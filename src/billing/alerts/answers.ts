import type { z } from 'zod'
import { formatCentavos } from '../../fiscal/money.ts'
import type { ListedAlert } from './queries.ts'
import type { Pendiente } from './schemas.ts'
import { explainAlert } from './words.ts'

export function toPendiente(alert: ListedAlert): z.input<typeof Pendiente> {
  const { payment, mandate, resolved } = alert
  return {
    id: alert.id,
    codigo: alert.code,
    gravedad: alert.severity,
    explicacion: explainAlert(alert.code),
    detalle: detailOf(alert.detail),
    veces: alert.times,
    desde: alert.createdAt,
    ultimaVez: alert.lastSeenAt,
    empresa: alert.tenant,
    pago: payment && {
      id: payment.id,
      idMercadoPago: payment.mpPaymentId,
      importe: formatCentavos(payment.amountC),
      estado: payment.status,
    },
    permisoDeCobro: mandate && { id: mandate.id, preapproval: mandate.preapprovalId },
    asignable: alert.code === 'pago_sin_relacion' && !resolved && payment !== null && !payment.isTaken,
    resuelta: resolved && { en: resolved.at, por: resolved.by, nota: resolved.note },
  }
}

/** Whatever whoever raised it thought useful, as text: amounts in pesos, and nothing for what was not known. */
function detailOf(detail: unknown): Record<string, string> {
  const entries = Object.entries((detail ?? {}) as Record<string, unknown>)
  return Object.fromEntries(
    entries.flatMap(([key, value]) => {
      if (value === null || value === undefined || value === '') return []
      if (key.endsWith('C') && typeof value === 'string' && /^-?\d+$/.test(value))
        return [[key.slice(0, -1), formatCentavos(BigInt(value))]]
      return [[key, typeof value === 'string' ? value : JSON.stringify(value)]]
    }),
  )
}
