import { setTimeout as pause } from 'node:timers/promises'
import type { Changes } from '../db/changes.ts'
import type { CentralDb } from '../db/databases.ts'
import { tenantNotFound } from './errors.ts'
import type { Operation } from './operations/operation.ts'
import { findOperation } from './operations/queries.ts'

/**
 * Waits until an operation has ended, at most `timeoutMs`; then as it stands. Told by the change of the tenant's
 * placement, which most operations end with, and looks by itself every quarter of a second.
 */
export async function awaitOperation(
  { central, changes }: { central: CentralDb; changes: Pick<Changes, 'on'> },
  id: string,
  timeoutMs: number,
): Promise<Operation> {
  const deadline = performance.now() + timeoutMs
  let news = Promise.withResolvers<void>()
  const deaf = changes.on('tenant', () => news.resolve())
  try {
    for (;;) {
      const operation = await findOperation(central, id)
      if (!operation) throw tenantNotFound()
      const left = deadline - performance.now()
      if (operation.finishedAt || left <= 0) return operation
      await Promise.race([news.promise, pause(Math.min(left, LOOK_MS))])
      news = Promise.withResolvers<void>()
    }
  } finally {
    deaf()
  }
}

const LOOK_MS = 250
