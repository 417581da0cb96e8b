import { daysBetween, fechaOf } from '../../fiscal/fecha.ts'
import { formatCentavos } from '../../fiscal/money.ts'
import { day, lastDay, money } from '../../mail/template.ts'
import { isPaid } from '../access.ts'
import { isAutomatic, type Subscription } from '../subscription.ts'
import type { Sale } from './find-sale.ts'

/**
 * What the payer must know before he authorises a card, in Spanish: that it is charged again and again and how that ends
 * (LFPC art. 76 Bis), when it is charged first, and what that first charge pays. `startDate` is what MercadoPago was
 * told; without one it charges about an hour after the authorisation (billing.md 2.3).
 */
export function warningsOf(sub: Subscription, sale: Sale, startDate: Date | undefined, now: Date): string[] {
  return [...firstCharge(sub, sale, startDate, now), ...replaced(sub), recurring(sale)]
}

function firstCharge(sub: Subscription, { earlyWindowDays }: Sale, startDate: Date | undefined, now: Date): string[] {
  if (startDate) return [`El primer cargo se hace el ${day(fechaOf(startDate))}.`]
  const today = fechaOf(now)
  if (sub.estado === 'trial' && sub.trialEnd)
    return [
      `Tu prueba dura hasta el ${lastDay(sub.trialEnd)}, pero el cargo se hace en cuanto autorizas la tarjeta y tu periodo pagado empieza ese día.`,
    ]
  if (sub.estado === 'pausada')
    return [
      'Tu suscripción se reanuda al autorizar la tarjeta. El cargo se hace enseguida; lo que no haga falta para el periodo queda como saldo a favor.',
    ]
  if (sub.estado !== 'activa' || !sub.paidThrough || !isPaid(sub, today)) return []
  const isEarly = sub.paidThrough !== sub.periodEnd || daysBetween(today, sub.paidThrough) > earlyWindowDays
  const paid = `Tu suscripción está pagada hasta el ${lastDay(sub.paidThrough)} y el cargo se hace en cuanto autorizas la tarjeta:`
  return [
    isEarly
      ? `${paid} queda como saldo a favor y se descuenta de tus siguientes cobros.`
      : `${paid} paga el periodo que sigue.`,
  ]
}

function replaced(sub: Subscription): string[] {
  return isAutomatic(sub) ? ['Al autorizar esta forma de pago se cancela la que tienes ahora.'] : []
}

function recurring({ amountC, renewalC, frecuencia }: Sale): string {
  const each = frecuencia === 'anual' ? 'cada año' : 'cada mes'
  const first = money(formatCentavos(amountC))
  const further = money(formatCentavos(renewalC))
  const amounts =
    amountC === renewalC ? `Se cobran ${first} ${each}` : `Se cobran ${first} ahora y después ${further} ${each}`
  return `${amounts}, hasta que canceles. Puedes cancelar cuando quieras, sin penalización.`
}
