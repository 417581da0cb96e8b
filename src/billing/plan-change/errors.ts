import { AppError } from '../../errors.ts'

export const planNotForSale = (code: string) =>
  new AppError('rejected', 'plans.not_for_sale', `El plan «${code}» no está a la venta con esa frecuencia.`)

export const planUnchanged = () =>
  new AppError('conflict', 'subscription.plan_unchanged', 'Ya tienes ese plan con esa frecuencia.')

export const prepaid = () =>
  new AppError(
    'conflict',
    'subscription.prepaid',
    'El periodo que sigue ya está pagado con tu plan actual. Podrás cambiar de plan cuando empiece.',
  )
