/** By whom or what something happened to a subscription: what the audit row says besides the event. */
export interface Cause {
  origin: 'mercadopago' | 'timer' | 'owner' | 'staff' | 'system'
  actor?: { userId: string; email: string } | null
  webhookId?: string | null
  requestId?: string | null
}

export const bySystem: Cause = { origin: 'system' }
export const byTimer: Cause = { origin: 'timer' }
export const byMercadoPago: Cause = { origin: 'mercadopago' }
