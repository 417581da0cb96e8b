/**
 * Text as PostgreSQL takes it: it has no NUL, and no UTF-8 for half a character. What stands in a body is nobody's word
 * anyway, so it is mended and not refused: a delivery that is refused comes again for days.
 */
export const storableText = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed()

/** A body as `jsonb` takes it. One that is no object, or deeper than anything MercadoPago sends, is kept as `{}`. */
export function storableBody(body: unknown): object {
  if (typeof body !== 'object' || body === null || !isShallow(body, MOST_LEVELS)) return {}
  return mended(body) as object
}

/** MercadoPago's own have two. Both `JSON.stringify` and PostgreSQL go down by recursion, and their stacks end. */
const MOST_LEVELS = 20

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1))
}

function mended(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(mended)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [storableText(name), mended(part)]))
}
