import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { SealKeys } from '../../crypto/seal.ts'
import type { CentralDb } from '../../db/databases.ts'
import { type Breaker, createBreaker } from '../../outbound/breaker.ts'
import { createPace, type Pace } from '../../outbound/pace.ts'
import { mercadoPagoUrl } from '../mercadopago/base-url.ts'
import { createGateway, type GatewayOptions } from '../mercadopago/create-gateway.ts'
import { PACE } from '../mercadopago/exchange.ts'
import type { Account, Gateway, GatewayStats } from '../mercadopago/gateway.ts'
import { type Connector, type ConnectorKind, isKindUsable, mayBePrimary, type Surroundings } from './connector.ts'
import { connectorNotFound, kindNotHere, noPrimary, tokenUnreadable } from './errors.ts'
import { findConnector, findPrimaryConnector, listConnectors, type StoredConnector } from './queries.ts'
import { openToken } from './secrets.ts'

/** MercadoPago's API through each of our accounts: one gateway, one pace and one breaker per connector and process. */
export interface Gateways {
  /**
   * The one that made a mandate, active or not.
   * @throws AppError `connectors.not_found`, `connectors.kind_not_here`, `connectors.unreadable`
   */
  of(connectorId: string): Promise<ConnectedGateway>
  /** The one that new checkouts go through. @throws AppError `connectors.no_primary` and those of `of` */
  primary(): Promise<ConnectedGateway>
  /** All that are active and can be spoken to from here. One that cannot is told of in the log and left out. */
  active(): Promise<ConnectedGateway[]>
  /** Asks MercadoPago whose a token is, before it is anybody's. Once, without trying again: a person waits. */
  whoIs(kind: ConnectorKind, accessToken: string): Promise<Account>
  /** Where this process runs: which kinds of connectors it may use. */
  surroundings(): Surroundings
  /** Of the gateways that this process has used. */
  stats(): (GatewayStats & { connectorId: string })[]
  /** Reads connectors anew at the next call, instead of a second later. */
  forget(): void
}

export interface ConnectedGateway {
  connector: Connector
  gateway: Gateway
}

export interface GatewaysOptions {
  central: CentralDb
  keys: SealKeys
  log: Logger
  env: Surroundings['env']
  clock?: Clock
  /** Of every call: fewer tries where a person waits. */
  patience?: Pick<GatewayOptions, 'retries' | 'deadlineMs'>
  /** How long a connector that was read is believed. */
  freshMs?: number
}

interface Known {
  token: Buffer
  gateway: Gateway
  pace: Pace
  breaker: Breaker
}

export function createGateways(options: GatewaysOptions): Gateways {
  const { central, keys, log, env, clock, patience, freshMs = 1_000 } = options
  const known = new Map<string, Known>()
  const readings = new Map<string, { at: number; row: Promise<StoredConnector | undefined> }>()
  const surroundings = (): Surroundings => ({ env, simulated: mercadoPagoUrl() !== REAL_API })
  const timing = clock ? { clock } : {}

  /** At most one reading a second of each, whoever asks; one that failed is nobody's answer but of those who waited. */
  function read(key: string, find: () => Promise<StoredConnector | undefined>) {
    const last = readings.get(key)
    if (last && performance.now() - last.at < freshMs) return last.row
    const row = find()
    readings.set(key, { at: performance.now(), row })
    row.catch(() => readings.get(key)?.row === row && readings.delete(key))
    return row
  }

  function connected(row: StoredConnector): ConnectedGateway {
    if (!isKindUsable(row.kind, surroundings())) throw kindNotHere()
    return { connector: withoutSecrets(row), gateway: gatewayOf(row) }
  }

  function gatewayOf({ id, kind, accessToken: token }: StoredConnector): Gateway {
    const before = known.get(id)
    if (before?.token.equals(token)) return before.gateway
    // Another token speaks with the same MercadoPago: its limits, and what is known of its health, stay.
    const pace = before?.pace ?? createPace(kind === 'simulator' ? { intervalMs: 0 } : PACE)
    // Whoever moves the clock of a simulated MercadoPago moves what waits for it too.
    const now = clock && kind === 'simulator' ? { now: () => clock.now().getTime() } : {}
    const breaker = before?.breaker ?? createBreaker({ ...timing, ...now })
    const accessToken = openedToken(id, token)
    const gateway = createGateway({ accessToken, account: id, log, pace, breaker, ...timing, ...patience })
    known.set(id, { token, gateway, pace, breaker })
    return gateway
  }

  function openedToken(id: string, sealed: Buffer): string {
    try {
      return openToken(keys, id, sealed)
    } catch (error) {
      throw tokenUnreadable(error)
    }
  }

  return {
    async of(connectorId) {
      const row = await read(connectorId, () => findConnector(central, connectorId))
      if (!row) throw connectorNotFound()
      return connected(row)
    },

    async primary() {
      const row = await read('primary', () => findPrimaryConnector(central))
      if (!row) throw noPrimary()
      // Whoever made it so: in production a test user would buy with money that is none.
      if (!mayBePrimary(row.kind, surroundings())) throw kindNotHere()
      return connected(row)
    },

    async active() {
      const rows = await listConnectors(central, { active: true })
      return rows.flatMap((row) => {
        try {
          return [connected(row)]
        } catch (err) {
          log.error({ err, connector_id: row.id, alarm: 'connector_unusable' }, 'a payment connector cannot be used')
          return []
        }
      })
    },

    async whoIs(kind, accessToken) {
      if (!isKindUsable(kind, surroundings())) throw kindNotHere()
      const probe = { retries: 0, deadlineMs: PROBE_MS }
      return createGateway({ accessToken, account: 'check', log, ...timing, ...probe }).whoAmI()
    },

    surroundings,

    stats: () => [...known].map(([connectorId, { gateway }]) => ({ ...gateway.stats(), connectorId })),

    forget: () => readings.clear(),
  }
}

const REAL_API = 'https://api.mercadopago.com'
const PROBE_MS = 8_000

const withoutSecrets = (row: StoredConnector): Connector => ({
  id: row.id,
  name: row.name,
  kind: row.kind,
  active: row.active,
  isPrimary: row.isPrimary,
  ownAccountId: row.ownAccountId,
  testPayerEmail: row.testPayerEmail,
  startDateSupported: row.startDateSupported,
})
