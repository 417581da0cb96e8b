import { AppError } from '../../errors.ts'
import type { Fecha } from '../../fiscal/fecha.ts'
import { type Centavos, formatCentavos } from '../../fiscal/money.ts'
import { FLOOR_C } from '../prices.ts'

/** MercadoPago takes no subscription below its floor, so nobody could ever pay it by card (billing.md 2.1). */
export const belowFloor = (campo: string, chargedC: Centavos) =>
  new AppError(
    'rejected',
    'plans.below_floor',
    `${campo}: se cobrarían ${formatCentavos(chargedC)} y el mínimo de MercadoPago es ${formatCentavos(FLOOR_C)}, IVA incluido. Usa 0.00 si no se cobra.`,
    { errors: [{ path: campo, code: 'below_floor', message: `El mínimo cobrado es ${formatCentavos(FLOOR_C)}.` }] },
  )

export const overrideNotFound = () =>
  new AppError('not_found', 'overrides.not_found', 'No existe esa excepción en esta empresa.')

/** What happened under the plan stays explained by the plan. */
export const overrideInPast = (today: Fecha) =>
  new AppError('rejected', 'overrides.in_past', `Una excepción empieza hoy (${today}) o después.`)

export const overrideEndsFirst = () =>
  new AppError('rejected', 'overrides.ends_before_start', 'La excepción terminaría antes de empezar.')
