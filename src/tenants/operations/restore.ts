import { databaseUnavailable } from '../../db/failures.ts'
import { databaseName } from '../../fiscal/rfc.ts'
import { migrateTenant } from '../fleet/migrate-tenant.ts'
import { updateDeletedAt, updatePlacement } from '../queries.ts'
import { ownershipOf } from '../servers/ownership.ts'
import * as server from '../servers/queries.ts'
import { moveDatabase } from './move-database.ts'
import { inputs, type StepName } from './operation.ts'
import type { Context, Saga } from './saga.ts'
import { auditing } from './suspend.ts'

/**
 * The way back of a soft delete, its steps in the opposite order. The database is opened to its owner only, migrated to
 * the current schema, and then to the company. Given up, it is retired again under the name it had.
 */
export function restore(context: Context): Saga<StepName<'restore'>> {
  const { deps, operation, site, owner } = context
  const { deletedAt, retiredName } = inputs.restore.parse(operation.input)
  const name = databaseName(site.rfc)
  const place = (database_name: string) =>
    context.write((trx) => updatePlacement(trx, site.tenantId, { database_name }))
  return {
    steps: [
      {
        name: 'rename',
        run: () => moveDatabase(context, retiredName, name),
        undo: async () => {
          if (await isOurs(context, name)) await moveDatabase(context, name, retiredName)
        },
      },
      { name: 'record', run: () => place(name), undo: () => place(retiredName) },
      {
        name: 'open',
        run: () => server.openForOwner(owner, name, site.roleName),
      },
      { name: 'migrate', run: migrate },
      {
        name: 'role',
        run: async () => {
          await server.enableRole(owner, site.roleName, await deps.servers.access(site))
          // A suspension by staff outlives deletion and restoration.
          if (!site.suspendedByStaff) await server.grantConnect(owner, name, site.roleName)
        },
        undo: async () => {
          const found = await server.findRole(owner, site.roleName)
          if (found?.comment === server.markOf(site.tenantId)) await server.disableRole(owner, site.roleName)
        },
      },
    ],
    finish: {
      name: 'activate',
      prepare: async () => async (trx) => {
        const state = site.suspendedByStaff ? 'suspended' : 'active'
        await updatePlacement(trx, site.tenantId, { state, purge_after: null })
        await auditing(context, 'tenant.restored')(trx)
      },
    },
    giveUp: async (trx) => {
      await updateDeletedAt(trx, site.tenantId, new Date(deletedAt))
    },
  }

  async function migrate() {
    const applied = await migrateTenant(deps.servers.fleet, site.tenantId)
    if (applied.state === 'locked') throw databaseUnavailable(new Error(`${name} is being migrated by somebody else`))
  }
}

async function isOurs({ owner, site }: Context, name: string): Promise<boolean> {
  return ownershipOf(await server.findDatabase(owner, name), server.markOf(site.tenantId)) === 'ours'
}
