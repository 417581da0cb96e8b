import { writeAudit } from '../../db/audit.ts'
import { sqlState } from '../../db/failures.ts'
import type { By } from '../../tenants/register.ts'
import type { ConnectorDeps } from './connector-deps.ts'
import { connectorInUse, connectorNotFound, isPrimaryNow } from './errors.ts'
import { deleteConnectorRow, lockConnectors } from './queries.ts'

/**
 * Deletes a connector that nothing happened through.
 * @throws AppError `connectors.not_found`, `connectors.is_primary`, `connectors.in_use`
 */
export async function deleteConnector(
  { central, clock }: Pick<ConnectorDeps, 'central' | 'clock'>,
  id: string,
  by: By,
): Promise<void> {
  const deleting = central.transaction().execute(async (trx) => {
    const connector = (await lockConnectors(trx)).find((one) => one.id === id)
    if (!connector) throw connectorNotFound()
    if (connector.isPrimary) throw isPrimaryNow()
    await deleteConnectorRow(trx, id)
    const detail = { connector: id, name: connector.name, kind: connector.kind }
    await writeAudit(trx, { at: clock.now(), action: 'connector.deleted', tenantId: null, detail, ...by })
  })
  await deleting.catch((error: unknown) => {
    // A mandate, a payment or a delivery names it.
    throw sqlState(error) === '23503' ? connectorInUse() : error
  })
}
