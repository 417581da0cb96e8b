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
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      serializers: SERIALIZERS,
      // Only the names at the top, which cost nothing and reach the bindings of a child too. What lies deeper is ours to
      // find: pino's wildcards copy and walk every line once per path, 44 µs of each request.
      redact: { paths: SECRET_NAMES.map((name) => `["${name}"]`), censor: CENSORED },
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
  // Most lines have nothing of the kind: what a pattern cannot do without is looked for first, at a tenth of its price.
  let clean = line
  if (clean.includes('-----BEGIN ')) clean = clean.replace(PEM, '[llave]')
  if (clean.includes('eyJ')) clean = clean.replace(JWT, '[token]')
  clean = clean.replace(BEARER, '$1 [token]')
  if (clean.includes('@')) clean = clean.replace(URL_PASSWORD, '$1[secreto]@')
  if (SECRET_WORDS.test(clean)) clean = clean.replace(QUOTED_SECRET, '$1[secreto]').replace(BARE_SECRET, '$1[secreto]')
  clean = clean.replace(OPAQUE_TOKEN, '[token]')
  if (clean.includes('@')) clean = clean.replace(EMAIL, '[correo]')
  return SIX_DIGITS.test(clean) ? clean.replace(RFC, '$1******$2') : clean
}

/** The same object, or a copy when something in it has the name of a secret or is a failure. */
function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  const nested = Object.keys(fields).filter((key) => isObject(fields[key]) && !Object.hasOwn(SERIALIZERS, key))
  if (nested.length === 0) return fields
  const seen = new Map<object, unknown>()
  const cleaned = nested.map((key): [string, unknown] => [key, withoutNested(fields[key] as object, seen, 1)])
  return { ...fields, ...Object.fromEntries(cleaned) }
}

/** A copy, each object once. As deep as pino writes; what has a text of its own (a Date, a URL) is no bag of fields. */
function withoutNested(value: object, seen: Map<object, unknown>, depth: number): unknown {
  if (value instanceof Error) return errorFields(value)
  if (depth > MOST_NESTED || 'toJSON' in value) return value
  if (seen.has(value)) return seen.get(value)
  const clean = (item: unknown) => (isObject(item) ? withoutNested(item, seen, depth + 1) : item)
  if (Array.isArray(value)) {
    const copy: unknown[] = []
    seen.set(value, copy)
    for (const item of value) copy.push(clean(item))
    return copy
  }
  const copy: Record<string, unknown> = Object.create(null)
  seen.set(value, copy)
  for (const [key, item] of Object.entries(value)) copy[key] = SECRET.has(key) ? CENSORED : clean(item)
  return copy
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const SECRET_NAMES = [
  ['password', 'passwordActual', 'passwordNueva', 'contrasena', 'token', 'accessToken', 'refreshToken', 'secret'],
  ['authorization', 'cookie', 'set-cookie', 'key', 'fiel', 'cer', 'xml', 'body', 'payload', 'parameters'],
].flat()
const SECRET = new Set(SECRET_NAMES)
const CENSORED = '[secreto]'
const MOST_NESTED = 6
const SERIALIZERS = { err: errorFields, error: errorFields }

const PEM = /-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|$)/gs
const JWT = /eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g
const BEARER = /\b(Bearer|Basic) [\w.~+/=-]+/gi
const URL_PASSWORD = /(:\/\/[^:@/\s"]*:)[^@/\s"]+@/g
const SECRET_WORD = '(?:password|contrase(?:ñ|n)a|secret|secreto|token|cookie|authorization)'
const SECRET_WORDS = new RegExp(SECRET_WORD, 'i')
const QUOTED_SECRET = new RegExp(`(${SECRET_WORD}\\w*\\\\?["']?\\s*[:=]\\s*\\\\?["'])(?:[^"'\\\\]|\\\\[^"'])+`, 'gi')
const BARE_SECRET = new RegExp(`(${SECRET_WORD}=)[^\\s"'\\\\&,;]+`, 'gi')
/** 256 random bits in base64url, as our links and refresh tokens are. */
const OPAQUE_TOKEN = /(?<![\w-])[\w-]{43}(?![\w-])/g
const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu
const SIX_DIGITS = /\d{6}/
const RFC =
  /(?<![\p{L}\p{N}-])([A-ZÑ&]{3,4})\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])([A-Z0-9]{3})(?![\p{L}\p{N}])/giu

/** What we want to know of a failure. By name: drivers hang the query, its parameters and the row onto their errors. */
function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error))
    return isObject(error) ? withoutNested(error, new Map(), 1) : { message: String(error) }
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
