/** Webhook topics (billing.md 2.6). */
export const TOPICS = [
  'payment',
  'subscription_preapproval',
  'subscription_authorized_payment',
  'subscription_preapproval_plan',
  'topic_chargebacks_wh',
  'stop_delivery_op_wh',
  'automatic-payments',
] as const
export type Topic = (typeof TOPICS)[number]
