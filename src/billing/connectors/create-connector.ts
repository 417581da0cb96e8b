import { uuidv7 } from 'uuidv7'
import { writeAudit } from '../../db/audit.ts'
import type { By } from '../../tenants/register.ts'
import { type ConnectorKind, isKindUsable } from './connector.ts'
import type { ConnectorDeps } from './connector-deps.ts'
import { kindNotHere, nameTaken, payerOnlyInSandbox } from './errors.ts'
import { insertConnector, lockConnectors } from './queries.ts'
import { sealSecret, sealToken } from './secrets.ts'

export interface NewConnector {
  name: string
  kind: ConnectorKind
  accessToken: string
  webhookSecret: string | null
  testPayerEmail: string | null
  startDateSupported: boolean
}

/**
 * Keeps an account's credentials, sealed. It takes no part in anything until it was checked and activated.
 * @throws AppError `connectors.kind_not_here`, `connectors.payer_only_in_sandbox`, `connectors.name_taken`
 */
export async function createConnector(
  { central, clock, keys, gateways }: ConnectorDeps,
  { accessToken, webhookSecret, ...rest }: NewConnector,
  by: By,
): Promise<string> {
  if (!isKindUsable(rest.kind, gateways.surroundings())) throw kindNotHere()
  if (rest.testPayerEmail !== null && rest.kind !== 'sandbox') throw payerOnlyInSandbox()
  const id = uuidv7()
  const secrets = {
    accessToken: sealToken(keys, id, accessToken),
    webhookSecret: webhookSecret === null ? null : sealSecret(keys, id, webhookSecret),
    previousSecret: null,
  }
  await central.transaction().execute(async (trx) => {
    const others = await lockConnectors(trx)
    if (others.some(({ name }) => name === rest.name)) throw nameTaken(rest.name)
    const at = clock.now()
    await insertConnector(trx, { id, createdAt: at, ...rest, ...secrets })
    const detail = { connector: id, name: rest.name, kind: rest.kind }
    await writeAudit(trx, { at, action: 'connector.created', tenantId: null, detail, ...by })
  })
  return id
}
