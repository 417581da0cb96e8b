import { compute, TTL_MS } from '../../billing/entitlements/entitlements.ts'
import { findGrounds } from '../../billing/entitlements/queries.ts'
import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { CentralDb, TenantDb } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import { findToldVersion, findToReview, markLimitTold } from './sweep-queries.ts'
import { tellLimit } from './tell-limit.ts'

interface ReviewDeps {
  central: CentralDb
  clock: Clock
}

/**
 * Tells a company how full its plan is, by the plan that it has now: what stores CFDI tells of it too, but nobody stores
 * anything because a plan changed. That it was told is written down last, so that who dies before does it again.
 */
export async function reviewLimit({ central, clock }: ReviewDeps, db: TenantDb): Promise<{ told: boolean }> {
  const { tenantId } = db
  // Before what is read of the plan: a change meanwhile moves it, and the next sweep sees that.
  const version = await findToldVersion(central, tenantId)
  if (!version) return { told: false }
  const now = clock.now()
  const grounds = await findGrounds(central, tenantId, now)
  const { estado, limits } = compute(grounds, now)
  // A company without a subscription is a fault of ours: there is no plan that could be full.
  if (estado !== null) await db.transaction().execute((trx) => tellLimit(trx, limits.cfdis, now))
  crashpoint('cfdi.limit.told')
  const isNews = version.told !== version.now
  const later = [new Date(now.getTime() + (isNews ? STALE_MS : DAY_MS)), grounds.sold?.overridesChangeAt ?? null]
  const lookAgainAt = new Date(Math.min(...later.flatMap((at) => (at ? [at.getTime()] : []))))
  await markLimitTold(central, { tenantId, version: version.now, now, lookAgainAt })
  return { told: estado !== null }
}

/**
 * After a change once more, when no process can believe in the plan of before any longer: one that did, and stored
 * something meanwhile, told of that plan.
 */
const STALE_MS = TTL_MS + 60_000
/** And once a day in any case: a database that was brought back from its backup says what was so then. */
const DAY_MS = 86_400_000

/** A job per company whose plan may be another: one that cannot be entered holds up none of the others. */
export async function sweepLimits({ central, clock, queue }: ReviewDeps & { queue: Queue }): Promise<object> {
  const now = clock.now()
  const farthest = new Date(now.getTime() + 2 * DAY_MS)
  const tenants = await findToReview(central, { now, farthest })
  await central.transaction().execute((trx) =>
    queue.enqueueAll(
      trx,
      'cfdi.limit',
      tenants.map((tenantId) => ({ tenantId })),
    ),
  )
  return { tenants: tenants.length }
}
