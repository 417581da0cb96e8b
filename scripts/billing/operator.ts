import pino from 'pino'
import { createGateways, type Gateways } from '../../src/billing/connectors/gateways.ts'
import { setMercadoPagoUrl } from '../../src/billing/mercadopago/base-url.ts'
import { asOperator, type Operator } from '../tenants/operator.ts'

/** What the operator's commands on money work with. */
export interface BillingOperator extends Operator {
  gateways: Gateways
}

export function asBillingOperator<T>(work: (operator: BillingOperator) => Promise<T>): Promise<T> {
  return asOperator((operator) => {
    const { config, deps } = operator
    setMercadoPagoUrl(config.mercadoPagoUrl)
    const log = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }, pino.destination(2))
    const { central, clock } = deps
    const gateways = createGateways({ central, clock, keys: config.billingKeys, log, env: config.env })
    return work({ ...operator, gateways })
  })
}
