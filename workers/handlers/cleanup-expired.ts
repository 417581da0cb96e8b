import { deleteExpiredAccess } from '../../src/auth/expired-queries.ts'
import { deleteExpiredKeys } from '../../src/db/idempotency-keys.ts'
import { deleteExpiredCounters } from '../../src/db/rate-counters.ts'
import type { Handler } from '../handler.ts'

export const onCleanupExpired: Handler<'cleanup.expired'> = async ({ central, clock }) => {
  await deleteExpiredKeys(central)
  await deleteExpiredCounters(central)
  await deleteExpiredAccess(central, clock.now())
  return undefined
}
