import { uuidv7 } from 'uuidv7'
import { writeAudit } from '../db/audit.ts'
import type { CentralTx } from '../db/databases.ts'
import { isUniqueViolation } from '../db/failures.ts'
import {
  nameBusy,
  nothingToRetry,
  operationOpen,
  reasonRequired,
  registrationCancelled,
  restoreRfcTaken,
  rfcNotTyped,
  tenantNotFound,
  wrongState,
} from './errors.ts'
import { estadoOf } from './estados.ts'
import { operationError } from './operations/failure.ts'
import { type OperationInput, type OperationKind, retiredName } from './operations/operation.ts'
import { cancelOperation, findLatestOperation, insertOperation, reopenOperation } from './operations/queries.ts'
import {
  isNameUsed,
  lockTenant,
  type PlacementState,
  updateDeletedAt,
  updatePlacement,
  updateSuspension,
  updateTenantName,
} from './queries.ts'
import type { By, RegisterDeps } from './register.ts'

/** What people call the company. Its RFC, and with it its database, has an operation of its own. */
export async function renameTenant(
  { central, clock }: RegisterDeps,
  id: string,
  nombre: string,
  by: By,
): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const tenant = await lockTenant(trx, id)
    if (!tenant || tenant.state === 'purged') throw tenantNotFound()
    await updateTenantName(trx, id, nombre)
    const detail = { before: tenant.nombre, nombre }
    await writeAudit(trx, { at: clock.now(), action: 'tenant.renamed', tenantId: id, detail, ...by })
  })
}

/** Fences a company off: from the commit on every process refuses it, then its database does. */
export const suspendTenant = (deps: RegisterDeps, id: string, motivo: string | undefined, by: By) =>
  changing(deps, id, by, 'suspend', async (trx, tenant) => {
    if (!motivo) throw reasonRequired()
    expectState(tenant.state, ['active'], 'suspender')
    await updateSuspension(trx, id, { suspended: true, reason: motivo })
    await updatePlacement(trx, id, { state: 'suspended' })
    return {}
  })

export const resumeTenant = (deps: RegisterDeps, id: string, by: By) =>
  changing(deps, id, by, 'resume', async (_trx, tenant) => {
    expectState(tenant.state, ['suspended'], 'reactivar')
    return {}
  })

/**
 * Takes a company out of service. Its database stays for thirty days under another name and can be restored.
 * A registration that failed, or waits for room, has none: it is gone at once, and no operation is needed (null).
 */
export async function deleteTenant(deps: RegisterDeps, id: string, by: By): Promise<string | null> {
  const now = deps.clock.now()
  const forgotten = await deps.central.transaction().execute(async (trx) => {
    const tenant = await lockTenant(trx, id)
    if (!tenant || tenant.state === 'purged') throw tenantNotFound()
    if (tenant.state !== 'failed' && tenant.state !== null) return false
    // A worker that looks for room at this moment waits for our lock and then finds the company gone.
    if (tenant.state === null) await cancelOperation(trx, id, operationError('lock', registrationCancelled()), now)
    await updateDeletedAt(trx, id, now)
    await updatePlacement(trx, id, { state: 'purged' })
    await writeAudit(trx, { at: now, action: 'tenant.forgotten', tenantId: id, ...by })
    return true
  })
  if (forgotten) return null
  return changing(deps, id, by, 'delete', async (trx, tenant) => {
    expectState(tenant.state, ['active', 'suspended'], 'dar de baja')
    await updatePlacement(trx, id, { state: 'deleted' })
    return { retiredName: await freeName(trx, tenant.databaseName ?? '', now) }
  })
}

/** Brings a deleted company back. Its RFC is taken again in the request, so two never race for it. */
export const restoreTenant = (deps: RegisterDeps, id: string, by: By) =>
  changing(deps, id, by, 'restore', async (trx, tenant) => {
    expectState(tenant.state, ['deleted'], 'restaurar')
    if (!tenant.deletedAt) throw operationOpen() // its deletion has not ended yet
    await updateDeletedAt(trx, id, null).catch((error: unknown) => {
      throw isUniqueViolation(error, 'tenants_rfc_living') ? restoreRfcTaken(tenant.rfc) : error
    })
    return { deletedAt: tenant.deletedAt.toISOString(), retiredName: tenant.databaseName ?? '' }
  })

