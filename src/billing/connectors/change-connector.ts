import { writeAudit } from '../../db/audit.ts'
import type { CentralTx } from '../../db/databases.ts'
import type { By } from '../../tenants/register.ts'
import type { Account } from '../mercadopago/gateway.ts'
import { requireSameAccount } from './check-connector.ts'
import type { ConnectorDeps } from './connector-deps.ts'
import {
  connectorChanged,
  connectorInUse,
  connectorNotFound,
  isPrimaryNow,
  nameTaken,
  payerOnlyInSandbox,
} from './errors.ts'
import { identify } from './identify.ts'
import {
  type ConnectorChange,
  countMandates,
  findConnector,
  lockConnectors,
  type StoredConnector,
  updateConnector,
} from './queries.ts'
import { requireReady } from './ready.ts'
import { readSecret, sealSecret, sealToken } from './secrets.ts'

/** What is undefined stays. */
export interface ConnectorEdit {
  name?: string | undefined
  accessToken?: string | undefined
  /** The one until now becomes the previous. */
  webhookSecret?: string | undefined
  previousSecret?: null | undefined
  testPayerEmail?: string | null | undefined
  startDateSupported?: boolean | undefined
  active?: boolean | undefined
}

/**
 * Changes a connector. A new token of one that was checked is asked about first, so that an active connector never has
 * a token that MercadoPago refuses or that belongs to somebody else.
 * @throws AppError those of `identify`, `connectors.other_account`, `connectors.name_taken`,
 *   `connectors.payer_only_in_sandbox`, `connectors.is_primary`, `connectors.in_use` and those of `requireReady`
 */
export async function changeConnector(deps: ConnectorDeps, id: string, edit: ConnectorEdit, by: By): Promise<void> {
  const { central, clock, gateways } = deps
  const account = await accountOfNewToken(deps, id, edit)
  await central.transaction().execute(async (trx) => {
    const all = await lockConnectors(trx)
    const connector = all.find((one) => one.id === id)
    if (!connector) throw connectorNotFound()
    if (edit.name !== undefined && all.some((other) => other.id !== id && other.name === edit.name))
      throw nameTaken(edit.name)
    if (edit.testPayerEmail && connector.kind !== 'sandbox') throw payerOnlyInSandbox()
    const at = clock.now()
    const change = {
      name: edit.name,
      testPayerEmail: edit.testPayerEmail,
      startDateSupported: edit.startDateSupported,
      active: edit.active,
      ...secretsOf(deps, connector, edit),
      ...(await tokenOf(deps, trx, { connector, all, edit, account, at })),
    }
    const after = { ...connector, ...defined(change) }
    if (after.active) requireReady(after, all, gateways.surroundings())
    else if (connector.active) await requireIdle(trx, connector)
    await updateConnector(trx, id, defined(change), at)
    // Names of what changed, never what it became: some of it is secret.
    const detail = { connector: id, changed: Object.keys(defined({ ...edit })) }
    await writeAudit(trx, { at, action: 'connector.changed', tenantId: null, detail, ...by })
  })
}

/** Null when there is nothing to ask: no new token, or one that will be checked before it is used. */
async function accountOfNewToken(
  { central, gateways }: ConnectorDeps,
  id: string,
  { accessToken }: ConnectorEdit,
): Promise<Account | null> {
  if (accessToken === undefined) return null
  const connector = await findConnector(central, id)
  if (!connector) throw connectorNotFound()
  return connector.ownAccountId === null ? null : identify(gateways, connector.kind, accessToken)
}

interface TokenChange {
  connector: StoredConnector
  all: readonly StoredConnector[]
  edit: ConnectorEdit
  account: Account | null
  at: Date
}

async function tokenOf(
  { keys }: ConnectorDeps,
  trx: CentralTx,
  { connector, all, edit: { accessToken }, account, at }: TokenChange,
): Promise<ConnectorChange> {
  if (accessToken === undefined) return {}
  const sealed = { accessToken: sealToken(keys, connector.id, accessToken), lastError: null }
  if (account === null) {
    // Checked while we did not look: with the token that this would replace.
    if (connector.ownAccountId !== null) throw connectorChanged()
    return sealed
  }
  await requireSameAccount(trx, connector, account, all)
  return { ...sealed, ownAccountId: account.id, ownNickname: account.nickname, checkedAt: at }
}

function secretsOf({ keys }: ConnectorDeps, connector: StoredConnector, edit: ConnectorEdit): ConnectorChange {
  const { id, webhookSecret: current } = connector
  const forgotten = edit.previousSecret === null ? { previousSecret: null } : {}
  if (edit.webhookSecret === undefined) return forgotten
  const known = current === null ? undefined : readSecret(keys, id, current)
  // The same again is no rotation: it would push out the previous one, which late deliveries were signed with.
  if (known === edit.webhookSecret) return forgotten
  // One whose key was lost verifies nothing, and is no previous.
  const previousSecret = known === undefined ? null : current
  return { webhookSecret: sealSecret(keys, id, edit.webhookSecret), previousSecret, ...forgotten }
}

async function requireIdle(trx: CentralTx, { id, isPrimary }: StoredConnector): Promise<void> {
  if (isPrimary) throw isPrimaryNow()
  // Somebody may still be charged through it: nobody would hear of it.
  if ((await countMandates(trx, id)).live > 0) throw connectorInUse()
}

const defined = <T extends object>(change: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as never
