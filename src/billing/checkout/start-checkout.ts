import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { CentralDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { Queue } from '../../queue/queue.ts'
import { findMandate } from '../apply/queries.ts'
import { insertCommand } from '../commands/queries.ts'
import type { ConnectedGateway, Gateways } from '../connectors/gateways.ts'
import { recordMandate } from '../facts/record-mandate.ts'
import { lostAnswer } from '../mercadopago/errors.ts'
import type { Preapproval } from '../mercadopago/gateway.ts'
import type { StoredSubscription } from '../subscription-queries.ts'
import { forPayer, overtaken } from './errors.ts'
import { findLost } from './find-lost.ts'
import { firstChargeAt, type Sale } from './find-sale.ts'
import { failMandate } from './queries.ts'
import { type CheckoutRequest, type Reserved, type ReservedMandate, reserveMandate } from './reserve-mandate.ts'
import { warningsOf } from './warnings.ts'

export interface CheckoutDeps {
  central: CentralDb
  clock: Clock
  queue: Queue
  gateways: Pick<Gateways, 'primary'>
  config: { publicUrl: string }
}

export interface Checkout {
  sale: Sale
  /** The page at MercadoPago where the payer authorises his card. */
  initPoint: string
  warnings: readonly string[]
}

/**
 * Begins a mandate (billing.md 3.9): its row, then MercadoPago, then what it answered. No transaction is open while it is
 * asked, and a process that dies between any two steps leaves a row by whose reference the next try, or the
 * reconciliation, finds what MercadoPago made.
 * @throws AppError as `reserveMandate`; rejected `gateway.rejected`, with the field to change where the payer can;
 *   unavailable `gateway.lost_answer` and the gateway's others, `connectors.no_primary`; conflict `checkout.overtaken`
 */
export async function startCheckout(deps: CheckoutDeps, request: CheckoutRequest): Promise<Checkout> {
  const { central, clock, gateways } = deps
  const through = await gateways.primary()
  const { connector, gateway } = through
  const reserve = (look: boolean) => {
    const at = { connector, look, now: clock.now() }
    return central.transaction().execute((trx) => reserveMandate(trx, deps, request, at))
  }
  const first = await reserve(true)
  if (first.next === 'look') {
    const readAt = clock.now()
    const found = await findLost(gateway, first.unanswered, first.payerEmail)
    if (found) {
      const initPoint = await adopt(deps, request, through, found.mandate, found.preapproval, readAt)
      return checkoutOf(deps, through, first, initPoint)
    }
  }
  const reserved = first.next === 'look' ? await reserve(false) : first
  if (reserved.next === 'look') throw new Error('what was looked for is not looked for again')
  if (reserved.next === 'reuse') return checkoutOf(deps, through, reserved, reserved.initPoint)
  crashpoint('checkout.reserved')
  const readAt = clock.now()
  const made = await ask(deps, through, reserved)
  crashpoint('checkout.made')
  const initPoint = await adopt(deps, request, through, reserved.mandate, made, readAt)
  crashpoint('checkout.recorded')
  return checkoutOf(deps, through, reserved, initPoint)
}

type Begun = Extract<Reserved, { next: 'ask' }>

/** One POST, never repeated. What is surely not there is marked so; what may be there is looked for, once. */
async function ask(
  { central, clock, config }: CheckoutDeps,
  { connector, gateway }: ConnectedGateway,
  { stored, sale, mandate, payerEmail }: Begun,
): Promise<Preapproval> {
  const { frecuencia, amountC } = sale
  const startDate = firstChargeAt(stored.sub, connector, clock.now())
  try {
    return await gateway.createPreapproval({
      reason: reasonOf(stored, sale),
      externalReference: mandate.externalReference,
      payerEmail,
      backUrl: `${config.publicUrl}/pago/regreso`,
      frecuencia,
      amountC,
      ...(startDate && { startDate }),
    })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code !== 'gateway.lost_answer') {
      await failMandate(central, mandate.id, error.errors?.[0]?.code ?? error.code)
      throw forPayer(error)
    }
    const found = await findLost(gateway, [mandate], payerEmail)
    if (!found) throw error
    return found.preapproval
  }
}

/** What MercadoPago made, written down as all its news are. @returns where the payer goes */
async function adopt(
  { central, clock, queue }: CheckoutDeps,
  { cause }: CheckoutRequest,
  { connector }: ConnectedGateway,
  { id, externalReference }: ReservedMandate,
  preapproval: Preapproval,
  readAt: Date,
): Promise<string> {
  // It is the answer to our own request, whether or not it repeats our reference.
  const seen = { connectorId: connector.id, preapproval: { ...preapproval, externalReference }, readAt }
  const mandate = await central.transaction().execute(async (trx) => {
    await recordMandate(trx, { queue }, seen, cause, clock.now())
    const recorded = await findMandate(trx, id)
    if (!recorded || recorded.preapprovalId !== preapproval.id)
      throw new Error(`mandate ${id} is not preapproval ${preapproval.id}`)
    if (!recorded.cancelledByUs) return recorded
    // The order to end it found nothing that could be told: now there is something.
    const { subscriptionId, connectorId } = recorded
    const command = { kind: 'cancel', dedupeKey: `cancel:${id}:made`, subscriptionId, connectorId } as const
    const commandId = await insertCommand(trx, { ...command, mandateId: id, at: clock.now() })
    if (commandId) await queue.enqueue(trx, 'billing.command', { commandId })
    return recorded
  })
  if (mandate.cancelledByUs || mandate.status === 'cancelled') throw overtaken()
  if (mandate.initPoint === null) throw lostAnswer(new Error(`preapproval ${preapproval.id} without init_point`))
  return mandate.initPoint
}

function checkoutOf(
  { clock }: CheckoutDeps,
  { connector }: ConnectedGateway,
  { stored, sale }: { stored: StoredSubscription; sale: Sale },
  initPoint: string,
): Checkout {
  const now = clock.now()
  const sub = { ...stored.sub, frecuencia: sale.frecuencia }
  return { sale, initPoint, warnings: warningsOf(sub, sale, firstChargeAt(sub, connector, now), now) }
}

/** What the payer reads on his card's statement: at most 60 characters, and a slash would disappear (2.1). */
function reasonOf({ rfc }: StoredSubscription, { plan, frecuencia }: Sale): string {
  const name = plan.nombre.replaceAll('/', ' ').replace(/^horux360\s*/i, '')
  const rest = ` ${frecuencia} ${rfc}`
  return `Horux360 ${[...name].slice(0, 60 - 9 - rest.length).join('')}${rest}`
}
