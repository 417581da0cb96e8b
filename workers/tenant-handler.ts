import type { TenantDb } from '../src/db/databases.ts'
import { AppError } from '../src/errors.ts'
import type { JobName, Payload } from '../src/queue/jobs.ts'
import type { Handler, JobContext, WorkerDeps } from './handler.ts'

/** The jobs that are about one tenant. */
export type TenantJob = { [N in JobName]: Payload<N> extends { tenantId: string } ? N : never }[JobName]

/**
 * A handler that works in its tenant's database. It resolves the tenant anew for every job, from the payload alone, and
 * fails closed: a tenant that cannot be entered now brings the job back later, one that is gone cancels it. Never is
 * another database used instead.
 */
export function tenantHandler<N extends TenantJob>(
  work: (deps: WorkerDeps, db: TenantDb, payload: Payload<N>, job: JobContext) => Promise<object | undefined>,
): Handler<N> {
  return async (deps, payload, job) => {
    const { tenantId } = payload as { tenantId: string }
    try {
      return await deps.tenants.use(tenantId, (db) => work(deps, db, payload, job))
    } catch (error) {
      if (!(error instanceof AppError && GONE.has(error.code))) throw error
      return { cancelled: error.code }
    }
  }
}

const GONE = new Set(['tenant.deleted', 'tenant.unknown'])
