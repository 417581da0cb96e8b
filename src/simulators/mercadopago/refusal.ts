import { AppError, type ErrorKind } from '../../errors.ts'

/** How MercadoPago refuses: its own words (they are compared with, so they stay as measured), and a status. */
export const refusal = (kind: ErrorKind, error: string, message: string) => new AppError(kind, error, message)

export const badRequest = (message: string) => refusal('invalid', 'bad_request', message)
export const notFound = (message: string) => refusal('not_found', 'not_found', message)

const STATUS: Partial<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  unavailable: 503,
}

export function refusalAnswer(error: AppError): { status: number; body: Record<string, unknown> } {
  const status = STATUS[error.kind] ?? 400
  return { status, body: { message: error.mensaje, error: error.code, status, cause: [] } }
}
