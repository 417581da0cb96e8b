import type { SealKeys } from '../../crypto/seal.ts'
import type { CentralSql } from '../../db/databases.ts'
import { listConnectors } from './queries.ts'
import { readSecret } from './secrets.ts'

/** What a delivery of one connector is verified with (billing.md 2.8). */
export interface VerificationSecrets {
  connectorId: string
  ownAccountId: string | null
  /** The current one and, since a rotation, the previous: deliveries signed before it may be days late. Empty when none can be read. */
  secrets: readonly string[]
  /** Secrets that our keys do not open: what they signed will be refused, and somebody must know why. */
  unreadable: number
}

/** Of every active connector. One whose key was lost does not close the door to the others. */
export async function findVerificationSecrets(db: CentralSql, keys: SealKeys): Promise<VerificationSecrets[]> {
  const connectors = await listConnectors(db, { active: true })
  return connectors.map(({ id, ownAccountId, webhookSecret, previousSecret }) => {
    const sealed = [webhookSecret, previousSecret].filter((secret) => secret !== null)
    const secrets = sealed.map((secret) => readSecret(keys, id, secret)).filter((secret) => secret !== undefined)
    return { connectorId: id, ownAccountId, secrets, unreadable: sealed.length - secrets.length }
  })
}