/** Destroys a deleted company's database. For the command line alone: there is no way back, so the RFC is typed. */
export const purgeTenant = (deps: RegisterDeps, id: string, typedRfc: string, by: By) =>
  changing(deps, id, by, 'purge', async (trx, tenant) => {
    expectState(tenant.state, ['deleted'], 'purgar')
    if (!tenant.deletedAt) throw operationOpen()
    if (typedRfc !== tenant.rfc) throw rfcNotTyped(tenant.rfc)
    await updatePlacement(trx, id, { state: 'purging' })
    return {}
  })

/**
 * Opens the last operation again where it failed. One that was undone starts from the beginning; so does a registration
 * whose undoing failed too, because nobody knows how far it came.
 */
export async function retryOperation(deps: RegisterDeps, id: string, by: By): Promise<string> {
  const failed = await findLatestOperation(deps.central, id)
  if (failed?.kind === 'restore' && failed.finishedAt && failed.error) return restoreTenant(deps, id, by)
  return deps.central.transaction().execute(async (trx) => {
    const tenant = await lockTenant(trx, id)
    if (!tenant || tenant.state === 'purged') throw tenantNotFound()
    // The last one now: it may have been followed by another while we waited for the lock.
    const last = await findLatestOperation(trx, id)
    if (!last) throw tenantNotFound()
    const afresh = last.state === 'compensated' || last.kind === 'provision'
    const reopened = await reopenOperation(trx, last.id, afresh ? '' : last.step)
    if (!reopened) throw nothingToRetry()
    if (last.kind === 'provision') await takeNameAgain(trx, id)
    await announce(deps, trx, { id, action: 'tenant.retry', operationId: last.id }, by)
    return last.id
  })
}

/** The name tells the second of the deletion; the next one when a namesake was deleted in the same. */
async function freeName(trx: CentralTx, name: string, now: Date): Promise<string> {
  for (let at = now; ; at = new Date(at.getTime() + 1000)) {
    const candidate = retiredName(name, at)
    if (!(await isNameUsed(trx, candidate))) return candidate
  }
}

/** A failed registration keeps no name: meanwhile somebody else's database may be on its way out under it. */
async function takeNameAgain(trx: CentralTx, id: string): Promise<void> {
  await updatePlacement(trx, id, { state: 'provisioning' }).catch((error: unknown) => {
    throw isUniqueViolation(error, 'tenant_databases_name') ? nameBusy() : error
  })
}

type Locked = NonNullable<Awaited<ReturnType<typeof lockTenant>>>

/** One request for an operation: what it changes at once, the operation and its job, all or nothing. */
async function changing<K extends OperationKind>(
  deps: RegisterDeps,
  id: string,
  by: By,
  kind: K,
  change: (trx: CentralTx, tenant: Locked) => Promise<OperationInput<K>>,
): Promise<string> {
  return deps.central.transaction().execute(async (trx) => {
    const tenant = await lockTenant(trx, id)
    if (!tenant || tenant.state === 'purged') throw tenantNotFound()
    const input = await change(trx, tenant)
    const requestedBy = by.actor?.userId ?? null
    const operationId = await insertOperation(trx, { id: uuidv7(), tenantId: id, kind, input, requestedBy })
    if (!operationId) throw operationOpen()
    await announce(deps, trx, { id, action: `tenant.${kind}`, operationId }, by)
    return operationId
  })
}

async function announce(
  { queue, clock }: RegisterDeps,
  trx: CentralTx,
  { id, action, operationId }: { id: string; action: string; operationId: string },
  by: By,
) {
  await queue.enqueue(trx, 'tenant.operation', { operationId, tenantId: id })
  await writeAudit(trx, { at: clock.now(), action, tenantId: id, detail: { operationId }, ...by })
}

function expectState(state: PlacementState | null, allowed: readonly PlacementState[], accion: string): void {
  if (state === null || !allowed.includes(state)) throw wrongState(accion, estadoOf(state))
}
