import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
import { z } from 'zod'
import { invalidRequest, sentence } from './invalid-request.ts'
import { JsonText } from './json-text.ts'

/** Gives `request.body` and the others their types, and the handler's return value its shape. */
export interface ZodProvider extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> | JsonText<z.input<this['schema']>> : unknown
}

/** The Fastify instance every `routes.ts` receives. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodProvider
>

/** Parses what comes in. A failure is an AppError `request.invalid` that names each finding in Spanish. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema }) => {
  return (data: unknown) => {
    const result = schema.safeParse(data, { reportInput: true, error: sentence })
    return result.success ? { value: result.data } : { error: invalidRequest(result.error, schema) }
  }
}

/**
 * Shapes what goes out. A value that is not what the route promised is a bug and becomes a 500; nothing is stripped
 * in silence, because response objects are strict (`strict-schemas.ts`). `checkText` also parses answers that arrive
 * as JSON text already: tests do, production trusts the query that made them.
 */
export const serializerCompiler =
  ({ checkText }: { checkText: boolean }): FastifySerializerCompiler<z.ZodType> =>
  ({ schema, method, url, httpStatus }) => {
    const promised = (value: unknown): unknown => {
      const result = schema.safeParse(value)
      if (result.success) return result.data
      throw new Error(`${method} ${url} answered ${httpStatus} against its schema`, { cause: result.error })
    }
    return (value: unknown) => {
      if (!(value instanceof JsonText)) return JSON.stringify(promised(value))
      if (checkText) promised(JSON.parse(value.text))
      return value.text
    }
  }

const FALTA = 'No puede estar vacío.'
const SUCIO = 'Contiene caracteres que no se permiten (de control, invisibles o mal formados).'

// Refused everywhere: control characters (PostgreSQL answers NUL with an error, logs and mails break on the others),
// lone surrogates (no UTF-8 for them) and bidirectional overrides (a name that reads differently than it is).
const CLEAN = /^[^\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]*$/u
const CLEAN_LINES = /^(?:[^\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]|[\n\t])*$/u

/** Text of one line a person wrote: NFC, trimmed, 1 to `max` UTF-16 units after that. */
export const texto = (max: number) => compuesto(max).trim().min(1, FALTA).max(max).regex(CLEAN, SUCIO)

/** Like `texto`, with line breaks and tabs inside. */
export const textoLargo = (max: number) => compuesto(max).trim().min(1, FALTA).max(max).regex(CLEAN_LINES, SUCIO)

// Putting combining marks in canonical order takes the square of their number: a body full of them held the process for
// two minutes. So what neither spaces nor decomposed letters explain is refused first: a letter has three marks at most.
const compuesto = (max: number) =>
  z
    .string()
    .max(4 * max + 100, { abort: true, error: `Debe tener como máximo ${max} caracteres.` })
    .normalize('NFC')

/** Text taken as it is, never trimmed or normalised: passwords, tokens, reasons of a machine. */
export const textoExacto = (max: number, min = 1) => z.string().min(min).max(max).regex(CLEAN, SUCIO)

/** An id of ours. */
export const uuid = z.uuid().toLowerCase()

/** A folio fiscal: any 8-4-4-4-12 in hexadecimal, because PACs do not all follow RFC 9562. Upper or lower case. */
export const uuidFiscal = z.guid()

/** A system instant. Handlers answer a Date, the wire has ISO 8601 with `Z`. */
export const instante = z
  .date()
  .transform((date) => date.toISOString())
  .pipe(z.iso.datetime())

/** An amount as a decimal string with two places, within numeric(18,2). */
export const importe = z
  .string()
  .regex(/^-?\d{1,16}\.\d{2}$/, 'Se esperaba un importe con dos decimales, como 1234.50.')

/** A whole number of a querystring or a path, where everything arrives as text. */
export const entero = (min: number, max: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value),
    z.int().min(min).max(max),
  )

/** `true` or `false` of a querystring. */
export const booleano = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
)

/** How many rows a page has. */
export const limite = entero(1, 200).default(50)

/** Where the next page starts: opaque, made by `encodeCursor`. */
export const cursor = z
  .string()
  .regex(/^[\w-]{1,600}$/, 'El cursor no es válido. Usa el valor de "siguiente" tal como lo recibiste.')

/** A page of a list. `siguiente` is null on the last one. */
export const pagina = <T extends z.ZodType>(dato: T) =>
  z.strictObject({ datos: z.array(dato), siguiente: cursor.nullable() })
