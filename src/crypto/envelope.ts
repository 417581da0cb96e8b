import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { SealError, type SealKeys } from './seal.ts'

/** What sealed bytes are and whose. All of it is authenticated and none of it is stored: moved elsewhere they do not open. */
export interface EnvelopeContext {
  /** What they are for: `fiel`. */
  purpose: string
  tenantId: string
  /** The record they belong to. */
  recordId: string
  /** Which part of it: `private_key`. */
  component: string
}

/**
 * Seals bytes in an envelope `hx1`: AES-256-GCM under a data key of their own, which the active key of the ring wraps. A
 * rotation of the ring wraps data keys anew and leaves what they seal untouched.
 *
 * Format: `hx1`, length of the kid, kid, IV of the wrapping, wrapped data key, its tag, IV, tag, ciphertext. The context
 * is authenticated by both, the kid by the wrapping only (reliability.md A2-19, V24, V25).
 */
export function sealEnvelope(keys: SealKeys, plain: Uint8Array, context: EnvelopeContext): Buffer {
  const dataKey = randomBytes(KEY_BYTES)
  try {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv('aes-256-gcm', dataKey, iv, GCM)
    cipher.setAAD(aadOf(context))
    const body = Buffer.concat([cipher.update(plain), cipher.final()])
    return Buffer.concat([wrap(keys.active, dataKey, context), iv, cipher.getAuthTag(), body])
  } finally {
    dataKey.fill(0)
  }
}

/**
 * What was sealed; whoever gets it wipes it (`fill(0)`) when done.
 * @throws SealError `damaged` when a byte or the context is another, `unknown_key` when the ring lost its key
 */
export function openEnvelope(keys: SealKeys, sealed: Uint8Array, context: EnvelopeContext): Buffer {
  const parts = partsOf(sealed)
  const dataKey = unwrap(keys, parts, context)
  try {
    const decipher = createDecipheriv('aes-256-gcm', dataKey, parts.iv, GCM)
    decipher.setAAD(aadOf(context))
    decipher.setAuthTag(parts.tag)
    const first = decipher.update(parts.body)
    try {
      decipher.final()
    } catch {
      first.fill(0)
      throw damaged()
    }
    return first
  } finally {
    dataKey.fill(0)
  }
}

/**
 * The same sealed bytes with their data key wrapped by the active key of the ring; the payload is copied as it is.
 * @throws SealError as `openEnvelope`, of which only the wrapping is checked
 */
export function rewrapEnvelope(keys: SealKeys, sealed: Uint8Array, context: EnvelopeContext): Buffer {
  const parts = partsOf(sealed)
  const dataKey = unwrap(keys, parts, context)
  try {
    return Buffer.concat([wrap(keys.active, dataKey, context), parts.iv, parts.tag, parts.body])
  } finally {
    dataKey.fill(0)
  }
}

/** Which key of the ring wraps it. @throws SealError `damaged` */
export const envelopeKid = (sealed: Uint8Array): string => partsOf(sealed).kid

const MAGIC = Buffer.from('hx1', 'latin1')
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
// The length is ours, never that of what arrived: GCM would accept a tag cut to four bytes.
const GCM = { authTagLength: TAG_BYTES }

interface Parts {
  kid: string
  wrapIv: Buffer
  wrapped: Buffer
  wrapTag: Buffer
  iv: Buffer
  tag: Buffer
  body: Buffer
}

function wrap({ kid, key }: SealKeys['active'], dataKey: Buffer, context: EnvelopeContext): Buffer {
  const head = Buffer.concat([MAGIC, Buffer.from([kid.length]), Buffer.from(kid, 'latin1')])
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', wrappingKey(key), iv, GCM)
  cipher.setAAD(aadOf(context, kid))
  const wrapped = Buffer.concat([cipher.update(dataKey), cipher.final()])
  return Buffer.concat([head, iv, wrapped, cipher.getAuthTag()])
}

function unwrap(keys: SealKeys, { kid, wrapIv, wrapped, wrapTag }: Parts, context: EnvelopeContext): Buffer {
  const key = keys.get(kid)
  if (!key) throw new SealError('unknown_key', `sealed with key ${kid}, which is not in the ring`)
  const decipher = createDecipheriv('aes-256-gcm', wrappingKey(key), wrapIv, GCM)
  decipher.setAAD(aadOf(context, kid))
  decipher.setAuthTag(wrapTag)
  const dataKey = decipher.update(wrapped)
  try {
    decipher.final()
  } catch {
    dataKey.fill(0)
    throw damaged()
  }
  return dataKey
}

function partsOf(bytes: Uint8Array): Parts {
  const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = sealed[MAGIC.length] ?? 0
  let at = MAGIC.length + 1
  const take = (count: number) => {
    at += count
    return sealed.subarray(at - count, at)
  }
  const kid = take(length).toString('latin1')
  const parts = {
    kid,
    wrapIv: take(IV_BYTES),
    wrapped: take(KEY_BYTES),
    wrapTag: take(TAG_BYTES),
    iv: take(IV_BYTES),
    tag: take(TAG_BYTES),
    body: sealed.subarray(at),
  }
  if (!sealed.subarray(0, MAGIC.length).equals(MAGIC) || !/^[\w-]{1,32}$/.test(kid) || at > sealed.length)
    throw damaged()
  return parts
}

/** Each with its length, so that no two contexts are the same bytes. */
function aadOf({ purpose, tenantId, recordId, component }: EnvelopeContext, ...more: string[]): Buffer {
  return Buffer.concat(
    [purpose, tenantId, recordId, component, ...more].flatMap((text) => {
      const bytes = Buffer.from(text, 'utf8')
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}

/** Keys of a ring are 32 bytes or more; the cipher takes 32, and no other use of the same key gets these. */
const wrappingKey = (key: Buffer) => Buffer.from(hkdfSync('sha256', key, '', 'horux envelope v1', KEY_BYTES))

const damaged = () => new SealError('damaged', 'sealed bytes do not open')
