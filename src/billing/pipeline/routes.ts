import type { Clock } from '../../clock.ts'
import type { SealKeys } from '../../crypto/seal.ts'
import type { CentralDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/zod.ts'
import type { Queue } from '../../queue/queue.ts'
import { findVerificationSecrets, type VerificationSecrets } from '../connectors/verification-secrets.ts'
import { deliveryKeeper } from './keep-deliveries.ts'
import { insertRefusal } from './queries.ts'
import { type KeepRefusal, receive } from './receive.ts'
import * as schemas from './schemas.ts'

export interface WebhookDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
  config: { billingKeys: SealKeys }
}

/** Where MercadoPago tells of news. Public and signed. */
export const webhookRoutes = (deps: WebhookDeps) => async (app: App) => {
  const { central, clock, queue, config } = deps
  const keep = deliveryKeeper({ central, queue })
  const refuse = refusalKeeper(central)
  const secrets = remembered(() => findVerificationSecrets(central, config.billingKeys))

  const news = {
    summary: 'Avisos de MercadoPago',
    description: 'Firmados por MercadoPago. Sólo dicen qué volver a consultar: de su contenido no se cree nada.',
    tags: ['Webhooks'],
    querystring: schemas.AvisoQuery,
    body: schemas.Aviso,
    response: { 200: schemas.Recibido },
  }
  app.post('/api/webhooks/mercadopago', { schema: news, config: access, bodyLimit: BODY_LIMIT }, async (request) => {
    const { query, headers, body } = request
    const incoming = { query: query as Record<string, string | string[]>, headers, body }
    const reception = await receive({ keep, refuse, secrets }, incoming, clock.now())
    if (reception.outcome === 'refused') throw signatureRefused(reception.reason)
    return { resultado: OUTCOMES[reception.outcome] }
  })
}

const OUTCOMES = { accepted: 'aceptado', duplicate: 'repetido', ignored: 'ignorado' } as const

const signatureRefused = (reason: string) =>
  new AppError('unauthenticated', `webhook.${reason}`, 'La firma del aviso no es válida.')

/** A flood of forgeries writes five rows a second and no more: enough for the alarm, too little to fill a disk. */
function refusalKeeper(central: CentralDb): KeepRefusal {
  let second = 0
  let kept = 0
  return async (reason, headers, now) => {
    const current = Math.floor(performance.now() / 1_000)
    if (current !== second) {
      second = current
      kept = 0
    }
    kept += 1
    if (kept <= 5) await insertRefusal(central, reason, headers, now)
  }
}

/** Read at most once a second, whoever asks: a burst of deliveries costs one reading. */
function remembered(read: () => Promise<VerificationSecrets[]>) {
  let last: { at: number; value: Promise<VerificationSecrets[]> } | undefined
  return () => {
    if (last && performance.now() - last.at < 1_000) return last.value
    const value = read()
    last = { at: performance.now(), value }
    value.catch(() => {
      if (last?.value === value) last = undefined
    })
    return value
  }
}

/** MercadoPago's own are about 300 bytes. */
const BODY_LIMIT = 65_536
// MercadoPago calls from a few addresses, and a burst of its news must not be told to come back: what guards this door is
// the signature, which costs less than counting. Who floods it meets only others who knock at it.
const access = { acceso: { quien: 'publico' as const }, rateLimit: false as const, aparte: true as const }
