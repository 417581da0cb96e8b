import { AppError } from '../errors.ts'

export const alertaNotFound = () =>
  new AppError('not_found', 'alerta.no_encontrada', 'No hay una alerta con ese id en esta empresa.')

export const alertaResuelta = () =>
  new AppError('rejected', 'alerta.resuelta', 'La alerta ya se resolvió: no hay nada que posponer.')

export const pospuestaFueraDePlazo = (desde: string, hasta: string) =>
  new AppError('rejected', 'alerta.plazo', `Se puede posponer a un día entre el ${desde} y el ${hasta}.`, {
    errors: [{ path: 'pospuesta.hasta', code: 'alerta.plazo', message: `Entre ${desde} y ${hasta}.` }],
  })
