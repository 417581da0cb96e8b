import { createHmac, timingSafeEqual } from 'node:crypto'

/** A delivery as it came. Names of headers are in lower case, as Node gives them; a repeated name has an array. */
export interface SignedDelivery {
  query: Fields
  headers: Fields
  /** `data.id` of the body, whatever type it has there. */
  bodyDataId: unknown
}

type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

/** The connector's. While one is being changed, deliveries of both kinds arrive. */
export interface WebhookSecrets {
  current: string
  previous: string | null
}

export type SignatureRefusal =
  | 'missing_secret'
  | 'bad_data_id'
  | 'missing_header'
  | 'malformed_header'
  | 'signature_mismatch'
  | 'body_query_mismatch'
  | 'ts_in_future'
  | 'ts_too_old'

export type SignatureVerdict =
  | { ok: true; dataId: string; requestId: string | null; signedAt: Date; secret: keyof WebhookSecrets }
  | { ok: false; reason: SignatureRefusal }

/** An empty key is a key that everybody has. */
export const MIN_SECRET_LENGTH = 16

/**
 * Whether MercadoPago sent a webhook, by billing.md 2.8 and in its order; the SDK's own validator refuses genuine
 * deliveries and takes forged ones. The signature covers `data.id`, `x-request-id` and `ts` and nothing else, so the rest
 * of the body is still not to be believed. What contradicts itself in the documents is tried both ways: the id as written
 * or in lower case, `ts` in seconds or milliseconds, the digest in either case.
 */
export function verifySignature(delivery: SignedDelivery, secrets: WebhookSecrets, now: Date): SignatureVerdict {
  if (secrets.current.length < MIN_SECRET_LENGTH) return refused('missing_secret')

  const ids = all(delivery.query['data.id'])
  const [dataId = ''] = ids
  if (ids.length !== 1 || !DATA_ID.test(dataId)) return refused('bad_data_id')

  const signatures = all(delivery.headers['x-signature'])
  if (signatures.every((header) => header.trim() === '')) return refused('missing_header')
  const signature = signatures.length === 1 ? parseHeader(signatures[0] ?? '') : null
  const requestIds = all(delivery.headers['x-request-id']).filter((id) => id.trim() !== '')
  const requestId = requestIds[0]?.trim() ?? null
  if (!signature || requestIds.length > 1 || (requestId !== null && !REQUEST_ID.test(requestId)))
    return refused('malformed_header')

  const secret = signer(dataId, requestId, signature, secrets)
  if (!secret) return refused('signature_mismatch')
  // A text or a number: String(['7']) is '7' too.
  const { bodyDataId } = delivery
  if ((typeof bodyDataId !== 'string' && typeof bodyDataId !== 'number') || String(bodyDataId) !== dataId)
    return refused('body_query_mismatch')

  const signedAtMs = Number(signature.ts) * (signature.ts.length === 10 ? 1000 : 1)
  if (signedAtMs - now.getTime() > MOST_AHEAD_MS) return refused('ts_in_future')
  if (now.getTime() - signedAtMs > MOST_BEHIND_MS) return refused('ts_too_old')
  return { ok: true, dataId, requestId, signedAt: new Date(signedAtMs), secret }
}

const refused = (reason: SignatureRefusal): SignatureVerdict => ({ ok: false, reason })

const all = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

/** No `;` can be in it, so that one manifest has one reading. */
const DATA_ID = /^[0-9A-Za-z_-]{1,64}$/
const REQUEST_ID = /^[!-:<-~]{1,200}$/
const TS = /^(\d{10}|\d{13})$/
const V1 = /^[0-9a-f]{64}$/i

const MOST_AHEAD_MS = 5 * 60 * 1000
/** A redelivery may be four days late, and a replay can at most cause one more GET. */
const MOST_BEHIND_MS = 5 * 24 * 60 * 60 * 1000

interface Signature {
  ts: string
  v1: string
}

/** `ts=…,v1=…` in any order and with other parts beside; null when one is missing, odd or given twice. */
function parseHeader(header: string): Signature | null {
  const parts = header.split(',').map((part) => part.split('=', 2).map((text) => text.trim()))
  const [ts, secondTs] = parts.filter(([key]) => key?.toLowerCase() === 'ts')
  const [v1, secondV1] = parts.filter(([key]) => key?.toLowerCase() === 'v1')
  if (secondTs || secondV1 || !TS.test(ts?.[1] ?? '') || !V1.test(v1?.[1] ?? '')) return null
  return { ts: ts?.[1] ?? '', v1: v1?.[1] ?? '' }
}

/** Which secret made the digest, over either spelling of the id. All are computed, whichever fits. */
function signer(dataId: string, requestId: string | null, { ts, v1 }: Signature, secrets: WebhookSecrets) {
  const given = Buffer.from(v1, 'hex')
  const previous = secrets.previous && secrets.previous.length >= MIN_SECRET_LENGTH ? secrets.previous : null
  let found: keyof WebhookSecrets | null = null
  for (const [name, secret] of [['previous', previous] as const, ['current', secrets.current] as const]) {
    if (secret === null) continue
    for (const id of [dataId, dataId.toLowerCase()]) {
      const manifest = `id:${id};${requestId === null ? '' : `request-id:${requestId};`}ts:${ts};`
      if (timingSafeEqual(createHmac('sha256', secret).update(manifest).digest(), given)) found = name
    }
  }
  return found
}
