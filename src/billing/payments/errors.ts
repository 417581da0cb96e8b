import { AppError } from '../../errors.ts'
import type { Fecha } from '../../fiscal/fecha.ts'
import { type Centavos, formatCentavos } from '../../fiscal/money.ts'

export const paymentNotFound = () =>
  new AppError('not_found', 'payments.not_found', 'No existe ese pago en esta empresa.')

export const changeNotFound = () =>
  new AppError('not_found', 'payments.change_not_found', 'No existe ese cambio de plan en esta empresa.')

export const dateOutOfRange = (first: Fecha, last: Fecha) =>
  new AppError('rejected', 'payments.date_out_of_range', `La fecha debe estar entre el ${first} y el ${last}.`, {
    errors: [{ path: 'fecha', code: 'date_out_of_range', message: `Entre el ${first} y el ${last}.` }],
  })

/** A reference names one transfer: with another amount or day it is either a mistake or another transfer. */
export const referenceTaken = (referencia: string) =>
  new AppError(
    'conflict',
    'payments.reference_taken',
    `Ya hay una transferencia con la referencia «${referencia}» y otros datos. Revísala, o usa otra referencia.`,
  )

export const notRefundable = () =>
  new AppError('conflict', 'payments.not_refundable', 'Sólo se devuelve un pago aprobado que no esté en disputa.')

export const nothingLeft = () =>
  new AppError('conflict', 'payments.nothing_left', 'De este pago ya se devolvió, o se pidió devolver, todo.')

export const refundTooMuch = (leftC: Centavos) =>
  new AppError(
    'rejected',
    'payments.refund_too_much',
    `De este pago se pueden devolver hasta $${formatCentavos(leftC)}.`,
    { errors: [{ path: 'importe', code: 'refund_too_much', message: `Hasta ${formatCentavos(leftC)}.` }] },
  )

/** Nobody but us knows of it. */
export const evidenceRequired = () =>
  new AppError(
    'rejected',
    'payments.evidence_required',
    'La devolución de una transferencia se hace en el banco: indica con qué se comprueba.',
    { errors: [{ path: 'evidencia', code: 'evidence_required', message: 'Indica con qué se comprueba.' }] },
  )
