/** What the mail about a refused charge asks its reader to do. */
export type Remedio = 'cambiar_tarjeta' | 'fondos_o_banco' | 'neutral'

export interface Rejection {
  remedio: Remedio
  /** The same card may work on one of MercadoPago's own retries, so the text may promise another try. */
  seReintenta: boolean
}

/**
 * What a refused charge of a subscription means to the customer, by MercadoPago's `status_detail`. It retries by itself
 * (billing.md 2.3); we choose words and charge nothing. Rule: billing.md 2.5.
 */
export function rejectionOf(statusDetail: string | null): Rejection {
  const detail = statusDetail ?? ''
  if (CAMBIAR.has(detail) || detail.startsWith('cc_rejected_bad_filled_'))
    return { remedio: 'cambiar_tarjeta', seReintenta: false }
  if (FONDOS_O_BANCO.has(detail)) return { remedio: 'fondos_o_banco', seReintenta: true }
  return { remedio: 'neutral', seReintenta: false }
}

/** Insisting with the same card is discouraged: it can lock the payer out for everything. */
const CAMBIAR: ReadonlySet<string> = new Set([
  'cc_rejected_high_risk',
  'cc_rejected_blacklist',
  'cc_rejected_other_reason',
  'cc_rejected_card_disabled',
  'cc_rejected_max_attempts',
])

const FONDOS_O_BANCO: ReadonlySet<string> = new Set([
  'cc_rejected_insufficient_amount',
  'cc_rejected_call_for_authorize',
])
