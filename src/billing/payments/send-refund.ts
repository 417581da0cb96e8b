import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import { byMercadoPago } from '../apply/cause.ts'
import type { ClaimedCommand } from '../commands/queries.ts'
import type { Gateways } from '../connectors/gateways.ts'
import { gather, recordFacts } from '../pipeline/fetch-resource.ts'
import { markDirty } from '../pipeline/queries.ts'
import { findRefundToSend, setRefundSent } from './refund-queries.ts'

/**
 * Asks MercadoPago to give money back. The refund's id is the key of the request, so that a repeat after a crash gives
 * nothing back twice; what it did to the payment is read from the payment afterwards, like everything else. MercadoPago
 * knows the key for a day, and the try before may be older: from the second on the payment is read first.
 */
export async function sendRefund(
  {
    central,
    clock,
    queue,
    gateways,
  }: { central: CentralDb; clock: Clock; queue: Queue; gateways: Pick<Gateways, 'of'> },
  { payload, attempts }: Pick<ClaimedCommand, 'payload' | 'attempts'>,
): Promise<'done' | 'superseded'> {
  const { refundId } = Payload.parse(payload)
  const refund = await findRefundToSend(central, refundId)
  if (refund?.state !== 'requested' || !refund.mpPaymentId || !refund.connectorId) return 'superseded'
  const connected = await gateways.of(refund.connectorId)
  const resource = { connectorId: refund.connectorId, kind: 'payment', resourceId: refund.mpPaymentId } as const
  if (attempts > 1) {
    const facts = await gather(central, connected, resource, clock.now())
    await central
      .transaction()
      .execute((trx) => recordFacts(trx, { queue }, connected.connector, facts, byMercadoPago, clock.now()))
    if ((await findRefundToSend(central, refundId))?.state !== 'requested') return 'done'
  }
  // All of it without an amount, as MercadoPago wants it: what was given back before would make the whole sum too much.
  const amountC = refund.amountC === refund.paidC ? null : refund.amountC
  const answer = await connected.gateway.refundPayment(refund.mpPaymentId, { amountC, idempotencyKey: refund.id })
  await setRefundSent(central, refund.id, answer.id)
  await central.transaction().execute(async (trx) => {
    await markDirty(trx, resource, clock.now())
    await queue.enqueue(trx, 'billing.fetch', resource)
  })
  return 'done'
}

const Payload = z.object({ refundId: z.uuid() })
