import { writeAudit } from '../../db/audit.ts'
import { databaseMissing } from '../errors.ts'
import { updatePlacement, updateSuspension } from '../queries.ts'
import { ownershipOf } from '../servers/ownership.ts'
import * as server from '../servers/queries.ts'
import type { StepName } from './operation.ts'
import type { CentralWrite, Context, Saga } from './saga.ts'

/** Locks a company out of its own database. Its owner role may still enter: what is there can be exported. */
export function suspend(context: Context): Saga<StepName<'suspend'>> {
  const { site, owner } = context
  return {
    steps: [
      {
        name: 'fence',
        run: async () => {
          await expectOurs(context)
          await server.revokeConnect(owner, site.databaseName, site.roleName)
          await server.terminateSessions(owner, site.databaseName, site.roleName)
        },
      },
    ],
    finish: { name: 'record', prepare: async () => auditing(context, 'tenant.suspended') },
    giveUp: async () => {},
  }
}

export function resume(context: Context): Saga<StepName<'resume'>> {
  const { site, owner } = context
  return {
    steps: [
      {
        name: 'open',
        run: async () => {
          await expectOurs(context)
          await server.grantConnect(owner, site.databaseName, site.roleName)
        },
      },
    ],
    finish: {
      name: 'record',
      prepare: async () => async (trx) => {
        await updateSuspension(trx, site.tenantId, { suspended: false, reason: null })
        await updatePlacement(trx, site.tenantId, { state: 'active' })
        await auditing(context, 'tenant.resumed')(trx)
      },
    },
    giveUp: async () => {},
  }
}

/** The deed done. Who asked for it stands in the line of the request. */
export function auditing({ deps, site, operation }: Context, action: string): CentralWrite {
  return (trx) =>
    writeAudit(trx, {
      at: deps.clock.now(),
      action,
      actor: null,
      tenantId: site.tenantId,
      detail: { operationId: operation.id },
      ip: null,
      requestId: null,
    })
}

async function expectOurs({ owner, site }: Context): Promise<void> {
  const found = await server.findDatabase(owner, site.databaseName)
  if (ownershipOf(found, server.markOf(site.tenantId)) !== 'ours') throw databaseMissing(site.databaseName)
}
