import type { Gateways } from '../src/billing/connectors/gateways.ts'
import type { EntitlementCache } from '../src/billing/entitlements/entitlement-cache.ts'
import type { Config } from '../src/config.ts'
import type { TenantDb } from '../src/db/databases.ts'
import type { SendDeps } from '../src/mail/send.ts'
import type { JobName, Payload } from '../src/queue/jobs.ts'
import type { SatDescarga } from '../src/sat/descarga/client.ts'
import type { EstadoSat } from '../src/sat/estado/client.ts'
import type { Log, OperationDeps } from '../src/tenants/operations/saga.ts'

/** What the worker hands to its handlers. */
export interface WorkerDeps extends OperationDeps, SendDeps {
  config: Config
  /** Where time can be moved: the clock, which is read anew before each job. */
  testClock: { sync(): Promise<void> } | undefined
  /** What companies may do: jobs ask the gate too. */
  entitlements: Pick<EntitlementCache, 'get'>
  /** MercadoPago, through each of our accounts. */
  gateways: Gateways
  /** SAT's service that says the state of a CFDI. */
  estadoSat: EstadoSat
  /** SAT's mass download of CFDI. */
  satDescarga: SatDescarga
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
}

export interface JobContext {
  id: string
  /** Aborted when the worker stops or the job was taken away: stop between two steps, the job comes back. */
  signal: AbortSignal
  /** Writes the job's id into every line. */
  log: Log
}

/**
 * Does one job; wiring only. What it returns is kept with the job, what it throws brings the job back later.
 * May be called twice for one job.
 */
export type Handler<N extends JobName> = (
  deps: WorkerDeps,
  payload: Payload<N>,
  job: JobContext,
) => Promise<object | undefined>
