import { open, SealError, type SealKeys, seal, sealedWith } from '../../crypto/seal.ts'

// Each secret is bound to its connector and its use: moved to another row, it does not open.

export const sealToken = (keys: SealKeys, connectorId: string, token: string): Buffer =>
  seal(keys, token, tokenContext(connectorId))

/** @throws SealError */
export const openToken = (keys: SealKeys, connectorId: string, sealed: Uint8Array): string =>
  open(keys, sealed, tokenContext(connectorId))

export const sealSecret = (keys: SealKeys, connectorId: string, secret: string): Buffer =>
  seal(keys, secret, secretContext(connectorId))

/** @throws SealError */
const openSecret = (keys: SealKeys, connectorId: string, sealed: Uint8Array): string =>
  open(keys, sealed, secretContext(connectorId))

/** What the secret is; undefined when the keys do not open it. */
export function readSecret(keys: SealKeys, connectorId: string, sealed: Uint8Array): string | undefined {
  try {
    return openSecret(keys, connectorId, sealed)
  } catch (error) {
    if (error instanceof SealError) return undefined
    throw error
  }
}

/**
 * The same secrets under the active key; null when they are already, so that nothing needs to be written. A webhook secret
 * whose key was lost stays as it is: its key may come back.
 * @throws SealError when the token cannot be opened
 */
export function resealed(
  keys: SealKeys,
  connectorId: string,
  { accessToken, webhookSecret, previousSecret }: SealedSecrets,
): SealedSecrets | null {
  const all = [accessToken, webhookSecret, previousSecret]
  if (all.every((sealed) => sealed === null || sealedWith(sealed) === keys.active.kid)) return null
  const again = (sealed: Buffer | null) => {
    const secret = sealed && readSecret(keys, connectorId, sealed)
    return typeof secret === 'string' ? sealSecret(keys, connectorId, secret) : sealed
  }
  return {
    accessToken: sealToken(keys, connectorId, openToken(keys, connectorId, accessToken)),
    webhookSecret: again(webhookSecret),
    previousSecret: again(previousSecret),
  }
}

export interface SealedSecrets {
  accessToken: Buffer
  webhookSecret: Buffer | null
  previousSecret: Buffer | null
}

const tokenContext = (connectorId: string) => `connector:${connectorId}:access_token`

/** One for the current and the previous: a secret that becomes the previous moves as it is. */
const secretContext = (connectorId: string) => `connector:${connectorId}:webhook_secret`
