import { codeOf, refusalOf } from '../src/billing/entitlements/admit.ts'
import type { Feature } from '../src/billing/plans/features.ts'
import type { TenantDb } from '../src/db/databases.ts'
import { AppError } from '../src/errors.ts'
import type { JobName, Payload } from '../src/queue/jobs.ts'
import type { Handler, JobContext, WorkerDeps } from './handler.ts'

/** The jobs that are about one tenant. */
export type TenantJob = { [N in JobName]: Payload<N> extends { tenantId: string } ? N : never }[JobName]

/** What a job asks of the plan and subscription of its company: that it is in order, and perhaps a feature. */
export interface PlanOfJob {
  feature?: Feature
}

/**
 * A handler that works in its tenant's database. It resolves the tenant anew for every job, from the payload alone, and
 * fails closed: a tenant that cannot be entered now brings the job back later, one that is gone cancels it. Never is
 * another database used instead.
 *
 * With `plan` it asks what HTTP asks of one who writes (billing.md 8.4): what the company may not do now is cancelled with
 * its reason and not tried again. Upkeep (migrations, backups, the outbox) does not ask.
 *
 * `swept` is a job that a sweep leaves again for as long as there is something to do: a company that staff has suspended
 * cancels it too, or each of its sweeps would end in the dead letters until somebody lets it in again.
 */
export function tenantHandler<N extends TenantJob>(
  work: (deps: WorkerDeps, db: TenantDb, payload: Payload<N>, job: JobContext) => Promise<object | undefined>,
  { plan, swept = false }: { plan?: PlanOfJob; swept?: boolean } = {},
): Handler<N> {
  return async (deps, payload, job) => {
    const { tenantId } = payload as { tenantId: string }
    const refused = plan && refusalOf(await deps.entitlements.get(tenantId), { ...JOB, feature: plan.feature })
    if (refused) return { cancelled: codeOf(refused) }
    try {
      return await deps.tenants.use(tenantId, (db) => work(deps, db, payload, job))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (!GONE.has(error.code) && !(swept && error.code === 'tenant.suspended')) throw error
      return { cancelled: error.code }
    }
  }
}

/** Nobody asks for it in person, and nothing of it is for settling a subscription. */
const JOB = { writes: true, siempre: undefined, isAdmin: false }

/** Whether a job was cancelled because its tenant is gone for good. */
export const isGone = (done: object | undefined): boolean =>
  done !== undefined && 'cancelled' in done && GONE.has(String(done.cancelled))

const GONE = new Set(['tenant.deleted', 'tenant.unknown'])
