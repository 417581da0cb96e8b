import type { RouteOptions } from 'fastify'
import { z } from 'zod'

/**
 * Refuses a route whose schemas would take or drop a field in silence: every object in them is `z.strictObject`.
 * In, an unknown field is a 400; out, it is a bug that a test finds instead of a column that leaks or a field that is missing.
 */
export function requireStrictSchemas(route: RouteOptions): void {
  for (const [place, schema] of schemasOf(route)) {
    const open = openObject(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
    if (open) throw new Error(`${route.method} ${route.url}: ${place}${open} is not a z.strictObject`)
  }
}

/** Every zod schema of a route, with its place. */
export function schemasOf({ schema }: RouteOptions): [string, z.ZodType][] {
  if (!schema) return []
  const requests = (['params', 'querystring', 'body', 'headers'] as const).map((place): [string, unknown] => [
    place,
    schema[place],
  ])
  const responses = Object.entries(schema.response ?? {}).map(([status, answer]): [string, unknown] => [
    `response.${status}`,
    answer,
  ])
  return [...requests, ...responses].filter((entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType)
}

/** The path of the first object that accepts unknown keys. A record (no fixed keys) is open on purpose. */
function openObject(node: unknown, path = ''): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  if ('properties' in node && !('additionalProperties' in node)) return path || ' itself'
  for (const [key, child] of Object.entries(node)) {
    const found = openObject(child, `${path}/${key}`)
    if (found) return found
  }
  return undefined
}
