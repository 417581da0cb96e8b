import type { Clock } from '../../clock.ts'
import type { SealKeys } from '../../crypto/seal.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { Gateways } from './gateways.ts'

export interface ConnectorDeps {
  central: CentralDb
  clock: Clock
  keys: SealKeys
  gateways: Gateways
}
