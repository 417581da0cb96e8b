import { AppError } from '../../errors.ts'

export const selloBusy = () =>
  new AppError(
    'too_many',
    'sello.en_curso',
    'Ya se está comprobando el sello de otro CFDI muy grande. Intenta de nuevo en unos segundos.',
    { retryAfterS: 3 },
  )
