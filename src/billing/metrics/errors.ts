import { AppError } from '../../errors.ts'

export const windowBackwards = () =>
  new AppError('invalid', 'metrics.window', 'La ventana debe empezar antes de terminar.', {
    errors: [{ path: 'querystring.desde', code: 'window', message: '«desde» debe ser anterior o igual a «hasta».' }],
  })

export const windowTooLong = (days: number) =>
  new AppError('invalid', 'metrics.window', `La ventana puede tener hasta ${days} días.`, {
    errors: [{ path: 'querystring.desde', code: 'window', message: `Elige hasta ${days} días.` }],
  })
