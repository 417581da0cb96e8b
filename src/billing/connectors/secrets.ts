import { open, type SealKeys, seal, sealedWith } from '../../crypto/seal.ts'

// Each secret is bound to its connector and its use: moved to another row, it does not open.

export const sealToken = (keys: SealKeys, connectorId: string, token: string): Buffer =>
  seal(keys, token, tokenContext(connectorId))

/** @throws SealError */
export const openToken = (keys: SealKeys, connectorId: string, sealed: Uint8Array): string =>
  open(keys, sealed, tokenContext(connectorId))

export const sealSecret = (keys: SealKeys, connectorId: string, secret: string): Buffer =>
  seal(keys, secret, secretContext(connectorId))

/** @throws SealError */
export const openSecret = (keys: SealKeys, connectorId: string, sealed: Uint8Array): string =>
  open(keys, sealed, secretContext(connectorId))

/** The same secret under the active key; null when it is already, so that nothing needs to be written. */
export function resealed(
  keys: SealKeys,
  connectorId: string,
  { accessToken, webhookSecret, previousSecret }: SealedSecrets,
): SealedSecrets | null {
  const all = [accessToken, webhookSecret, previousSecret]
  if (all.every((sealed) => sealed === null || sealedWith(sealed) === keys.active.kid)) return null
  const again = (sealed: Buffer | null) =>
    sealed && sealSecret(keys, connectorId, openSecret(keys, connectorId, sealed))
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
