import type { RouteOptions } from 'fastify'
import { z } from 'zod'
import type { Acceso } from './access.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** One Spanish sentence: what the operation does. */
    summary?: string
    description?: string
    tags?: readonly string[]
    /** What the body may be, when it is not JSON. */
    consumes?: readonly string[]
    hide?: boolean
  }
}

/** The schema of a route that is no part of the API: the page of the document, a 405. */
export const hidden = { hide: true }

/** A JSON value; documents are built, never parsed. */
export type Json = { [key: string]: unknown }

/**
 * The OpenAPI 3.1 document of `routes`, from the same zod schemas that validate and serialise.
 * Each operation says in `x-acceso` who may call it.
 */
export function openApiDocument(routes: readonly RouteOptions[], info: { version: string; url: string }): Json {
  const schemas: Json = { Problema: PROBLEM }
  const paths: Record<string, Json> = {}
  for (const route of routes.filter(isDocumented)) {
    const path = route.url.replace(/:(\w+)/g, '{$1}')
    for (const method of [route.method].flat().filter((name) => name !== 'HEAD')) {
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(method, path, route, schemas) }
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Horux360',
      version: info.version,
      description:
        'CFDI, IVA e ISR por empresa. Los errores son problemas RFC 9457: compara `code`, muestra `detail`. Los importes son texto con dos decimales; las fechas de un CFDI son hora local sin zona.',
    },
    servers: [{ url: info.url }],
    tags: [...new Set(routes.flatMap(({ schema }) => schema?.tags ?? []))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      responses: {
        Problema: {
          description: 'Problema (RFC 9457)',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problema' } } },
        },
      },
      securitySchemes: {
        sesion: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'El `accessToken` de `POST /api/auth/login`.',
        },
      },
    },
  }
}

export const isDocumented = ({ schema, method, url }: RouteOptions): boolean =>
  schema?.hide !== true && method !== 'HEAD' && method !== 'OPTIONS' && url !== '*'

function operation(method: string, path: string, { schema, config }: RouteOptions, schemas: Json): Json {
  const acceso = config?.acceso as Acceso
  const open = acceso.quien === 'publico'
  const body = schema?.body instanceof z.ZodType ? schema.body : undefined
  const parameters = [
    ...fields('path', schema?.params, schemas),
    ...fields('query', schema?.querystring, schemas),
    ...(method !== 'GET' && !open && !config?.respuestaSecreta ? [IDEMPOTENCY_KEY] : []),
    ...(acceso.quien === 'empresa' ? [VIEW_TENANT] : []),
  ]
  const problems = [
    '400',
    ...(open ? [] : ['401', '403']),
    ...(acceso.quien === 'empresa' ? ['402'] : []),
    ...(path.includes('{') ? ['404'] : []),
    ...(body ? ['413', '415'] : []),
    '429',
    '503',
  ]
  return {
    operationId: operationId(method, path),
    summary: schema?.summary,
    ...(schema?.description && { description: schema.description }),
    ...(schema?.tags && { tags: schema.tags }),
    security: open ? [] : [{ sesion: [] }],
    'x-acceso': acceso,
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: contentOf(schema?.consumes ?? ['application/json'], jsonSchema(body, 'input', schemas)),
      },
    }),
    responses: {
      ...Object.fromEntries(problems.map((status) => [status, { $ref: '#/components/responses/Problema' }])),
      ...Object.fromEntries(
        Object.entries(schema?.response ?? { 204: undefined }).map(([status, answer]) => [
          status,
          response(status, answer, schemas),
        ]),
      ),
      default: { $ref: '#/components/responses/Problema' },
    },
  }
}

/** `getApiCfdiUuidXml`: stable as long as the path is, and a fair name for a generated client. */
const operationId = (method: string, path: string) =>
  method.toLowerCase() + path.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? '')

function fields(place: 'path' | 'query', schema: unknown, schemas: Json): Json[] {
  if (!(schema instanceof z.ZodType)) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'input', schemas) as {
    properties?: Record<string, Json>
    required?: string[]
  }
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: field,
  }))
}

function response(status: string, answer: unknown, schemas: Json): Json {
  const description = DESCRIPTIONS[status] ?? 'Respuesta'
  if (answer instanceof z.ZodType) {
    const empty = answer instanceof z.ZodVoid || answer instanceof z.ZodNull || answer instanceof z.ZodUndefined
    return empty
      ? { description }
      : { description, content: contentOf(['application/json'], jsonSchema(answer, 'output', schemas)) }
  }
  const byType = (answer as { content?: Record<string, { schema: z.ZodType }> } | undefined)?.content
  if (!byType) return { description }
  const content = Object.entries(byType).map(([type, { schema }]) => [
    type,
    { schema: jsonSchema(schema, 'output', schemas) },
  ])
  return { description, content: Object.fromEntries(content) }
}

const contentOf = (types: readonly string[], schema: Json): Json =>
  Object.fromEntries(types.map((type) => [type, { schema }]))

/** JSON Schema 2020-12, as OpenAPI 3.1 wants it. What has an id (`.meta({ id })`) moves to the components. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const {
    $schema,
    $defs = {},
    ...own
  } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: json }) => {
      // Bytes: the only thing we take or give that JSON has no word for.
      const { def } = zodSchema._zod
      if (def.type === 'custom') Object.assign(json, { type: 'string', format: 'binary' })
      // zod leaves it out where the text of a querystring becomes a number first.
      if (def.type === 'default') Object.assign(json, { default: (def as z.core.$ZodDefaultDef).defaultValue })
    },
  }) as Json & { $defs?: Record<string, Json> }
  const renamed = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(renamed)
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => [
        key,
        key === '$ref' && typeof value === 'string'
          ? value.replace('#/$defs/', '#/components/schemas/')
          : renamed(value),
      ]),
    )
  }
  for (const [name, definition] of Object.entries($defs)) {
    const { $schema: _, id: __, ...moved } = renamed(definition) as Json
    if (name in schemas && JSON.stringify(schemas[name]) !== JSON.stringify(moved))
      throw new Error(`two schemas are called ${name}`)
    schemas[name] = moved
  }
  return renamed(own) as Json
}

const DESCRIPTIONS: Record<string, string> = {
  200: 'Hecho',
  201: 'Creado',
  202: 'Aceptado: sigue en segundo plano',
  204: 'Hecho, sin contenido',
}

const IDEMPOTENCY_KEY: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Repetir la solicitud con la misma clave en 24 h devuelve la misma respuesta sin hacerla dos veces.',
  schema: { type: 'string', minLength: 1, maxLength: 64 },
}

const VIEW_TENANT: Json = {
  name: 'X-View-Tenant',
  in: 'header',
  required: false,
  description: 'Id o RFC de la empresa que mira el personal de la plataforma, con una vista abierta.',
  schema: { type: 'string', maxLength: 36 },
}

const PROBLEM: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'Qué pasó, para mostrarlo.' },
    code: { type: 'string', description: 'Estable: compáralo.' },
    requestId: { type: 'string' },
    enlace: { type: 'string', description: 'La página donde se resuelve, si la hay.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'code', 'message'],
        properties: { path: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
}
