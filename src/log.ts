import { type DestinationStream, type Logger, pino } from 'pino'

/**
 * The process's log: one JSON line per fact, for journald to rotate. Secrets go by path and by shape, because a value
 * may also stand inside a message, a stack or the text of a failure of PostgreSQL.
 */
export function createLog(options: { level: string; service: string; destination?: DestinationStream }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields, error: errorFields },
      redact: { paths: SECRET_PATHS, censor: '[secreto]' },
      hooks: { streamWrite: scrub },
    },
    options.destination ?? pino.destination({ sync: true }),
  )
}

/**
 * A line without what has the shape of a secret or of a person: PEM, tokens, passwords in text or address, e-mails,
 * RFCs (`XAXX******000`). Replacements hold no quote and no backslash, so that a line of JSON stays one.
 */
export function scrub(line: string): string {
  return line
    .replace(PEM, '[llave]')
    .replace(JWT, '[token]')
    .replace(BEARER, '$1 [token]')
    .replace(URL_PASSWORD, '$1[secreto]@')
    .replace(QUOTED_SECRET, '$1[secreto]')
    .replace(BARE_SECRET, '$1[secreto]')
    .replace(OPAQUE_TOKEN, '[token]')
    .replace(EMAIL, '[correo]')
    .replace(RFC, '$1******$2')
}

const SECRET_NAMES = [
  ['password', 'passwordActual', 'passwordNueva', 'contrasena', 'token', 'accessToken', 'refreshToken', 'secret'],
  ['authorization', 'cookie', 'set-cookie', 'key', 'fiel', 'cer', 'xml', 'body', 'payload', 'parameters'],
].flat()
const SECRET_PATHS = SECRET_NAMES.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`])

const PEM = /-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|$)/gs
const JWT = /eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g
const BEARER = /\b(Bearer|Basic) [\w.~+/=-]+/gi
const URL_PASSWORD = /(:\/\/[^:@/\s"]*:)[^@/\s"]+@/g
const SECRET_WORD = '(?:password|contrase(?:ñ|n)a|secret|secreto|token|cookie|authorization)'
const QUOTED_SECRET = new RegExp(`(${SECRET_WORD}\\w*\\\\?["']?\\s*[:=]\\s*\\\\?["'])(?:[^"'\\\\]|\\\\[^"'])+`, 'gi')
const BARE_SECRET = new RegExp(`(${SECRET_WORD}=)[^\\s"'\\\\&,;]+`, 'gi')
/** 256 random bits in base64url, as our links and refresh tokens are. */
const OPAQUE_TOKEN = /(?<![\w-])[\w-]{43}(?![\w-])/g
const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu
const RFC =
  /(?<![\p{L}\p{N}-])([A-ZÑ&]{3,4})\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])([A-Z0-9]{3})(?![\p{L}\p{N}])/giu

/** What we want to know of a failure. By name: drivers hang the query, its parameters and the row onto their errors. */
function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  const known = [
    'code',
    'kind',
    'severity',
    'schema_name',
    'table_name',
    'constraint_name',
    'routine',
    'syscall',
  ] as const
  const fields = Object.fromEntries(
    known.flatMap((name) => (name in error ? [[name, (error as unknown as Record<string, unknown>)[name]]] : [])),
  )
  const cause = error.cause === undefined || depth >= 3 ? {} : { cause: errorFields(error.cause, depth + 1) }
  return { type: error.name, message: error.message, ...fields, stack: error.stack, ...cause }
}
