import { AppError } from '../../src/errors.ts'
import { migrateTenant } from '../../src/tenants/fleet/migrate-tenant.ts'
import type { Handler } from '../handler.ts'

export const onTenantMigrate: Handler<'tenant.migrate'> = async (deps, { tenantId }) => {
  const applied = await migrateTenant(deps.servers.fleet, tenantId)
  if (applied.state === 'locked') throw new AppError('unavailable', 'migrate.locked', 'Otro proceso está migrando.')
  return { from: applied.from.version, to: applied.to.version }
}
