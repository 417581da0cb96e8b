import { AppError } from '../../errors.ts'

/**
 * Whether everything else that is asked through the same connector would fail too: MercadoPago failed five times in a row,
 * or takes our credentials no longer, or we may not use them here, or there is no database to write to. One answer that
 * failed or cannot be read says no such thing: it may always fail for that one resource.
 */
export const isAway = (error: unknown): boolean =>
  error instanceof AppError && (ALL.has(error.code) || error.code.startsWith('connectors.'))

const ALL: ReadonlySet<string> = new Set(['gateway.breaker_open', 'gateway.unauthorized', 'database.unavailable'])
