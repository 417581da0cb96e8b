import type { Fecha } from '../../fiscal/fecha.ts'
import { type Period, periodAt, periodContaining } from '../periods.ts'
import type { Subscription } from '../subscription.ts'

/** The period that is to be paid next, or is owed. */
export function periodToPay(sub: Subscription, today: Fecha): Period {
  const { anchor, periodStart, periodEnd, pastDueSince, trialEnd, frecuencia } = sub
  switch (sub.estado) {
    case 'activa':
    case 'pausada':
      return anchor && periodEnd
        ? periodContaining(
            anchor,
            frecuencia,
            sub.paidThrough && sub.paidThrough > periodEnd ? sub.paidThrough : periodEnd,
          )
        : periodAt(today, frecuencia, 0)
    case 'trial':
      return periodAt(trialEnd ?? today, frecuencia, 0)
    case 'pendiente_pago':
    case 'grace_period':
    case 'suspendida': {
      const isTakenBack = sub.motivo === 'reembolso' || sub.motivo === 'contracargo'
      if (isTakenBack && periodStart && periodEnd && today < periodEnd) return { start: periodStart, end: periodEnd }
      const since = pastDueSince ?? today
      const owed = periodContaining(anchor ?? since, frecuencia, since)
      return today < owed.end ? owed : periodContaining(anchor ?? since, frecuencia, today)
    }
    case 'cancelada':
    case 'vencida':
      return periodAt(today, frecuencia, 0)
  }
}

/** Something is unpaid that a balance could pay: whoever never paid, or was stopped by staff, is another matter. */
export const isOwing = ({ estado, motivo, suspendedByStaff }: Subscription): boolean =>
  !suspendedByStaff &&
  (estado === 'grace_period' || estado === 'suspendida' || (estado === 'pendiente_pago' && motivo !== 'alta'))
