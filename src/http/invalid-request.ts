import { z } from 'zod'
import { AppError, type ErrorDetail } from '../errors.ts'

const MOST_DETAILS = 50

/** zod's findings about a request as one AppError, each with its path. An unknown key is named, with what was probably meant. */
export function invalidRequest(error: z.ZodError, schema: z.ZodType): AppError {
  const errors = error.issues.flatMap((issue) => details(issue, schema)).slice(0, MOST_DETAILS)
  const [first] = errors
  const mensaje = first ? `${first.path ? `${first.path}: ` : ''}${first.message}` : 'La solicitud no es válida.'
  return new AppError('invalid', 'request.invalid', mensaje, { errors })
}

function details(issue: z.core.$ZodIssue, schema: z.ZodType): ErrorDetail[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, shown(key)]),
      code: 'unknown_key',
      message: `No existe este campo.${suggestion(key, issue.path.length === 0 ? knownKeys(schema) : [])}`,
    }))
  }
  const code = issue.code === 'invalid_type' && issue.input === undefined ? 'required' : issue.code
  return [{ path: pathText(issue.path), code, message: issue.message }]
}

/** What is wrong, for the parse of a request: zod asks here for whatever the schema itself has no words for. */
export const sentence: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'Falta este dato.' : `Se esperaba ${TYPES[issue.expected] ?? issue.expected}.`
    case 'too_small':
      return `Debe ${UNITS[issue.origin]?.('al menos', issue.minimum) ?? `ser al menos ${issue.minimum}`}.`
    case 'too_big':
      return `Debe ${UNITS[issue.origin]?.('como máximo', issue.maximum) ?? `ser como máximo ${issue.maximum}`}.`
    case 'invalid_value':
      return `Debe ser uno de: ${issue.values.map(String).join(', ')}.`
    case 'invalid_union':
      return 'No corresponde a ninguna de las formas permitidas.'
    case 'invalid_format':
      return FORMATS[issue.format] ?? 'No tiene la forma esperada.'
    default:
      return SPANISH(issue)
  }
}

const SPANISH = z.locales.es().localeError

const UNITS: Record<string, (limit: string, n: number | bigint) => string> = {
  string: (limit, n) => `tener ${limit} ${n} ${n === 1 ? 'carácter' : 'caracteres'}`,
  array: (limit, n) => `tener ${limit} ${n} ${n === 1 ? 'elemento' : 'elementos'}`,
}

/** Zod's own say «Inválido UUID», «Inválido fecha ISO». */
const FORMATS: Record<string, string> = {
  uuid: 'No es un identificador (UUID).',
  guid: 'No es un identificador (UUID).',
  email: 'No es una dirección de correo.',
  url: 'No es una dirección de Internet.',
  date: 'Se esperaba una fecha como 2026-03-31.',
  datetime: 'Se esperaba una fecha y hora como 2026-03-31T18:00:00Z.',
}

const TYPES: Record<string, string> = {
  string: 'texto',
  number: 'un número',
  int: 'un número entero',
  boolean: 'verdadero o falso',
  object: 'un objeto',
  array: 'una lista',
  date: 'una fecha',
  null: 'nulo',
}

/** `partidas[0].rfc`. Keys come from outside: long ones are cut, strange characters escaped. */
function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i ? '.' : ''}${String(key)}`)).join('')
}

const shown = (key: string) => JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key).slice(1, -1)

const knownKeys = (schema: z.ZodType): string[] => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : [])

function suggestion(key: string, known: readonly string[]): string {
  const close = known.find(
    (name) => distance(key.slice(0, 40).toLowerCase(), name.toLowerCase()) <= Math.min(2, name.length / 3),
  )
  if (close !== undefined) return ` ¿Quisiste decir "${close}"?`
  return known.length > 0 ? ` Se aceptan: ${known.join(', ')}.` : ''
}

/** Levenshtein distance: how many letters must be typed to turn one word into the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
