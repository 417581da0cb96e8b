import type { Account } from '../mercadopago/gateway.ts'

/**
 * What an account at MercadoPago is for. `simulator` is our own MercadoPago of development, `sandbox` a test user's
 * account, `production` the one that money arrives in.
 */
export const connectorKinds = ['simulator', 'sandbox', 'production'] as const
export type ConnectorKind = (typeof connectorKinds)[number]

/** An account at MercadoPago, without its secrets. */
export interface Connector {
  readonly id: string
  readonly name: string
  readonly kind: ConnectorKind
  readonly active: boolean
  readonly isPrimary: boolean
  /** Whose the access token is, as MercadoPago says: what a payment's `collectorId` must be. Null until it was checked. */
  readonly ownAccountId: string | null
  /** Of a sandbox: the test user that pays in place of whoever would. */
  readonly testPayerEmail: string | null
  /** It was measured that a future `start_date` authorises a card (billing.md 2.12, 1). */
  readonly startDateSupported: boolean
}

/** Where this process runs, as far as connectors care. */
export interface Surroundings {
  readonly env: 'development' | 'test' | 'production'
  /** Our calls go to a simulator, not to MercadoPago. */
  readonly simulated: boolean
}

/** The e-mail that MercadoPago is to expect the payer to log in with: test sellers take test buyers only (2.11). */
export const payerEmailOn = (connector: Connector, email: string): string => connector.testPayerEmail ?? email

/**
 * Whether connectors of a kind can be spoken to from here. What holds: no simulator where money is real, and no token that
 * moves real money to an address that is not MercadoPago's.
 */
export function isKindUsable(kind: ConnectorKind, { env, simulated }: Surroundings): boolean {
  switch (kind) {
    case 'simulator':
      return env !== 'production' && simulated
    case 'sandbox':
      return true
    case 'production':
      return !simulated
  }
}

/** In production only an account that money arrives in charges anybody. */
export const mayBePrimary = (kind: ConnectorKind, surroundings: Surroundings): boolean =>
  isKindUsable(kind, surroundings) && (surroundings.env !== 'production' || kind === 'production')

/**
 * Whether an account may be marked as this kind. A token does not say: `TEST-` credentials of a real application are of the
 * real account and show real subscriptions, so the account itself is looked at (2.11).
 */
export function isAccountOfKind(kind: ConnectorKind, { isTest }: Pick<Account, 'isTest'>): boolean {
  return kind === 'simulator' || isTest === (kind === 'sandbox')
}
