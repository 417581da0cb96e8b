import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type ErrorDetail, type ErrorKind } from '../errors.ts'

/** RFC 9457. A client compares `code` and shows `detail`. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: string
  requestId: string
  errors?: readonly ErrorDetail[]
  /** The page where it can be put right. */
  enlace?: string
}

interface Failure {
  status: number
  code: string
  mensaje: string
  retryAfterS?: number | undefined
  errors?: readonly ErrorDetail[] | undefined
  enlace?: string | undefined
}

/** Answers a failure, whoever threw it. The only place that knows which status a kind of failure has. */
export function sendProblem(
  error: FastifyError | AppError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const failure = describe(error)
  failed.set(request, failure.code)
  // The line of the request carries the code. Only what somebody must look into gets one with its stack.
  if (failure.status === 500) request.log.error({ err: error, code: failure.code }, 'request failed')
  else if (failure.status > 500 && error.cause !== undefined) request.log.warn({ err: error }, 'request refused')
  if (failure.retryAfterS !== undefined)
    reply.header('retry-after', String(Math.max(1, Math.ceil(failure.retryAfterS))))
  if (failure.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply
    .code(failure.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemOf(failure, request.id)))
}

/** The code a request failed with, for its line in the log. */
export const failureCode = (request: FastifyRequest): string | undefined => failed.get(request)

const failed = new WeakMap<FastifyRequest, string>()

/** The body of a problem. */
export function problemOf({ status, code, mensaje, errors, enlace }: Failure, requestId: string): Problem {
  const type = `https://horux360.mx/errores/${code}`
  const more = { ...(errors && { errors }), ...(enlace !== undefined && { enlace }) }
  return { type, title: TITLES[status] ?? 'Error', status, detail: mensaje, code, requestId, ...more }
}

/** The status and words of any failure. What nobody expected says nothing about itself. */
export function describe(error: FastifyError | AppError | Error): Failure {
  if (error instanceof AppError) {
    const { kind, code, mensaje, retryAfterS, errors, enlace } = error
    return { status: STATUS[kind], code, mensaje, retryAfterS, errors, enlace }
  }
  // Anything can be thrown, null too.
  const { statusCode: status = 500, code } = (error ?? {}) as Partial<FastifyError>
  const known = FRAMEWORK.get(String(code))
  if (known) return { status, ...known }
  // The framework's other refusals. A 5xx that we did not raise ourselves is a bug.
  if (status >= 400 && status < 500)
    return {
      status,
      ...(REFUSALS[status] ?? { code: `request.${status}`, mensaje: 'No pudimos aceptar la solicitud.' }),
    }
  return { status: 500, code: 'unexpected', mensaje: 'Ocurrió un error inesperado. Ya lo registramos.' }
}

const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  payment_required: 402,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  too_large: 413,
  unsupported: 415,
  rejected: 422,
  too_many: 429,
  unavailable: 503,
  no_space: 507,
}

type Words = Pick<Failure, 'code' | 'mensaje' | 'retryAfterS'>

const FRAMEWORK = new Map<string, Words>(
  Object.entries({
    FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'request.invalid_json', mensaje: 'El cuerpo de la solicitud está vacío.' },
    FST_ERR_CTP_INVALID_JSON_BODY: {
      code: 'request.invalid_json',
      mensaje: 'El cuerpo de la solicitud no es JSON válido.',
    },
    FST_ERR_BAD_URL: { code: 'request.invalid_url', mensaje: 'La dirección no es válida.' },
    FST_ERR_HANDLER_TIMEOUT: {
      code: 'request.timeout',
      mensaje: 'La operación tardó demasiado. Intenta de nuevo.',
      retryAfterS: 5,
    },
    FST_UNDER_PRESSURE: {
      code: 'sobrecarga',
      mensaje: 'Hay demasiadas solicitudes en este momento. Intenta de nuevo en unos segundos.',
      retryAfterS: 5,
    },
  }),
)

const REFUSALS: Record<number, Words> = {
  400: { code: 'request.invalid', mensaje: 'La solicitud no es válida.' },
  401: { code: 'auth.unauthenticated', mensaje: 'Inicia sesión para continuar.' },
  403: { code: 'auth.forbidden', mensaje: 'No tienes permiso para hacer esto.' },
  404: { code: 'request.not_found', mensaje: 'Esta dirección no existe.' },
  405: { code: 'request.method_not_allowed', mensaje: 'Esta dirección no acepta ese método.' },
  408: { code: 'request.timeout', mensaje: 'La solicitud tardó demasiado en llegar.' },
  413: { code: 'request.too_large', mensaje: 'El cuerpo de la solicitud es demasiado grande.' },
  414: { code: 'request.invalid_url', mensaje: 'La dirección es demasiado larga.' },
  415: { code: 'request.unsupported_media_type', mensaje: 'No aceptamos ese tipo de contenido aquí.' },
  429: { code: 'request.too_many', mensaje: 'Demasiadas solicitudes. Espera un momento.' },
  431: { code: 'request.headers_too_large', mensaje: 'Los encabezados de la solicitud son demasiado grandes.' },
}

const TITLES: Record<number, string> = {
  400: 'Solicitud inválida',
  401: 'Sin sesión',
  402: 'Tu plan o tu suscripción no lo permite',
  403: 'Sin permiso',
  404: 'No encontrado',
  405: 'Método no permitido',
  408: 'Tiempo agotado',
  409: 'Conflicto',
  410: 'Ya no existe',
  413: 'Demasiado grande',
  414: 'Dirección demasiado larga',
  415: 'Tipo de contenido no aceptado',
  422: 'Rechazado por una regla',
  429: 'Demasiadas solicitudes',
  431: 'Encabezados demasiado grandes',
  500: 'Error inesperado',
  503: 'No disponible por ahora',
  507: 'Sin espacio',
}
