import { databaseName } from '../../fiscal/rfc.ts'
import { findRoomiestServer, findSite, lockTenant, placeTenant, type Site } from '../queries.ts'
import { roleName } from '../register.ts'
import type { Operation } from './operation.ts'
import type { OperationDeps } from './saga.ts'

/** Where the tenant lives; one that is waiting for a place gets it if there is room by now. Undefined when there is none. */
export async function findOrMakeSite(
  { central, log }: OperationDeps,
  { tenantId, kind }: Operation,
): Promise<Site | undefined> {
  const site = await findSite(central, tenantId)
  if (site || kind !== 'provision') return site
  const placed = await central.transaction().execute(async (trx) => {
    const tenant = await lockTenant(trx, tenantId)
    if (!tenant || tenant.state === 'purged') return 'cancelled'
    const serverId = await findRoomiestServer(trx)
    if (serverId === undefined) return 'no room'
    const names = { databaseName: databaseName(tenant.rfc), roleName: roleName(tenant.number) }
    await placeTenant(trx, { tenantId, serverId, ...names })
    return 'placed'
  })
  if (placed === 'placed') return findSite(central, tenantId)
  if (placed === 'no room')
    log.error({ tenantId, alarm: 'tenants.no_room' }, 'no database server has room: a registration is waiting')
  return undefined
}
