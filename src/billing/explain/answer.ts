import { addDays, type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import { type Centavos, formatCentavos } from '../../fiscal/money.ts'
import { day, lastDay, money } from '../../mail/template.ts'
import { access, isPaid, retentionEnd } from '../access.ts'
import { isAutomatic, type Motivo, type Policy, type Subscription } from '../subscription.ts'

export interface Asked {
  sub: Subscription
  policy: Policy
  now: Date
  /** What would be paid now; null where nothing is to be paid or the plan has no price. */
  toPayC: Centavos | null
  /** Who is spoken of, as the subject of a sentence: `Tu empresa`, or its name. */
  who: string
}

/**
 * Why a company may do what it may do, and how it comes back: the sentence that an owner reads first and that support reads
 * out (billing.md 7). The day that it names is the one since when access is what it is.
 */
export function answerOf(asked: Asked): string {
  const { sub, policy, now } = asked
  switch (access(sub, now, policy)) {
    case 'full':
      return whileFull(asked)
    case 'read_only':
      return `${asked.who} está en solo lectura desde el ${day(since(asked))} porque ${because(sub)}; ${wayBack(asked)}${andThen(asked)}`
    case 'blocked':
      return `${asked.who} está cerrada desde el ${day(since(asked))} porque ${because(sub)}; ${wayBack(asked)}${andThen(asked)}`
  }
}

/** The day since when access is what it is. */
export function since({ sub, policy, now }: Pick<Asked, 'sub' | 'policy' | 'now'>): Fecha {
  const { enteredAt, endedAt, paidThrough } = sub
  switch (sub.estado) {
    case 'pausada':
      return paidThrough && !isPaid(sub, fechaOf(now)) && paidThrough > fechaOf(enteredAt)
        ? paidThrough
        : fechaOf(enteredAt)
    case 'cancelada':
    case 'vencida': {
      if (!endedAt) return fechaOf(enteredAt)
      const end = retentionEnd(endedAt, policy)
      return fechaOf(now >= end && !sub.suspendedByStaff ? end : endedAt)
    }
    default:
      return fechaOf(enteredAt)
  }
}

function whileFull({ sub, now, toPayC, who }: Asked): string {
  const { estado, trialEnd, paidThrough, cancelAt, deadlineAt } = sub
  const today = fechaOf(now)
  switch (estado) {
    case 'trial': {
      const until = `${who} está en su periodo de prueba hasta el ${lastDay(trialEnd ?? addDays(today, 1))}.`
      if (cancelAt) return `${until} Está cancelada y después no se cobra nada.`
      if (isAutomatic(sub)) return `${until} Después se hace el primer cargo a la tarjeta.`
      return toPayC === null ? until : `${until} Para seguir después, paga ${pesos(toPayC)}.`
    }
    case 'activa': {
      const last = lastDay(paidThrough ?? addDays(today, 1))
      if (sub.courtesy) return `${who} tiene acceso completo de cortesía hasta el ${last}.`
      if (!isPaid(sub, today)) return `${who} tiene acceso completo; lo pagado terminó el ${last} y se espera el cobro.`
      const paid = `${who} está al corriente: su suscripción está pagada hasta el ${last}.`
      return cancelAt ? `${paid} Está cancelada y no se renueva.` : paid
    }
    case 'pendiente_pago': {
      const after = deadlineAt ? fechaOf(deadlineAt) : addDays(today, 1)
      const pay = toPayC === null ? 'paga' : `paga ${pesos(toPayC)}`
      const end = sub.motivo === 'alta' ? 'la suscripción vence' : 'queda en solo lectura'
      return `${who} conserva el acceso completo, pero ${because(sub)}; ${pay} antes del ${day(after)} o ${end} ese día.`
    }
    case 'pausada':
      return `${who} tiene los cobros en pausa y conserva el acceso completo hasta el ${lastDay(paidThrough ?? addDays(today, 1))}.`
    default:
      throw new Error(`${estado} has no full access`)
  }
}

/** Read after `porque`. */
function because(sub: Subscription): string {
  if (sub.suspendedByStaff) return 'la suspendió el equipo de Horux360'
  if (sub.estado === 'pausada') return 'los cobros están en pausa y lo pagado ya terminó'
  const { motivo, pastDueSince } = sub
  if (motivo === 'renovacion' && pastDueSince)
    return `no ha llegado el pago del periodo que empezó el ${day(pastDueSince)}`
  return motivo === null ? 'así quedó su suscripción' : BECAUSE[motivo]
}

const BECAUSE: Record<Motivo, string> = {
  alta: 'no ha llegado el primer pago',
  primer_cobro: 'no ha pasado el primer cobro después de la prueba',
  renovacion: 'no ha llegado el pago del periodo',
  reembolso: 'se devolvió el pago de su periodo',
  contracargo: 'el titular de la tarjeta desconoció el pago de su periodo',
  usuario: 'la suscripción se canceló a petición de la empresa',
  mp: 'el permiso de cobro se canceló en MercadoPago',
  admin: 'la suscripción la canceló el equipo de Horux360',
  impago: 'el pago no llegó y se agotaron los plazos',
  fin_periodo: 'la suscripción se había cancelado y lo pagado terminó',
  trial: 'el periodo de prueba terminó sin un pago',
  alta_abandonada: 'el primer pago no llegó a tiempo',
}

function wayBack({ sub, toPayC }: Asked): string {
  if (sub.suspendedByStaff) return 'para volver, escribe a soporte.'
  if (sub.estado === 'pausada') return 'para volver, reanuda la suscripción.'
  return toPayC === null ? 'para volver, contrata un plan.' : `para volver, paga ${pesos(toPayC)}.`
}

/** What comes if nothing is done. */
function andThen({ sub, policy, now }: Asked): string {
  const { estado, deadlineAt, endedAt } = sub
  if (sub.suspendedByStaff) return ''
  if (estado === 'grace_period' && deadlineAt) return ` Si no, se suspende el ${day(fechaOf(deadlineAt))}.`
  if (estado === 'suspendida' && deadlineAt) return ` Si no, se cancela el ${day(fechaOf(deadlineAt))}.`
  if ((estado === 'cancelada' || estado === 'vencida') && endedAt) {
    const end = retentionEnd(endedAt, policy)
    return now < end
      ? ` Se puede consultar y descargar todo hasta el ${lastDay(fechaOf(end))}.`
      : ' Quien la administra puede descargar sus datos.'
  }
  return ''
}

const pesos = (centavos: Centavos): string => money(formatCentavos(centavos))
