/** Why an expected failure happened. `http/problem.ts` is the only place that turns a kind into a status. */
export type ErrorKind =
  | 'invalid' // 400: the request is not understood
  | 'unauthenticated' // 401
  | 'payment_required' // 402: the plan does not allow it
  | 'forbidden' // 403
  | 'not_found' // 404
  | 'conflict' // 409
  | 'gone' // 410
  | 'too_large' // 413
  | 'unsupported' // 415
  | 'rejected' // 422: understood, and against a rule
  | 'too_many' // 429
  | 'unavailable' // 503: try again later
  | 'no_space' // 507

/** One finding of a request with several: `path` is a JSON path or an attribute path. */
export interface ErrorDetail {
  path: string
  code: string
  message: string
}

export interface AppErrorOptions extends ErrorOptions {
  /** Seconds after which a retry makes sense. Sent as `Retry-After`. */
  retryAfterS?: number
  errors?: readonly ErrorDetail[]
  /** The page of the product where the person can put it right. */
  enlace?: string
}

/**
 * The one class for expected failures. `code` is stable and in English (`slice.what`), `mensaje` is the Spanish
 * sentence the user reads. Anything thrown that is not an AppError is a bug: logged whole, answered without detail.
 */
export class AppError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly mensaje: string
  readonly retryAfterS: number | undefined
  readonly errors: readonly ErrorDetail[] | undefined
  readonly enlace: string | undefined

  constructor(kind: ErrorKind, code: string, mensaje: string, options: AppErrorOptions = {}) {
    super(`${code}: ${mensaje}`, options)
    this.name = 'AppError'
    this.kind = kind
    this.code = code
    this.mensaje = mensaje
    this.retryAfterS = options.retryAfterS
    this.errors = options.errors
    this.enlace = options.enlace
  }
}
