import { AppError } from '../../errors.ts'

export const sinEfirma = () =>
  new AppError(
    'conflict',
    'sat.sin_efirma',
    'Sube primero la e.firma de la empresa: sin ella el SAT no entrega nada.',
    {
      enlace: '/efirma',
    },
  )

export const desdeFueraDeRango = (primero: string) =>
  new AppError(
    'rejected',
    'sat.desde_fuera_de_rango',
    `El SAT entrega hasta seis años atrás: pide desde ${primero} o una fecha posterior, que no sea futura.`,
  )

export const solicitudDesconocida = () =>
  new AppError('not_found', 'sat.solicitud_desconocida', 'La solicitud no existe.')

export const solicitudSinFalla = () =>
  new AppError(
    'conflict',
    'sat.solicitud_sin_falla',
    'Solo se reintenta una solicitud que falló o que el SAT rechazó; esta sigue su curso o ya terminó.',
  )

export const folioAgotado = () =>
  new AppError(
    'conflict',
    'sat.folio_agotado',
    'El SAT ya no entrega este folio por este medio. Descárgalo de su portal, o pídelo a quien lo emitió, y súbelo.',
  )
