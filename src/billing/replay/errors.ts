import { AppError } from '../../errors.ts'

export const deliveryNotFound = () => new AppError('not_found', 'replay.delivery_not_found', 'No existe ese aviso.')
