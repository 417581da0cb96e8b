import type { MandateStatus } from '../subscription.ts'
import type { PaymentStatus, PreapprovalStatus } from './gateway.ts'

/** `payments.status`, the four of product.md. */
export type OurPaymentStatus = 'approved' | 'pending' | 'rejected' | 'refunded'

/**
 * What a payment of MercadoPago is to us (billing.md 2.4). A status that we do not know gives null: it changes nothing
 * and asks for a person. `disputed` is a payment under mediation, whose money is not lost yet.
 */
export function paymentStatusOf(status: PaymentStatus): { status: OurPaymentStatus | null; disputed: boolean } {
  switch (status) {
    case 'approved': // partially refunded too: `refundedC` tells
      return { status: 'approved', disputed: false }
    case 'in_mediation':
      return { status: 'approved', disputed: true }
    case 'pending':
    case 'in_process':
    case 'authorized': // reserved on the card, not collected: authorised is not paid
      return { status: 'pending', disputed: false }
    case 'rejected':
    case 'cancelled':
      return { status: 'rejected', disputed: false }
    case 'refunded':
    case 'charged_back': // told apart by `provider_status`
      return { status: 'refunded', disputed: false }
    case 'unknown':
      return { status: null, disputed: false }
  }
}

/** MercadoPago's four are ours too; `creating`, which we have besides, is never its answer. */
export const mandateStatusOf = (status: PreapprovalStatus): Exclude<MandateStatus, 'creating'> => status
