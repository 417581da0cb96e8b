import type { z } from 'zod'
import { formatCentavos } from '../../fiscal/money.ts'
import { estados as mailStates } from '../../mail/schemas.ts'
import type { ForecastStep } from '../machine/forecast.ts'
import { toPeriodo } from '../own/answers.ts'
import type { Fact, Happening } from './happening.ts'
import type { EventRecord } from './queries.ts'
import { comings, deedInWords, ruleInWords } from './rules.ts'
import type * as schemas from './schemas.ts'

export function toHecho(happening: Happening): z.input<typeof schemas.Hecho> {
  return { ...common(happening), quien: whoForOwner(happening.record) }
}

export function toHechoDetallado(happening: Happening): z.input<typeof schemas.HechoDetallado> {
  const { record, valueC } = happening
  const { delivery_id: id, delivery_request_id: requestId, delivery_received_at: recibidaEn } = record
  return {
    ...common(happening),
    quien: record.actor_email ?? whoForOwner(record),
    origen: record.origin,
    movioEstado: record.outcome === 'next',
    entrega: id !== null && requestId !== null && recibidaEn !== null ? { id, requestId, recibidaEn } : null,
    requestId: record.request_id,
    valor: { antes: formatCentavos(valueC.before), despues: formatCentavos(valueC.after) },
  }
}

function common({ record, changes, mails }: Happening) {
  const { payment_id, payment_amount_c, payment_status } = record
  return {
    id: record.id,
    en: record.at,
    evento: record.event,
    que: deedInWords(record.event),
    regla: { clave: record.rule, texto: ruleInWords(record.rule) },
    cambios: changes.map(({ fact, before, after }) => ({ dato: DATOS[fact], antes: before, despues: after })),
    pago:
      payment_id !== null && payment_amount_c !== null && payment_status !== null
        ? { id: payment_id, importe: formatCentavos(BigInt(payment_amount_c)), estado: payment_status }
        : null,
    correos: mails.map(({ template, to, state, sentAt }) => ({
      plantilla: template,
      para: to,
      estado: mailStates[state],
      enviadoEn: sentAt,
    })),
  }
}

/** The people of the platform act as one towards a company. */
function whoForOwner({ origin, actor_email }: EventRecord): string {
  switch (origin) {
    case 'mercadopago':
      return 'MercadoPago'
    case 'owner':
      return actor_email ?? 'Tu empresa'
    case 'staff':
      return 'El equipo de Horux360'
    case 'timer':
    case 'system':
      return 'Horux360'
  }
}

/** As the subscription itself is answered. */
const DATOS: Record<Fact, string> = {
  estado: 'estado',
  motivo: 'motivo',
  frecuencia: 'frequency',
  periodStart: 'current_period_start',
  periodEnd: 'current_period_end',
  paidThrough: 'paid_through',
  trialEnd: 'trial_end',
  cancelAt: 'cancel_at',
  deadlineAt: 'limiteDePago',
  pauseUntil: 'pausaHasta',
  mandateId: 'mandate',
  suspendedByStaff: 'suspendidaPorPersonal',
  courtesy: 'cortesia',
  plan: 'plan',
}

export const toPaso = (step: ForecastStep): z.input<typeof schemas.Pronostico>['pasos'][number] => ({
  en: step.at,
  que: step.que,
  texto: comings[step.que],
  estado: step.estado,
  access: step.access,
  importe: step.importeC === null ? null : formatCentavos(step.importeC),
  correo: step.correo,
  periodo: step.period && toPeriodo(step.period),
})
