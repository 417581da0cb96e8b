import { databaseMissing, nameTaken } from '../errors.ts'
import { deleteMemberships, updateDeletedAt, updatePlacement } from '../queries.ts'
import { ownershipOf } from '../servers/ownership.ts'
import * as server from '../servers/queries.ts'
import { moveDatabase } from './move-database.ts'
import { inputs, type StepName } from './operation.ts'
import type { Context, Saga } from './saga.ts'
import { auditing } from './suspend.ts'

/** Days a deleted company can be restored. */
const KEPT_DAYS = 30

/**
 * Soft delete. Not called `delete`, which is no name for a function. The processes were told by the request already;
 * the database is closed before it is renamed, and the central row follows the rename, so that it never names nothing.
 */
export function retire(context: Context): Saga<StepName<'delete'>> {
  const { deps, operation, site, owner } = context
  const { retiredName } = inputs.delete.parse(operation.input)
  const mark = server.markOf(site.tenantId)
  return {
    steps: [
      {
        name: 'close',
        run: async () => {
          if (ownershipOf(await server.findDatabase(owner, site.databaseName), mark) !== 'ours') return
          await server.closeDatabase(owner, site.databaseName)
          await server.terminateSessions(owner, site.databaseName)
        },
      },
      { name: 'rename', run: rename },
      {
        name: 'role',
        run: async () => {
          if ((await server.findRole(owner, site.roleName))?.comment === mark)
            await server.disableRole(owner, site.roleName)
        },
      },
    ],
    finish: {
      name: 'record',
      prepare: async () => async (trx) => {
        const now = deps.clock.now()
        const purge_after = new Date(now.getTime() + KEPT_DAYS * 86_400_000)
        await updatePlacement(trx, site.tenantId, { database_name: retiredName, purge_after })
        await updateDeletedAt(trx, site.tenantId, now)
        await auditing(context, 'tenant.deleted')(trx)
      },
    },
    giveUp: async () => {},
  }

  async function rename() {
    const [found, retired] = [
      await server.findDatabase(owner, site.databaseName),
      await server.findDatabase(owner, retiredName),
    ]
    if (found || retired) return moveDatabase(context, site.databaseName, retiredName)
    // Nothing to keep for thirty days, and nothing that could keep the company, its RFC and its name for ever.
    const what = { tenantId: site.tenantId, database: site.databaseName }
    deps.log.error(
      { ...what, alarm: 'tenants.deleted_without_database' },
      'a company is deleted whose database is not on its server',
    )
  }
}

/** The end: nothing of the company is left on the server, and the central row only tells that it was. */
export function purge(context: Context): Saga<StepName<'purge'>> {
  const { site, owner } = context
  const mark = server.markOf(site.tenantId)
  return {
    steps: [
      {
        name: 'database',
        run: async () => {
          const ownership = ownershipOf(await server.findDatabase(owner, site.databaseName), mark)
          if (ownership === 'foreign') throw nameTaken(site.databaseName)
          // Only what was retired: a purge that reaches a living company's name is a bug, whatever the rows say.
          if (!site.databaseName.startsWith('horux_deleted_')) throw databaseMissing(site.databaseName)
          if (ownership !== 'absent') await server.dropDatabase(owner, site.databaseName)
        },
      },
      {
        name: 'role',
        run: async () => {
          if ((await server.findRole(owner, site.roleName))?.comment === mark)
            await server.dropRole(owner, site.roleName)
        },
      },
    ],
    finish: {
      name: 'record',
      prepare: async () => async (trx) => {
        await updatePlacement(trx, site.tenantId, { state: 'purged', purge_after: null })
        await deleteMemberships(trx, site.tenantId)
        await auditing(context, 'tenant.purged')(trx)
      },
    },
    giveUp: async () => {},
  }
}
