import { AppError } from '../../errors.ts'
import type { Account } from '../mercadopago/gateway.ts'
import { type ConnectorKind, isAccountOfKind } from './connector.ts'
import { tokenRefused, wrongAccount, wrongCountry } from './errors.ts'
import type { Gateways } from './gateways.ts'

/**
 * Whose a token is, and that the account is what the connector says it is.
 * @throws AppError `connectors.token_refused`, `connectors.wrong_account`, `connectors.wrong_country`, and what a gateway throws
 */
export async function identify(
  gateways: Pick<Gateways, 'whoIs'>,
  kind: ConnectorKind,
  accessToken: string,
): Promise<Account> {
  const account = await gateways.whoIs(kind, accessToken).catch((error: unknown) => {
    // Here the token is what was asked about, not a fault of the service.
    throw error instanceof AppError && error.code === 'gateway.unauthorized' ? tokenRefused(error) : error
  })
  // It would charge in another currency, under other limits. One that does not say is believed.
  if (account.siteId !== null && account.siteId !== MEXICO) throw wrongCountry(account)
  if (kind !== 'simulator' && !isAccountOfKind(kind, account)) throw wrongAccount(kind, account)
  return account
}

const MEXICO = 'MLM'
