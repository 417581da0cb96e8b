import type { Clock } from '../../clock.ts'
import type { SealKeys } from '../../crypto/seal.ts'
import type { CentralDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { App } from '../../http/zod.ts'
import type { Queue } from '../../queue/queue.ts'
import { findVerificationSecrets, type VerificationSecrets } from '../connectors/verification-secrets.ts'
import { receive } from './receive.ts'
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
    const reception = await receive({ central, queue, secrets }, incoming, clock.now())
    if (reception.outcome === 'refused') throw signatureRefused(reception.reason)
    return { resultado: OUTCOMES[reception.outcome] }
  })
}

const OUTCOMES = { accepted: 'aceptado', duplicate: 'repetido', ignored: 'ignorado' } as const

const signatureRefused = (reason: string) =>
  new AppError('unauthenticated', `webhook.${reason}`, 'La firma del aviso no es válida.')

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
const access = { acceso: { quien: 'publico' as const } }
