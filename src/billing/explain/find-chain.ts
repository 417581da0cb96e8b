import type { CentralSql } from '../../db/databases.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { type Happening, toHappenings } from './happening.ts'
import { type EventRecord, findEvents } from './queries.ts'

/**
 * The events that led to what a subscription is now, the oldest first: from the last one that gave access (a payment, a
 * courtesy, the trial) on, without those that changed nothing and told nobody.
 */
export async function findChain(
  db: CentralSql,
  stored: Pick<StoredSubscription, 'id' | 'tenantId'>,
): Promise<Happening[]> {
  const records = await findEvents(db, stored.id, { limit: FAR_ENOUGH })
  const happenings = await toHappenings(db, stored, records)
  const root = happenings.findIndex(isRoot)
  const recent = root === -1 ? happenings : happenings.slice(0, root + 1)
  return recent.filter(({ changes, mails }) => changes.length > 0 || mails.length > 0).toReversed()
}

const FAR_ENOUGH = 200

const GIVES: ReadonlySet<EventRecord['event']> = new Set([
  'trial_iniciado',
  'alta_sin_trial',
  'pago_aprobado',
  'contracargo_ganado',
  'saldo_cubre',
  'reactivar_admin',
])

const isRoot = ({ record, changes }: Happening): boolean =>
  GIVES.has(record.event) && changes.some(({ fact }) => fact === 'paidThrough' || fact === 'estado')
