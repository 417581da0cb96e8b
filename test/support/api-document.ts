import fc from 'fast-check'
import type { Acceso } from '../../src/http/access.ts'
import type { App } from '../../src/http/zod.ts'

/** JSON Schema as our document has it: what zod writes, with references into the components. */
export interface Schema {
  $ref?: string
  type?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  format?: string
  pattern?: string
  default?: unknown
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
}

export interface Operation {
  /** `POST /api/cfdi` */
  name: string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  acceso: Acceso
  params: Record<string, Schema>
  query: Record<string, { schema: Schema; required: boolean }>
  body: { type: string; schema: Schema } | undefined
}

/** The operations of the app's own document: what the tests call is what the clients read. */
export async function operationsOf(app: Pick<App, 'inject'>): Promise<Operation[]> {
  const document = (await app.inject('/api/openapi.json')).json()
  const resolved = (schema: Schema): Schema =>
    schema.$ref ? resolved(at(document, schema.$ref)) : inside(schema, resolved)
  return Object.entries(document.paths as Record<string, Record<string, RawOperation>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => {
      const [type, content] = Object.entries(raw.requestBody?.content ?? {})[0] ?? []
      const fields = (place: string) => (raw.parameters ?? []).filter((field) => field.in === place)
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase() as Operation['method'],
        path,
        acceso: raw['x-acceso'],
        params: Object.fromEntries(fields('path').map((field) => [field.name, resolved(field.schema)])),
        query: Object.fromEntries(
          fields('query').map(({ name, schema, required }) => [name, { schema: resolved(schema), required }]),
        ),
        body: type && content ? { type, schema: resolved(content.schema) } : undefined,
      }
    }),
  )
}

interface RawOperation {
  'x-acceso': Acceso
  parameters?: { name: string; in: string; required: boolean; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}

function at(document: unknown, ref: string): Schema {
  const found = ref
    .slice(2)
    .split('/')
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)?.[key], document)
  if (!found) throw new Error(`${ref} leads nowhere`)
  return found as Schema
}

function inside(schema: Schema, resolve: (child: Schema) => Schema): Schema {
  const copy = { ...schema }
  if (copy.items) copy.items = resolve(copy.items)
  for (const key of ['anyOf', 'oneOf', 'allOf'] as const) if (copy[key]) copy[key] = copy[key].map(resolve)
  if (copy.properties)
    copy.properties = Object.fromEntries(Object.entries(copy.properties).map(([k, v]) => [k, resolve(v)]))
  return copy
}

/** A value that looks right: the right type and length, though perhaps of nobody and nothing. */
export function sample(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  const [alternative] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []
  if (alternative) return sample(alternative)
  switch (schema.type) {
    case 'string':
      return sampleText(schema)
    case 'integer':
    case 'number':
      return schema.minimum ?? schema.maximum ?? 1
    case 'boolean':
      return true
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => sample(schema.items ?? {}))
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, child]) => [key, named(key, child) ?? sample(child)]),
      )
    default:
      return null
  }
}

/** Values with a form that no pattern tells, known by their field's name. */
function named(field: string, schema: Schema): string | undefined {
  return schema.type === 'string' ? NAMED[field] : undefined
}

const NAMED: Record<string, string> = { email: 'nadie@ejemplo.mx', rfc: 'EKU9003173C9', plan: 'starter' }

function sampleText({ format, pattern, minLength = 1, maxLength = 50 }: Schema): string {
  if (format === 'uuid' || format === 'guid') return '019adb4e-0000-7000-8000-000000000000'
  if (format === 'email') return 'nadie@ejemplo.mx'
  if (format === 'date-time') return '2026-01-31T12:00:00Z'
  if (format === 'date') return '2026-01-31'
  const text = 'Muestra'.padEnd(minLength, 'x').slice(0, Math.max(minLength, Math.min(7, maxLength)))
  if (pattern === undefined || new RegExp(pattern, 'u').test(text)) return text
  return fc.sample(fc.stringMatching(new RegExp(pattern, 'u')), { seed: 1, numRuns: 1 })[0] ?? text
}

const HOSTILE = [
  [
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    'x\udfff',
    '\u202ex',
    '\ufeff',
    'ñ',
    'n\u0303',
    '�',
    '\r\nX: y',
    'x'.repeat(10_000),
  ],
  [
    '__proto__',
    'constructor',
    'toString',
    '%',
    '%00',
    '%_\\',
    "'; drop table cfdis; --",
    '{{7*7}}',
    '../../etc/passwd',
  ],
  ['0', '-0', '1e400', 'NaN', 'Infinity', '9'.repeat(30), '0x10', '1_000', '٣', '1.005', 'true', 'null', '[]', '{}'],
].flat()

export const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)),
      maxLength: 40,
    }),
  },
)

const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(null, true, [], {}, [[]], { length: 1 }, -0, 1e308, 2 ** 53),
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
)

/** Values shaped like the schema, with something hostile here and there, too much or too little here and there. */
export function hostile(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 5, arbitrary: shaped(schema) }, { weight: 1, arbitrary: hostileValue })
}

function shaped(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const alternatives = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (alternatives) return fc.oneof(...alternatives.map(shaped))
  switch (schema.type) {
    case 'string':
      return fc.oneof(
        { weight: 4, arbitrary: fc.constant(sampleText(schema)) },
        { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: Math.min(schema.maxLength ?? 60, 400) }) },
        { weight: 1, arbitrary: hostileText },
      )
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000 })
    case 'number':
      return fc.double({ noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(hostile(schema.items ?? {}), { maxLength: 5 })
    case 'object':
      return shapedObject(schema)
    default:
      return hostileValue
  }
}

/** Present once in `out of` + 1 times. */
export const rarely = <T>(arbitrary: fc.Arbitrary<T>, outOf: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: outOf, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

function shapedObject({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const fields = fc.record(
    Object.fromEntries(Object.entries(properties).map(([key, child]) => [key, field(key, child)])),
    { requiredKeys: [...required] },
  )
  const extra = fc.dictionary(fc.oneof(hostileText, fc.constantFrom(...Object.keys(properties), 'x')), hostileValue, {
    maxKeys: 1,
  })
  return fc.tuple(fields, rarely(extra, 7)).map(([own, more]) => ({ ...own, ...more }))
}

function field(key: string, schema: Schema): fc.Arbitrary<unknown> {
  const known = named(key, schema)
  return known === undefined ? hostile(schema) : fc.oneof({ weight: 3, arbitrary: fc.constant(known) }, hostile(schema))
}

/** The address of an operation. Bytes a URL cannot hold are percent-encoded, lone surrogates as the bytes they would be. */
export function addressOf(
  operation: Operation,
  params: Record<string, unknown>,
  query: readonly (readonly [string, unknown])[] = [],
): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => percent(textOf(params[name])) || '%20')
  const search = query.map(([key, value]) => `${percent(key)}=${percent(textOf(value))}`).join('&')
  return search ? `${path}?${search}` : path
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

function percent(text: string): string {
  let encoded = ''
  for (const char of text) {
    const unit = char.charCodeAt(0)
    const lone = char.length === 1 && unit >= 0xd800 && unit <= 0xdfff
    const bytes = lone ? [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)] : Buffer.from(char)
    encoded += /^[\w.~-]$/.test(char)
      ? char
      : [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  }
  return encoded
}
