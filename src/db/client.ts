import type { Config } from '../config.ts'
import { type DatabaseUrl, parseDatabaseUrl, readCredential, type ServerAddress } from './address.ts'
import { type Connection, openConnection } from './connection.ts'
import type { CentralDb, CentralSchema } from './databases.ts'
import { openKysely, poolSource } from './driver.ts'
import { createPool, type Pool, type PoolStats } from './pool.ts'

/** The central database. Opens no connection before the first query; `destroy()` closes it. */
export function openCentral(config: Pick<Config, 'central' | 'processRole' | 'statementTimeoutMs'>): CentralDb {
  const { password, ...address } = parseDatabaseUrl(config.central.url)
  const target = {
    ...address,
    passwords: [password],
    applicationName: `horux-${config.processRole}`,
    settings: sessionSettings(config.statementTimeoutMs),
    prepare: true,
  }
  const pool = createPool(target, { max: config.central.poolMax })
  const db = openKysely<CentralSchema>(poolSource(pool, statementDeadlineMs(config.statementTimeoutMs)))
  pools.set(db, pool)
  return db
}

/** Sessions and queue of the pool behind a database opened here. */
export function poolStats(db: CentralDb): PoolStats {
  return pools.get(db)?.stats() ?? { open: 0, running: 0, waiting: 0 }
}

/**
 * One direct session of the owner of a server (or of its administrator), for migrations, provisioning and moves. It
 * never reconnects by itself: locks and open transactions belong to the session. Errors arrive as the server sent them
 * (`code` is the SQLSTATE), a lost session as ConnectionFailure.
 */
export interface OwnerConnection {
  /** With parameters one statement; without, one or more in the simple protocol, and the rows of the last. */
  query<Row extends object>(text: string, params?: readonly unknown[]): Promise<readonly Row[]>
  end(): Promise<void>
  readonly lost: string | undefined
}

export interface OwnerOptions {
  credentialsDir: string
  applicationName?: string
  connectTimeoutMs?: number
  /** How long one statement may take. An index on a large table takes long: default one hour. */
  deadlineMs?: number
}

/** @throws ConnectionFailure; Error when the credential file is missing or malformed. */
export async function openOwner(
  server: ServerAddress & { owner_credential: string },
  database: string,
  options: OwnerOptions,
): Promise<OwnerConnection> {
  const credential = readCredential(options.credentialsDir, server.owner_credential)
  const { host, port, tls } = server
  return openAs({ host, port, tls, database, ...credential }, options)
}

/** Like `openOwner`, as whoever the address names. */
export async function openAs(
  address: DatabaseUrl | string,
  options: Omit<OwnerOptions, 'credentialsDir'> = {},
): Promise<OwnerConnection> {
  const { applicationName = 'horux-owner', connectTimeoutMs = 10_000, deadlineMs = 3_600_000 } = options
  const { password, ...where } = typeof address === 'string' ? parseDatabaseUrl(address) : address
  const target = { ...where, passwords: [password], applicationName, settings: {}, prepare: false }
  const connection = await openConnection(target, { deadlineMs: connectTimeoutMs })
  return ownerConnection(connection, deadlineMs)
}

function ownerConnection(connection: Connection, deadlineMs: number): OwnerConnection {
  return {
    async query<Row extends object>(text: string, params?: readonly unknown[]) {
      const answer = params ? connection.query(text, params, deadlineMs) : connection.script(text, deadlineMs)
      const { rows } = await answer
      return rows as Row[]
    },
    end: () => connection.end(),
    get lost() {
      return connection.lost
    },
  }
}

/** Sent with the start-up packet of every session of the product; the same limits stand at the roles as a backstop. */
export function sessionSettings(statementTimeoutMs: number): Record<string, number> {
  return { statement_timeout: statementTimeoutMs, idle_in_transaction_session_timeout: 10_000 }
}

/** The server gives up first and says so; ours is for the one that says nothing any more. */
export const statementDeadlineMs = (statementTimeoutMs: number) => statementTimeoutMs + 1_000

const pools = new WeakMap<object, Pool>()
