import type { Centavos } from '../fiscal/money.ts'
import { inWords, type Period } from './periods.ts'
import { CEILING_C, FLOOR_C, splitTax } from './prices.ts'
import type { Proration } from './proration.ts'
import type { Frecuencia } from './subscription.ts'

export interface InvoiceLine {
  readonly kind: 'plan' | 'seats' | 'adjustment'
  /** Spanish, for the customer. */
  readonly description: string
  readonly quantity: number
  readonly unitC: Centavos
  /** `quantity × unitC`; only an adjustment is below zero. */
  readonly amountC: Centavos
  readonly periodStart: Period['start']
  readonly periodEnd: Period['end']
  /** Unique within a subscription: who stores it puts that before it, and nothing is billed twice. */
  readonly sourceKey: string
}

/**
 * A card has MercadoPago's floor. A transfer has none, and neither has a checkout for one payment. The balance pays all of
 * it, and what it does not hold is owed from then on.
 */
export type Collection = 'card' | 'transfer' | 'balance'

export interface Invoice {
  readonly lines: readonly InvoiceLine[]
  readonly totalC: Centavos
  /**
   * What the balance pays of the total; below zero when it is the customer who owes, or when the floor makes a card pay
   * more than is owed. Once the invoice is paid the ledger gets its negative as `applied_to_invoice`, and the balance is
   * lower by this. Always `totalC - collectC`.
   */
  readonly balanceAppliedC: Centavos
  readonly collectC: Centavos
  /** Of `collectC`: what the balance pays is a discount before tax (billing.md 4.5). */
  readonly baseC: Centavos
  readonly ivaC: Centavos
  /** More than any card of MercadoPago may be charged: it can only be collected by transfer. */
  readonly overCeiling: boolean
}

/**
 * The invoice of a renewal (billing.md 4.7): the period in advance, the people of closed periods in arrears, changes that
 * wait, and the balance. Prices are those charged, IVA inside. `balanceC` above zero is in favour of the customer.
 * @throws RangeError as `invoiceOf`
 */
export function buildInvoice(input: RenewalInput): Invoice {
  const { period, priceC, seats, adjustments, ...collecting } = input
  const plan: InvoiceLine = {
    kind: 'plan',
    description: `Plan ${input.planNombre} ${input.frecuencia}, ${inWords(period)}`,
    quantity: 1,
    unitC: priceC,
    amountC: priceC,
    periodStart: period.start,
    periodEnd: period.end,
    sourceKey: `plan:${period.start}`,
  }
  const people = seats.filter((overage) => overage.seats > 0).map(seatsLine)
  return invoiceOf({ lines: [plan, ...people, ...adjustments], ...collecting })
}

export interface RenewalInput extends Collecting {
  readonly period: Period
  readonly priceC: Centavos
  readonly frecuencia: Frecuencia
  readonly planNombre: string
  readonly seats: readonly SeatsOwed[]
  readonly adjustments: readonly InvoiceLine[]
}

/** People beyond the plan in a closed period. */
export interface SeatsOwed {
  readonly period: Period
  readonly seats: number
  /** What is charged for each. */
  readonly extraUserC: Centavos
}

/**
 * The two lines of a change of plan, for an invoice of its own or as adjustments of the next renewal. `changeId` names
 * the change in the keys of both: `chg:{changeId}:credit` and `chg:{changeId}:charge` (billing.md 4.2).
 */
export function changeLines({ changeId, from, to, proration, unused, charged }: ChangeInput): InvoiceLine[] {
  const line = (side: string, description: string, amountC: Centavos, { start, end }: Period): InvoiceLine => ({
    kind: 'adjustment',
    description,
    quantity: 1,
    unitC: amountC,
    amountC,
    periodStart: start,
    periodEnd: end,
    sourceKey: `chg:${changeId}:${side}`,
  })
  const days = `${proration.remaining} de ${proration.days} días`
  return [
    line('credit', `Plan ${from}, parte sin usar (${days})`, proration.creditC, unused),
    line('charge', `Plan ${to}, ${inWords(charged)}`, proration.chargeC, charged),
  ]
}

export interface ChangeInput {
  readonly changeId: string
  /** Names of the plans, as the customer knows them. */
  readonly from: string
  readonly to: string
  readonly proration: Proration
  /** From the day of the change to the end of the period that was paid. */
  readonly unused: Period
  /** The same, or the whole new period where the interval changes. */
  readonly charged: Period
}

/**
 * What is collected for some lines. By transfer what the balance leaves, down to nothing. By card never below the floor,
 * and never nothing, because a mandate charges something every period whatever we owe: what does not fit stays in the
 * balance (billing.md 4.7), and what the floor takes beyond the debt goes to it.
 * @throws RangeError when the lines sum below zero: a credit without a charge belongs in the ledger
 */
export function invoiceOf({
  lines,
  balanceC,
  rateBp,
  collection,
}: { lines: readonly InvoiceLine[] } & Collecting): Invoice {
  const totalC = lines.reduce((sum, { amountC }) => sum + amountC, 0n)
  if (totalC < 0n) throw new RangeError('the lines of an invoice sum below zero')
  const collectC = collection === 'balance' ? 0n : atLeast(collection === 'card' ? FLOOR_C : 0n, totalC - balanceC)
  return {
    lines,
    totalC,
    balanceAppliedC: totalC - collectC,
    collectC,
    ...splitTax(collectC, rateBp),
    overCeiling: collectC > CEILING_C,
  }
}

interface Collecting {
  readonly balanceC: Centavos
  readonly rateBp: number
  readonly collection: Collection
}

function seatsLine({ period, seats, extraUserC }: SeatsOwed): InvoiceLine {
  return {
    kind: 'seats',
    description: `${seats === 1 ? 'Usuario adicional' : 'Usuarios adicionales'}, ${inWords(period)}`,
    quantity: seats,
    unitC: extraUserC,
    amountC: BigInt(seats) * extraUserC,
    periodStart: period.start,
    periodEnd: period.end,
    sourceKey: `seats:${period.start}`,
  }
}

const atLeast = (least: Centavos, amount: Centavos): Centavos => (amount < least ? least : amount)
