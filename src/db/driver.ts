import {
  type AbortableQueryOptions,
  AbortedTransactionError,
  CompiledQuery,
  type DatabaseConnection,
  DefaultConnectionProvider,
  DefaultQueryExecutor,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import type { Connection } from './connection.ts'
import { ConnectionFailure, refused, toAppError } from './failures.ts'
import type { Pool } from './pool.ts'
import { quoteName } from './quote.ts'

/** Where Kysely gets its sessions from: a pool, or one lease of a tenant's pool. */
export interface SessionSource {
  acquire(): Promise<Session>
  /** For the one statement `text`, outside of a transaction. */
  share(text: string): Promise<Session>
  release(session: Session): void
  destroy(): Promise<void>
}

export function sessionDialect(source: SessionSource): Dialect {
  return {
    createAdapter: () => adapter,
    createDriver: () => createDriver(source),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => compiler,
  }
}

const adapter = new PostgresAdapter()
// One for all: it begins anew with each query and compiles it in one go, and making one binds a hundred methods, which
// every lease of a tenant would pay.
const compiler = new PostgresQueryCompiler()

/**
 * Kysely on sessions. A statement outside of a transaction takes the short way: Kysely's own lends it a session as if more
 * were to come.
 */
export function openKysely<Schema>(source: SessionSource): Kysely<Schema> {
  const dialect = sessionDialect(source)
  const driver = createDriver(source)
  return new Kysely<Schema>({ config: { dialect }, dialect, driver, executor: new StatementExecutor(source, driver) })
}

/** Transactions and plugins make executors of their own from it, which are Kysely's. */
class StatementExecutor extends DefaultQueryExecutor {
  readonly #source: SessionSource

  constructor(source: SessionSource, driver: Driver) {
    super(compiler, adapter, new DefaultConnectionProvider(driver))
    this.#source = source
  }

  override async executeQuery<R>(query: CompiledQuery, options?: AbortableQueryOptions): Promise<QueryResult<R>> {
    if (options?.signal) return super.executeQuery(query, options)
    const session = await this.#source.share(query.sql)
    try {
      return await session.executeQuery<R>(query)
    } finally {
      this.#source.release(session)
    }
  }
}

/** Kysely on a pool. `deadlineMs` is how long one statement may take before its session is given up. */
export const poolDialect = (pool: Pool, deadlineMs: number): Dialect => sessionDialect(poolSource(pool, deadlineMs))

export function poolSource(pool: Pool, deadlineMs: number): SessionSource {
  return {
    acquire: async () => new Session(await pool.acquire(), { deadlineMs }),
    share: async (text) => new Session(await pool.share(text), { deadlineMs, ahead: true }),
    release: (session) => session.giveBack(pool),
    destroy: () => pool.close(),
  }
}

/** Sees what becomes of the sessions of one lease. */
export interface SessionWitness {
  sending(): void
  failed(failure: ConnectionFailure): void
}

export interface SessionOptions {
  deadlineMs: number
  witness?: SessionWitness
  /** It was lent for one statement, which goes out at once whatever is on its way there. */
  ahead?: boolean
}

/** A session of the pool as Kysely sees it, for as long as one caller has it. */
export class Session implements DatabaseConnection {
  /** Set from before BEGIN is sent until COMMIT or ROLLBACK was answered. */
  inTransaction = false
  #ending = false
  readonly #connection: Connection
  readonly #options: SessionOptions

  constructor(connection: Connection, options: SessionOptions) {
    this.#connection = connection
    this.#options = options
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#ending) throw new Error('the transaction of this statement has ended')
    return this.#send(query)
  }

  /**
   * COMMIT or ROLLBACK, and nothing after it: a statement that nobody awaited, sent before the answer is here, would
   * run behind it as a transaction of its own.
   */
  async settle(text: 'commit' | 'rollback'): Promise<QueryResult<{ command: string }>> {
    this.#ending = true
    try {
      return await this.#send(CompiledQuery.raw(text))
    } finally {
      this.#ending = false
    }
  }

  async #send<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { deadlineMs, witness, ahead } = this.#options
    witness?.sending()
    try {
      const { rows, command, count } = await this.#connection.query(query.sql, query.parameters, deadlineMs, ahead)
      // Kysely learns from it that a COMMIT was answered with ROLLBACK.
      if (command === 'COMMIT' || command === 'ROLLBACK') return { rows: [{ command } as R] }
      const changed = CHANGES.has(command) ? { numAffectedRows: BigInt(count ?? 0) } : {}
      return { ...changed, rows: rows as R[] }
    } catch (error) {
      if (error instanceof ConnectionFailure) witness?.failed(error)
      throw toAppError(refused(error))
    }
  }

  // biome-ignore lint/correctness/useYield: the interface wants a generator, and streaming is refused
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported: read pages, or use COPY through pg')
  }

  /** Back to the pool. With a transaction left open nobody else may have it. */
  giveBack(pool: Pool): void {
    if (this.inTransaction) this.#connection.destroy()
    pool.release(this.#connection)
  }

  discard(): void {
    this.#connection.destroy()
  }
}

function createDriver(source: SessionSource): Driver {
  const asSession = (connection: DatabaseConnection) => connection as Session
  return {
    async init() {},
    acquireConnection: () => source.acquire(),
    releaseConnection: async (connection) => source.release(asSession(connection)),
    destroy: () => source.destroy(),

    async beginTransaction(connection, settings) {
      asSession(connection).inTransaction = true
      await connection.executeQuery(CompiledQuery.raw(beginStatement(settings)))
    },

    async commitTransaction(connection) {
      const { rows } = await asSession(connection).settle('commit')
      asSession(connection).inTransaction = false
      // PostgreSQL answers so when a statement failed and its error was swallowed: nothing was kept.
      if (rows[0]?.command === 'ROLLBACK') throw new AbortedTransactionError()
    },

    async rollbackTransaction(connection) {
      try {
        await asSession(connection).settle('rollback')
        asSession(connection).inTransaction = false
      } catch {
        // The session is lost, so the server has rolled back by itself. What the caller must see is why it came here.
        asSession(connection).discard()
      }
    },

    async savepoint(connection, name) {
      await connection.executeQuery(CompiledQuery.raw(`savepoint ${quoteName(name)}`))
    },
    async rollbackToSavepoint(connection, name) {
      await connection.executeQuery(CompiledQuery.raw(`rollback to savepoint ${quoteName(name)}`))
    },
    async releaseSavepoint(connection, name) {
      await connection.executeQuery(CompiledQuery.raw(`release savepoint ${quoteName(name)}`))
    },
  }
}

function beginStatement({ isolationLevel, accessMode }: TransactionSettings): string {
  const isolation = isolationLevel ? ` isolation level ${isolationLevel}` : ''
  return `begin${isolation}${accessMode ? ` ${accessMode}` : ''}`
}

const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])
