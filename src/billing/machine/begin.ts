import { addDays, fechaOf } from '../../fiscal/fecha.ts'
import type { Frecuencia, Policy, Subscription } from '../subscription.ts'
import { hoursAfter } from './moves.ts'

const NOTHING_YET = {
  motivo: null,
  anchor: null,
  periodStart: null,
  periodEnd: null,
  paidThrough: null,
  trialEnd: null,
  cancelAt: null,
  endedAt: null,
  pastDueSince: null,
  deadlineAt: null,
  pauseUntil: null,
  suspendedByStaff: false,
  courtesy: false,
  everPaid: false,
  mandateId: null,
  mandates: [],
  notices: { trialEnding: null, expiry: null, renewal: null, rejection: null, prepared: null },
} as const

/** The company may use everything of its plan for `policy.trialDays` days, today included. */
export function beginTrial(frecuencia: Frecuencia, now: Date, policy: Policy): Subscription {
  return {
    ...NOTHING_YET,
    estado: 'trial',
    frecuencia,
    enteredAt: now,
    trialEnd: addDays(fechaOf(now), policy.trialDays),
  }
}

/** Without a trial: full access in the days in which the first payment is awaited. */
export function beginWithoutTrial(frecuencia: Frecuencia, now: Date, policy: Policy): Subscription {
  return {
    ...NOTHING_YET,
    estado: 'pendiente_pago',
    motivo: 'alta',
    frecuencia,
    enteredAt: now,
    deadlineAt: hoursAfter(now, 24 * policy.altaTtlDays),
  }
}
