import { AppError } from '../../errors.ts'

/** Why MercadoPago refused what we asked, as far as its words tell. */
export type RejectionReason =
  | 'already_cancelled'
  | 'both_real_or_test'
  | 'payer_email_mismatch'
  | 'reason_too_long'
  | 'invalid_back_url'
  | 'amount_out_of_range'
  | 'card_token_required'
  | 'idempotency_conflict'
  | 'forbidden'
  | 'other'

/** Not answered, or answered that it cannot now. `cause` says how; nothing of the request is in it. */
export const gatewayUnavailable = (cause: Error, retryAfterS: number) =>
  new AppError('unavailable', 'gateway.unavailable', 'MercadoPago no responde. Intenta de nuevo en unos minutos.', {
    cause,
    retryAfterS,
  })

/** Nobody was there to be asked, in any of the tries: no byte of it left. It may be sent again at once. */
export const gatewayUnreached = (cause: Error, retryAfterS: number) =>
  new AppError(
    'unavailable',
    'gateway.unreached',
    'No pudimos conectarnos con MercadoPago y no se envió nada. Intenta de nuevo en unos minutos.',
    { cause, retryAfterS },
  )

/** Not asked at all: it failed too often just now. */
export const breakerOpen = (retryAfterS: number) =>
  new AppError(
    'unavailable',
    'gateway.breaker_open',
    'MercadoPago ha estado fallando y esperamos a que se recupere. Intenta de nuevo en un momento.',
    { retryAfterS },
  )

/** HTTP 200 with HTML, with nothing or without an id: another try may be answered better. */
export const unusableAnswer = (cause: Error) => notUnderstood('gateway.unusable_answer', cause)

/** An answer that is whole and that we cannot read, as an amount with fractions of a centavo: it stays so. */
export const unreadableAnswer = (cause: Error) => notUnderstood('gateway.unreadable_answer', cause)

const notUnderstood = (code: string, cause: Error) =>
  new AppError('unavailable', code, 'MercadoPago respondió algo que no entendemos. Intenta de nuevo en unos minutos.', {
    cause,
    retryAfterS: 60,
  })

/** Waiting mends it, however long. Not so one answer that nobody can read. */
export const isPassing = (error: unknown): error is AppError =>
  error instanceof AppError && error.kind === 'unavailable' && error.code !== 'gateway.unreadable_answer'

/** Our POST may have been done or not. Never to be repeated blindly: look for its external reference (billing.md 5.5). */
export const lostAnswer = (cause: Error) =>
  new AppError(
    'unavailable',
    'gateway.lost_answer',
    'No sabemos si MercadoPago recibió la solicitud. Lo estamos comprobando: intenta de nuevo en unos minutos.',
    { cause, retryAfterS: 60 },
  )

export const gatewayNotFound = (cause: Error) =>
  new AppError('not_found', 'gateway.not_found', 'MercadoPago no tiene lo que buscamos.', { cause })

/** Our access token, not the user's session: a 401 of ours would log them out of a product that works. */
export const gatewayUnauthorized = (cause: Error) =>
  new AppError(
    'unavailable',
    'gateway.unauthorized',
    'MercadoPago no acepta nuestras credenciales. Ya lo registramos; mientras tanto no es posible cobrar con tarjeta.',
    { cause },
  )

/** A 4xx. The reason is the code of its one detail, so that the page can offer the remedy. */
export function gatewayRejected(status: number, words: string, cause: Error): AppError {
  const reason = rejectionReason(status, words)
  const mensaje = MENSAJES[reason]
  return new AppError('rejected', 'gateway.rejected', mensaje, {
    cause,
    errors: [{ path: FIELDS[reason] ?? '', code: reason, message: mensaje }],
  })
}

/** The reason of a `gateway.rejected`; undefined for any other failure. */
export function rejectionReasonOf(error: unknown): RejectionReason | undefined {
  if (!(error instanceof AppError) || error.code !== 'gateway.rejected') return undefined
  return error.errors?.[0]?.code as RejectionReason | undefined
}

function rejectionReason(status: number, words: string): RejectionReason {
  if (status === 409) return 'idempotency_conflict'
  if (status === 403) return 'forbidden'
  return REASONS.find(([pattern]) => pattern.test(words))?.[1] ?? 'other'
}

/** MercadoPago has no codes for these: its sentences as measured (billing.md 2.1, 2.2). */
const REASONS: [RegExp, RejectionReason][] = [
  [/can ?not modify a cancell?ed preapproval/i, 'already_cancelled'],
  [/payer and collector must be real or test/i, 'both_real_or_test'],
  [
    /User bad request|payer.?e-?mail.*(invalid|match|different)|(invalid|match|different).*payer.?e-?mail/i,
    'payer_email_mismatch',
  ],
  [/reason has more than \d+ characters/i, 'reason_too_long'],
  [/(invalid value for|is required).*back.?url|back.?url.*(invalid|required|valid url)/i, 'invalid_back_url'],
  [/cannot pay an amount (lower|greater) than|must be a positive number/i, 'amount_out_of_range'],
  [/card_token_id is required/i, 'card_token_required'],
]

const FIELDS: Partial<Record<RejectionReason, string>> = {
  both_real_or_test: 'payerEmail',
  payer_email_mismatch: 'payerEmail',
  reason_too_long: 'reason',
  invalid_back_url: 'backUrl',
  amount_out_of_range: 'amount',
}

const MENSAJES: Record<RejectionReason, string> = {
  already_cancelled: 'Esta autorización de cobro ya está cancelada en MercadoPago. Crea una nueva.',
  both_real_or_test: 'El correo y nuestra cuenta de MercadoPago deben ser ambos reales o ambos de prueba.',
  payer_email_mismatch: 'MercadoPago no acepta este correo. Escribe el de tu cuenta de MercadoPago.',
  reason_too_long: 'La descripción del cobro tiene más de 60 caracteres.',
  invalid_back_url: 'MercadoPago no acepta nuestra dirección de regreso.',
  amount_out_of_range: 'MercadoPago no cobra este importe: el mínimo es $100.00 y el máximo $200,000.00.',
  card_token_required: 'MercadoPago pide los datos de la tarjeta para este cobro.',
  idempotency_conflict: 'MercadoPago recibió antes otra solicitud con la misma clave.',
  forbidden: 'MercadoPago no permite esta operación a nuestra cuenta.',
  other: 'MercadoPago rechazó la solicitud.',
}
