import { SealError } from '../../crypto/seal.ts'
import { writeAudit } from '../../db/audit.ts'
import type { CentralTx } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { By } from '../../tenants/register.ts'
import type { Account } from '../mercadopago/gateway.ts'
import type { ConnectorDeps } from './connector-deps.ts'
import { accountTaken, connectorChanged, connectorNotFound, otherAccount, tokenUnreadable } from './errors.ts'
import { identify } from './identify.ts'
import { countMandates, findConnector, lockConnectors, type StoredConnector, updateConnector } from './queries.ts'
import { openToken, resealed } from './secrets.ts'

/**
 * Asks MercadoPago whose the token is, and keeps the answer: payments are compared with that account and with nothing
 * that somebody typed. What an older key sealed is sealed anew on the way.
 * @throws AppError `connectors.token_refused`, `connectors.wrong_account`, `connectors.other_account`,
 *   `connectors.account_taken`, `connectors.unreadable`, and what a gateway throws; its words stay in the row
 */
export async function checkConnector(deps: ConnectorDeps, id: string, by: By): Promise<void> {
  const { central, clock, gateways, keys } = deps
  const before = await findConnector(central, id)
  if (!before) throw connectorNotFound()
  try {
    const account = await identify(gateways, before.kind, tokenOf(deps, before))
    await central.transaction().execute(async (trx) => {
      const all = await lockConnectors(trx)
      const connector = all.find((one) => one.id === id)
      if (!connector) throw connectorNotFound()
      if (!connector.accessToken.equals(before.accessToken)) throw connectorChanged()
      await requireSameAccount(trx, connector, account, all)
      const at = clock.now()
      const known = { ownAccountId: account.id, ownNickname: account.nickname, checkedAt: at, lastError: null }
      await updateConnector(trx, id, { ...known, ...resealed(keys, id, connector) }, at)
      const detail = { connector: id, account: account.id, nickname: account.nickname }
      await writeAudit(trx, { at, action: 'connector.checked', tenantId: null, detail, ...by })
    })
  } catch (error) {
    if (error instanceof AppError && error.code !== 'connectors.changed') await keepError(deps, before, error)
    throw error
  }
}

/** Permissions to charge stay with the account that they were given to. */
export async function requireSameAccount(
  trx: CentralTx,
  connector: StoredConnector,
  account: Account,
  all: readonly StoredConnector[],
): Promise<void> {
  if (connector.ownAccountId === account.id) return
  if (connector.ownAccountId !== null && (await countMandates(trx, connector.id)).all > 0) throw otherAccount(account)
  const twin = all.find((other) => other.id !== connector.id && other.active && other.ownAccountId === account.id)
  if (connector.active && twin) throw accountTaken(twin.name)
}

function tokenOf({ keys }: ConnectorDeps, { id, accessToken }: StoredConnector): string {
  try {
    return openToken(keys, id, accessToken)
  } catch (error) {
    throw error instanceof SealError ? tokenUnreadable(error) : error
  }
}

async function keepError({ central, clock }: ConnectorDeps, before: StoredConnector, { mensaje }: AppError) {
  await central.transaction().execute(async (trx) => {
    const connector = (await lockConnectors(trx)).find(({ id }) => id === before.id)
    if (connector?.accessToken.equals(before.accessToken))
      await updateConnector(trx, before.id, { lastError: mensaje }, clock.now())
  })
}
