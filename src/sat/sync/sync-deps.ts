import type { Clock } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import type { SatDescarga } from '../descarga/client.ts'

/** What a turn of the synchronisation works with. */
export interface SyncDeps {
  central: CentralDb
  clock: Clock
  config: Pick<Config, 'filesPath' | 'fielKeys'>
  queue: Queue
  satDescarga: SatDescarga
  log: Log
}

/** Whose turn it is. */
export interface Empresa {
  readonly id: string
  readonly rfc: string
}
