import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

/** 256 random bits in base64url: refresh tokens, device tokens and the links of mails. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** What is stored of a token. Fast on purpose: 256 random bits need no slow hash. */
export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest()

/** The device a device token names. The database knows only this, which opens nothing. */
export function deviceIdOf(deviceToken: string): string {
  const hex = createHash('sha256').update('device').update(deviceToken).digest('hex')
  // Version 8 of RFC 9562: bits of our own choosing in the form of a UUID.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/**
 * Seals the successor of a refresh token so that only who presents that token can read it: two tabs that refresh at
 * once, or a client whose answer was lost, get the same successor, and the table alone gives nobody a session.
 */
export function sealSuccessor(presented: string, successor: string): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(presented), nonce, { authTagLength: TAG })
  const sealed = Buffer.concat([cipher.update(successor, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
}

/** @throws Error when it was sealed under another token, or altered */
export function openSuccessor(presented: string, sealed: Buffer): string {
  const tag = sealed.subarray(sealed.length - TAG)
  const nonce = sealed.subarray(0, NONCE)
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(presented), nonce, { authTagLength: TAG })
  decipher.setAuthTag(tag)
  const opened = [decipher.update(sealed.subarray(NONCE, sealed.length - TAG)), decipher.final()]
  return Buffer.concat(opened).toString('utf8')
}

const NONCE = 12
const TAG = 16

const sealingKey = (presented: string) =>
  Buffer.from(hkdfSync('sha256', presented, '', 'horux360 refresh successor', 32))
