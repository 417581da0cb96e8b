import { AppError } from '../../errors.ts'
import type { Fecha } from '../../fiscal/fecha.ts'

/** A year typed wrong would give a company everything for a century. */
export const tooFar = (last: Fecha) =>
  new AppError('rejected', 'subscription.too_far', `La fecha puede ser hasta el ${last}.`, {
    errors: [{ path: 'hasta', code: 'too_far', message: `Usa una fecha hasta el ${last}.` }],
  })
