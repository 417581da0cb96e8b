import type { CentralDb } from '../../db/databases.ts'
import { sqlState } from '../../db/failures.ts'
import type { Queue } from '../../queue/queue.ts'
import { type Delivery, insertDeliveries } from './queries.ts'

/** Keeps a delivery and leaves its job; resolves after the commit with whether it was new. */
export type KeepDelivery = (delivery: Delivery) => Promise<boolean>

interface Waiting {
  delivery: Delivery
  resolve(isNew: boolean): void
  reject(error: unknown): void
}

/**
 * Deliveries that arrive while others are being written are written together next: a burst of hundreds costs a few
 * commits and one session, and a single one waits for nobody. Each is answered after its own commit.
 */
export function deliveryKeeper({
  central,
  queue,
}: {
  central: CentralDb
  queue: Pick<Queue, 'enqueueAll'>
}): KeepDelivery {
  const waiting: Waiting[] = []
  let writing = false

  async function write(batch: readonly Waiting[]): Promise<void> {
    try {
      const kept = new Set(await keep(batch.map(({ delivery }) => delivery)))
      for (const { delivery, resolve } of batch) resolve(kept.has(delivery.id))
    } catch (error) {
      const [only] = batch
      if (only && batch.length === 1) return only.reject(error)
      // A database that is away would be asked a hundred times, while more arrive: all of them come again.
      if (!isRefusedValue(error)) {
        for (const { reject } of batch) reject(error)
        return
      }
      // One of them may be what the database refuses: the others are not to be lost for it.
      for (const one of batch) await write([one])
    }
  }

  const keep = (deliveries: readonly Delivery[]) =>
    central.transaction().execute(async (trx) => {
      const kept = await insertDeliveries(trx, deliveries)
      const news = new Set(kept)
      const resources = deliveries.filter(({ id }) => news.has(id)).map(({ resource }) => resource)
      if (resources.length > 0) await queue.enqueueAll(trx, 'billing.fetch', resources)
      return kept
    })

  async function writeAll(): Promise<void> {
    writing = true
    while (waiting.length > 0) await write(waiting.splice(0, MOST_AT_ONCE))
    writing = false
  }

  return (delivery) => {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    waiting.push({ delivery, resolve, reject })
    if (!writing) void writeAll()
    return promise
  }
}

const MOST_AT_ONCE = 100

/** Data exceptions, violated constraints, limits of the program: for what was sent, not for how the server is. */
const isRefusedValue = (error: unknown): boolean => /^(22|23|54)/.test(sqlState(error) ?? '')
