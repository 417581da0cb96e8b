import { AppError } from '../../errors.ts'
import type { Account } from '../mercadopago/gateway.ts'

export const connectorNotFound = () =>
  new AppError('not_found', 'connectors.not_found', 'No existe ese conector de pago.')

export const nameTaken = (name: string) =>
  new AppError('conflict', 'connectors.name_taken', `Ya hay un conector de pago llamado «${name}».`)

/** A simulator in production, or a token of real money where calls go to a simulator. */
export const kindNotHere = () =>
  new AppError('rejected', 'connectors.kind_not_here', 'En este entorno no se usan conectores de ese tipo.')

export const notForPrimary = () =>
  new AppError('rejected', 'connectors.not_for_primary', 'En producción sólo cobra una cuenta real de MercadoPago.')

export const payerOnlyInSandbox = () =>
  new AppError(
    'rejected',
    'connectors.payer_only_in_sandbox',
    'Sólo un conector de sandbox tiene un pagador de prueba: en los demás paga quien contrata.',
  )

export const secretMissing = () =>
  new AppError(
    'rejected',
    'connectors.secret_missing',
    'Falta el secreto de los webhooks: sin él cualquiera podría decirnos que pagó.',
  )

export const notChecked = () =>
  new AppError('rejected', 'connectors.not_checked', 'Verifica primero la conexión con MercadoPago.')

export const accountTaken = (name: string) =>
  new AppError(
    'conflict',
    'connectors.account_taken',
    `El conector «${name}» ya usa esa cuenta de MercadoPago. Cambia ahí su token.`,
  )

export const isPrimaryNow = () =>
  new AppError('conflict', 'connectors.is_primary', 'Es el conector principal. Elige otro antes.')

export const connectorInUse = () =>
  new AppError(
    'conflict',
    'connectors.in_use',
    'Hay autorizaciones o cobros hechos con este conector, y sólo con él se pueden consultar y cancelar.',
  )

export const connectorChanged = () =>
  new AppError('conflict', 'connectors.changed', 'El token cambió mientras lo verificábamos. Intenta de nuevo.')

export const tokenRefused = (cause: unknown) =>
  new AppError('rejected', 'connectors.token_refused', 'MercadoPago no acepta ese token.', { cause })

const WRONG_KIND = {
  sandbox: 'es real y el conector es de sandbox: usa el token de una aplicación creada dentro de un usuario de prueba',
  production: 'es de prueba y el conector es de producción',
}

export const wrongAccount = (kind: keyof typeof WRONG_KIND, { nickname }: Account) =>
  new AppError('rejected', 'connectors.wrong_account', `La cuenta ${nickname} ${WRONG_KIND[kind]}.`)

export const wrongCountry = ({ nickname, siteId }: Account) =>
  new AppError(
    'rejected',
    'connectors.wrong_country',
    `La cuenta ${nickname} no es de MercadoPago México (${siteId}): no puede cobrar en pesos mexicanos.`,
  )

/** What was authorised with the old account could neither be charged nor cancelled with the new one. */
export const otherAccount = ({ nickname, id }: Account) =>
  new AppError(
    'conflict',
    'connectors.other_account',
    `El token es de otra cuenta (${nickname}, ${id}) y ya hay autorizaciones hechas con la anterior. Crea otro conector.`,
  )

export const tokenUnreadable = (cause: unknown) =>
  new AppError(
    'unavailable',
    'connectors.unreadable',
    'No podemos leer el token de este conector de pago. Ya lo registramos.',
    { cause },
  )

export const noPrimary = () =>
  new AppError(
    'unavailable',
    'connectors.no_primary',
    'Por ahora no es posible pagar con tarjeta. Puedes pagar por transferencia.',
  )
