import { sweepOperations } from '../../src/tenants/operations/sweep-operations.ts'
import { sweepServers } from '../../src/tenants/servers/sweep-servers.ts'
import type { Handler } from '../handler.ts'

export const onTenantSweep: Handler<'tenant.sweep'> = async (deps, _payload, { log }) => {
  const requeued = await sweepOperations(deps)
  await sweepServers({ ...deps, log })
  return { requeued }
}
