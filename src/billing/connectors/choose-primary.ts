import { writeAudit } from '../../db/audit.ts'
import type { By } from '../../tenants/register.ts'
import { mayBePrimary } from './connector.ts'
import type { ConnectorDeps } from './connector-deps.ts'
import { connectorNotFound, notForPrimary } from './errors.ts'
import { lockConnectors, updateConnector } from './queries.ts'
import { requireReady } from './ready.ts'

/**
 * From here on new checkouts go through this connector, which becomes active. What was authorised through another goes on
 * there: a mandate is always spoken to through the connector that made it.
 * @throws AppError `connectors.not_found`, `connectors.not_for_primary` and those of `requireReady`
 */
export async function choosePrimary({ central, clock, gateways }: ConnectorDeps, id: string, by: By): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const all = await lockConnectors(trx)
    const connector = all.find((one) => one.id === id)
    if (!connector) throw connectorNotFound()
    if (!mayBePrimary(connector.kind, gateways.surroundings())) throw notForPrimary()
    requireReady(connector, all, gateways.surroundings())
    if (connector.isPrimary) return
    const at = clock.now()
    const before = all.find(({ isPrimary }) => isPrimary)
    if (before) await updateConnector(trx, before.id, { isPrimary: false }, at)
    await updateConnector(trx, id, { isPrimary: true, active: true }, at)
    const detail = { connector: id, before: before?.id ?? null }
    await writeAudit(trx, { at, action: 'connector.primary', tenantId: null, detail, ...by })
  })
}
