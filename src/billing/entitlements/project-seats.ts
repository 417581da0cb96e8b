import type { CentralDb } from '../../db/databases.ts'
import { type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import { countMembers } from '../../tenants/seat-queries.ts'
import type { Period } from '../periods.ts'
import { type Projection, projection } from '../seats.ts'
import type { Subscription } from '../subscription.ts'
import { compute, type Entitlements } from './entitlements.ts'
import { findGrounds } from './queries.ts'
import { findSeats } from './seat-queries.ts'

export interface SeatProjection extends Projection {
  /** Null while no period runs: nothing is charged then. */
  period: Period | null
  users: number
  entitlements: Entitlements
  unknownDays: readonly Fecha[]
}

/** What the people of the running period cost beyond the plan, until now and if they all stay (billing.md 4.8). */
export async function projectSeats(central: CentralDb, tenantId: string, now: Date): Promise<SeatProjection> {
  const grounds = await findGrounds(central, tenantId, now)
  const entitlements = compute(grounds, now)
  const users = await countMembers(central, tenantId)
  const today = fechaOf(now)
  const period = grounds.sold ? runningPeriod(grounds.sold.sub, today) : null
  if (!period) return { period, users, entitlements, unknownDays: [], soFar: NONE, projected: NONE }
  const { snapshots, unknownDays } = await findSeats(central, tenantId, period, now)
  const price = { included: entitlements.limits.users.max, extraUserC: entitlements.extraUserC ?? 0n }
  const { soFar, projected } = projection({ snapshots, currentUsers: users, period, today, ...price })
  return { period, users, entitlements, unknownDays, soFar, projected }
}

function runningPeriod({ periodStart: start, periodEnd: end }: Subscription, today: Fecha): Period | null {
  return start !== null && end !== null && start <= today && today < end ? { start, end } : null
}

const NONE = { max: 0, seats: 0, amountC: 0n }
