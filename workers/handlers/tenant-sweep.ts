import { sweepOperations } from '../../src/tenants/operations/sweep-operations.ts'
import { deleteSilentInstances } from '../../src/tenants/queries.ts'
import { sweepServers } from '../../src/tenants/servers/sweep-servers.ts'
import type { Handler } from '../handler.ts'

export const onTenantSweep: Handler<'tenant.sweep'> = async (deps, _payload, { log }) => {
  const requeued = await sweepOperations(deps)
  await sweepServers({ ...deps, log })
  await deleteSilentInstances(deps.central, new Date(deps.clock.now().getTime() - 86_400_000))
  return { requeued }
}
