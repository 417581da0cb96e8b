import { isKindUsable, type Surroundings } from './connector.ts'
import { accountTaken, kindNotHere, notChecked, secretMissing } from './errors.ts'
import type { StoredConnector } from './queries.ts'

/**
 * What an active connector has: a webhook secret, an account that MercadoPago named, and that account to itself. Two
 * active ones of one account would each take the other's charges for news.
 * @throws AppError that says what is missing
 */
export function requireReady(
  connector: StoredConnector,
  all: readonly StoredConnector[],
  surroundings: Surroundings,
): void {
  if (!isKindUsable(connector.kind, surroundings)) throw kindNotHere()
  if (connector.webhookSecret === null) throw secretMissing()
  if (connector.ownAccountId === null) throw notChecked()
  const twin = all.find(
    (other) => other.id !== connector.id && other.active && other.ownAccountId === connector.ownAccountId,
  )
  if (twin) throw accountTaken(twin.name)
}
