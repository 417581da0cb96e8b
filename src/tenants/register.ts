import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.ts'
import { type Deed, writeAudit } from '../db/audit.ts'
import type { CentralDb, CentralTx } from '../db/databases.ts'
import { isUniqueViolation } from '../db/failures.ts'
import { databaseName } from '../fiscal/rfc.ts'
import type { Queue } from '../queue/queue.ts'
import { nameBusy, operationOpen, planUnknown, rfcTaken } from './errors.ts'
import type { OperationInput } from './operations/operation.ts'
import { insertOperation } from './operations/queries.ts'
import {
  findCurrentPlan,
  findRoomiestServer,
  findTenantByRfc,
  insertTenant,
  lockTenant,
  placeTenant,
  updatePlacement,
  updateTenantName,
} from './queries.ts'

export interface RegisterDeps {
  central: CentralDb
  queue: Queue
  clock: Clock
}

/** Who asks, for the audit log. */
export type By = Pick<Deed, 'actor' | 'ip' | 'requestId'>

export interface Registration {
  /** Well-formed and not generic. */
  rfc: string
  nombre: string
  admin: { email: string; nombre: string }
  plan: string
  regimen: string | null
  /** Begins with a trial, which is usual; without one the first payment is awaited at once. */
  prueba?: boolean
}

/**
 * Registers a company: its row, its place and the operation that will make its database, in one commit with the job.
 * A registration of the same RFC that failed is taken up again with the new data.
 * @throws AppError `rfc.invalid`, `rfc.generic`, `tenants.plan_unknown`, `tenants.rfc_taken`, `tenants.name_busy`
 */
export async function registerTenant(
  deps: RegisterDeps,
  request: Registration,
  by: By,
): Promise<{ tenantId: string; operationId: string }> {
  const name = databaseName(request.rfc)
  return deps.central
    .transaction()
    .execute(async (trx) => {
      if (!(await findCurrentPlan(trx, request.plan))) throw planUnknown(request.plan)
      const { tenantId, number } = await newOrFailedTenant(trx, request)
      const serverId = await findRoomiestServer(trx)
      // Without room the operation waits, the sweep asks again each minute, and the operator is told.
      if (serverId !== undefined)
        await placeTenant(trx, { tenantId, serverId, databaseName: name, roleName: roleName(number) })
      const { rfc, nombre, prueba = true, ...input } = request
      const operationId = await openOperation(deps, trx, tenantId, { ...input, prueba }, by)
      await writeAudit(trx, {
        at: deps.clock.now(),
        action: 'tenant.registered',
        tenantId,
        detail: { operationId, rfc, nombre, plan: request.plan },
        ...by,
      })
      return { tenantId, operationId }
    })
    .catch((error: unknown) => {
      throw isUniqueViolation(error, 'tenant_databases_name') ? nameBusy() : error
    })
}

/** By number and not by RFC: any role can list the names of the others. */
export const roleName = (number: string) => `hxt_${number}`

async function newOrFailedTenant(trx: CentralTx, { rfc, nombre }: Registration) {
  for (;;) {
    const id = uuidv7()
    const number = await insertTenant(trx, { id, rfc, nombre })
    if (number !== undefined) return { tenantId: id, number }
    const living = await findTenantByRfc(trx, rfc)
    const locked = living && (await lockTenant(trx, living.id))
    if (!locked || locked.deletedAt) continue // forgotten while we waited: the RFC is free
    if (locked.state !== 'failed') throw rfcTaken(rfc)
    await updateTenantName(trx, locked.id, nombre)
    // Under way from now on, also while no server has room: it keeps the server where its remains may lie.
    await updatePlacement(trx, locked.id, { state: 'provisioning' })
    return { tenantId: locked.id, number: locked.number }
  }
}

async function openOperation(
  { queue }: RegisterDeps,
  trx: CentralTx,
  tenantId: string,
  input: OperationInput<'provision'>,
  { actor }: By,
): Promise<string> {
  const requestedBy = actor?.userId ?? null
  const operationId = await insertOperation(trx, { id: uuidv7(), tenantId, kind: 'provision', input, requestedBy })
  if (!operationId) throw operationOpen()
  await queue.enqueue(trx, 'tenant.operation', { operationId, tenantId })
  return operationId
}
