import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { VerificationSecrets } from '../connectors/verification-secrets.ts'
import { verifySignature, type WebhookSecrets } from '../mercadopago/signature.ts'
import type { KeepDelivery } from './keep-deliveries.ts'
import type { ResourceKind } from './queries.ts'
import { storableBody, storableText } from './storable.ts'

export interface Incoming {
  query: Readonly<Record<string, string | readonly string[] | undefined>>
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** As parsed; whatever it is, it is not believed. */
  body: unknown
}

export type KeepRefusal = (reason: string, headers: object, now: Date) => Promise<void>

export interface ReceiveDeps {
  keep: KeepDelivery
  refuse: KeepRefusal
  /** Of every active connector, remembered for a second or so. */
  secrets(): Promise<readonly VerificationSecrets[]>
}

export type Reception =
  | { outcome: 'accepted'; deliveryId: string }
  | { outcome: 'duplicate' }
  /** Nothing for us: a legacy notification, a topic we do not use. */
  | { outcome: 'ignored' }
  | { outcome: 'refused'; reason: string }

/**
 * Takes a delivery of MercadoPago (billing.md 5.1, 1–4): verified, kept and its job left in one commit. It only says what
 * to look at again; MercadoPago is not called here, whose answer must come within seconds.
 */
export async function receive(deps: ReceiveDeps, { query, headers, body }: Incoming, now: Date): Promise<Reception> {
  const parsed = Body.safeParse(body)
  const claimed = parsed.success ? parsed.data : undefined
  const topic = claimed?.type ?? first(query['type']) ?? first(query['topic']) ?? ''
  // The legacy notification has no signature of this kind and says nothing that the other one does not.
  if (!('data.id' in query) && ('topic' in query || topic === 'merchant_order')) return { outcome: 'ignored' }

  const candidates = (await deps.secrets()).toSorted((a, b) => rank(b, claimed) - rank(a, claimed))
  let reason = 'missing_secret'
  for (const { connectorId, secrets } of candidates) {
    const [current, previous = null] = secrets
    if (current === undefined) continue
    const known: WebhookSecrets = { current, previous }
    const verdict = verifySignature({ query, headers, bodyDataId: claimed?.data?.id }, known, now)
    if (!verdict.ok) {
      // What another connector's secret did not sign is no news; everything else is.
      if (reason === 'missing_secret' || verdict.reason !== 'signature_mismatch') reason = verdict.reason
      continue
    }
    const kind = KINDS.get(topic)
    if (!kind) return { outcome: 'ignored' }
    const resource = { connectorId, kind, resourceId: verdict.dataId }
    const deliveryId = uuidv7()
    const isNew = await deps.keep({
      id: deliveryId,
      resource,
      topic,
      action: claimed?.action ? storableText(claimed.action) : null,
      eventId: claimed?.id === undefined ? null : storableText(String(claimed.id)),
      requestId: verdict.requestId ?? `${verdict.dataId}:${verdict.signedAt.toISOString()}`,
      signedAt: verdict.signedAt,
      receivedAt: now,
      headers: keptHeaders(headers),
      body: storableBody(body),
    })
    if (!isNew) return { outcome: 'duplicate' }
    return { outcome: 'accepted', deliveryId }
  }
  await deps.refuse(reason, keptHeaders(headers), now)
  return { outcome: 'refused', reason }
}

// A Map: a topic is not signed, and every object has a `constructor`.
const KINDS: ReadonlyMap<string, ResourceKind> = new Map([
  ['payment', 'payment'],
  ['subscription_preapproval', 'preapproval'],
  ['subscription_authorized_payment', 'authorized_payment'],
  ['topic_chargebacks_wh', 'chargeback'],
  ['chargebacks', 'chargeback'],
])

const Id = z.union([z.string().max(200), z.number()])
const Body = z.object({
  id: Id.optional(),
  type: z.string().max(100).optional(),
  action: z.string().max(100).nullish(),
  user_id: Id.nullish(),
  data: z.object({ id: Id.optional() }).optional(),
})

const rank = ({ ownAccountId }: VerificationSecrets, claimed: z.output<typeof Body> | undefined) =>
  ownAccountId !== null && String(claimed?.user_id ?? '') === ownAccountId ? 1 : 0

const first = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0]

/** What tells where a delivery came from; nothing that identifies a person, and bounded. */
function keptHeaders(headers: Incoming['headers']): object {
  const kept = ['x-signature', 'x-request-id', 'user-agent', 'content-type', 'content-length', 'date']
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = first(headers[name])
      return value === undefined ? [] : [[name, value.slice(0, 300)]]
    }),
  )
}
