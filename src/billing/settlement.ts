import type { Centavos } from '../fiscal/money.ts'

/** A charge of the mandate, or a payment that the customer made by himself: a transfer or a checkout for one payment. */
export type Charge =
  | {
      readonly kind: 'mandate'
      readonly collectC: Centavos
      readonly paidC: Centavos
      /** The amount that MercadoPago last confirmed; null when it never confirmed one. */
      readonly ackedC: Centavos | null
    }
  | { readonly kind: 'one_off'; readonly collectC: Centavos; readonly paidC: Centavos }

export interface Settlement {
  /** The invoice is paid and its period begins. */
  readonly covered: boolean
  /** The mandate charged neither what MercadoPago confirmed nor what is owed: a person looks at it. */
  readonly unexpected: boolean
  /** What goes to the balance; above zero in favour of the customer, never zero. */
  readonly entry: { readonly kind: SettlementKind; readonly amountC: Centavos } | null
}

export type SettlementKind = 'undercharge' | 'overpayment' | 'incomplete_payment'

/**
 * What an approved payment does to the invoice that collects `collectC` (billing.md 4.7).
 *
 * A mandate is compared with what MercadoPago was last told: where our change of amount did not reach it the customer has
 * paid, and the difference is added or taken next time. Below both amounts it has not paid. A payment made once is
 * compared with the invoice alone. What does not cover becomes credit whole, and the caller draws the invoice again with
 * it, so that the rest is enough. Validation charges, which MercadoPago refunds by itself, are not for here.
 */
export function settle(charge: Charge): Settlement {
  const { collectC, paidC } = charge
  const ackedC = charge.kind === 'mandate' ? (charge.ackedC ?? collectC) : collectC
  const covered = paidC >= ackedC || paidC >= collectC
  const unexpected = charge.kind === 'mandate' && paidC !== ackedC && paidC !== collectC
  if (!covered) return { covered, unexpected, entry: entry('incomplete_payment', paidC) }
  return { covered, unexpected, entry: entry(paidC < collectC ? 'undercharge' : 'overpayment', paidC - collectC) }
}

const entry = (kind: SettlementKind, amountC: Centavos) => (amountC === 0n ? null : { kind, amountC })
