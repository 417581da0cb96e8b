import type { Alarm } from '../../alarms.ts'
import type { Clock } from '../../clock.ts'
import type { CentralDb, CentralTx } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Site } from '../queries.ts'
import type { OwnerSession } from '../servers/queries.ts'
import type { Servers } from '../servers/servers.ts'
import type { Operation, StepName } from './operation.ts'

/** What the worker and the command line have, and the API has not: the owner's way into the servers. */
export interface OperationDeps {
  central: CentralDb
  queue: Queue
  clock: Clock
  servers: Servers
  log: Log
}

/** The part of pino's logger that is used. */
export interface Log {
  info(fields: object, message: string): void
  warn: Complain
  error: Complain
}

type Complain = <T extends object>(fields: T & { alarm?: Alarm }, message: string) => void

/** What a step works with. `owner` is the session that holds the tenant's lock. */
export interface Context {
  deps: OperationDeps
  operation: Operation
  site: Site
  owner: OwnerSession
  /**
   * A step's write of the central database. Not committed when the operation is no longer ours: the tenant's lock ends
   * with its session, and a process that was stuck may wake after another one has undone everything.
   */
  write(work: CentralWrite): Promise<void>
  /** Ended with the attempt, however it ends. */
  cleanup: AsyncDisposableStack
}

/** A write of the central database that commits together with the end of the operation. */
export type CentralWrite = (trx: CentralTx) => Promise<void>

export interface Step<Name extends string> {
  name: Name
  /** May find its work done already, half done, or undone. */
  run(): Promise<void>
  /** Takes back what is provably this operation's. Also run for a step that failed half way, and more than once. */
  undo?(): Promise<void>
}

/** What an operation does. The last of the names in `operation.ts` is `finish`: it commits together with the success. */
export interface Saga<Name extends string = StepName> {
  steps: readonly Step<Name>[]
  finish: { name: Name; prepare(): Promise<CentralWrite> }
  /** What becomes of the tenant when the operation was given up, after everything is undone. */
  giveUp: CentralWrite
}
