import { AppError } from '../../errors.ts'

export const onlyFromHere = () =>
  new AppError('forbidden', 'test_clock.only_local', 'El reloj de pruebas sólo contesta a esta misma máquina.')
