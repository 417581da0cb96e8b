import { z } from 'zod'
import { AppError } from '../errors.ts'

/** The sort key of a page's last row, made opaque. */
export const encodeCursor = (key: readonly (string | number | null)[]): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url')

/**
 * The sort key inside a cursor, parsed by the list's own schema: a client may send anything.
 * @throws AppError invalid `request.invalid_cursor`.
 */
export function decodeCursor<T>(cursor: string, key: z.ZodType<T>): T {
  const result = key.safeParse(readJson(Buffer.from(cursor, 'base64url').toString('utf8')))
  if (result.success) return result.data
  throw new AppError(
    'invalid',
    'request.invalid_cursor',
    'El cursor no es de esta lista. Vuelve a empezar desde la primera página.',
  )
}

/** An instant in the key of a cursor, as `Date.toISOString` writes ours: a year that PostgreSQL has not is nobody's. */
export const momento = z.iso.datetime().regex(/^[1-9]\d{3}-/)

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
