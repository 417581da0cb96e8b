import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** The part of a ring of keys that sealing needs: the first key seals, all open. */
export interface SealKeys {
  readonly active: { readonly kid: string; readonly key: Buffer }
  get(kid: string): Buffer | undefined
}

/** Sealed bytes that do not open. Says which key is missing, and nothing of what is inside. */
export class SealError extends Error {
  readonly reason: 'damaged' | 'unknown_key'

  constructor(reason: 'damaged' | 'unknown_key', message: string) {
    super(message)
    this.name = 'SealError'
    this.reason = reason
  }
}

/**
 * Seals a small secret with the active key: AES-256-GCM under a random 96-bit IV, tag of 128 bits.
 *
 * `context` names what it is and whose (`connector:<id>:access_token`). It is authenticated and not stored: sealed bytes
 * that are moved to another row or column do not open there.
 *
 * Format: version 1, length of the kid, kid, IV, ciphertext, tag. What stands before the IV is authenticated too.
 */
export function seal(keys: SealKeys, secret: string, context: string): Buffer {
  const { kid, key } = keys.active
  const head = Buffer.concat([Buffer.from([VERSION, kid.length]), Buffer.from(kid, 'latin1')])
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(key), iv, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.concat([head, Buffer.from(context)]))
  const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([head, iv, body, cipher.getAuthTag()])
}

/** @throws SealError `damaged` when a byte or the context is another, `unknown_key` when the ring lost its key */
export function open(keys: SealKeys, sealed: Uint8Array, context: string): string {
  const { kid, head, iv, body, tag } = partsOf(Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength))
  const key = keys.get(kid)
  if (!key) throw new SealError('unknown_key', `sealed with key ${kid}, which is not in the ring`)
  // The length is ours, never that of what arrived: GCM would accept a tag cut to four bytes.
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(key), iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.concat([head, Buffer.from(context)]))
  decipher.setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
  } catch {
    throw new SealError('damaged', 'sealed bytes do not open')
  }
}

/** Which key sealed it: what another than the active one sealed is to be sealed again before that key leaves the ring. */
export const sealedWith = (sealed: Uint8Array): string =>
  partsOf(Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)).kid

const VERSION = 1
const IV_BYTES = 12
const TAG_BYTES = 16

function partsOf(sealed: Buffer) {
  const [version, length = 0] = sealed
  const start = 2 + length
  const kid = sealed.subarray(2, start).toString('latin1')
  if (version !== VERSION || !/^[\w-]{1,32}$/.test(kid) || sealed.length < start + IV_BYTES + TAG_BYTES)
    throw new SealError('damaged', 'not sealed bytes of ours')
  return {
    kid,
    head: sealed.subarray(0, start),
    iv: sealed.subarray(start, start + IV_BYTES),
    body: sealed.subarray(start + IV_BYTES, -TAG_BYTES),
    tag: sealed.subarray(-TAG_BYTES),
  }
}

/** Keys of a ring are 32 bytes or more; the cipher takes 32, and no other use of the same key gets these. */
const sealingKey = (key: Buffer) => Buffer.from(hkdfSync('sha256', key, '', 'horux seal v1', 32))
