import { isLoopback, mercadoPagoUrl } from './base-url.ts'

/** Where payers are sent to: MercadoPago's pages, and its login, which is the marketplace's. */
export const PAY_HOUSES = ['mercadopago.com.mx', 'mercadopago.com', 'mercadolibre.com.mx', 'mercadolibre.com'] as const

/**
 * Whether an address is a page at which MercadoPago lets somebody pay. People are sent there by mails, links and redirects
 * of ours, so what an answer calls its page is no reason to go anywhere else. Beside a simulator its own are taken too.
 */
export function isPayPage(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname, port, username, password } = new URL(address)
  if (username !== '' || password !== '') return false
  const base = new URL(mercadoPagoUrl())
  if (isLoopback(base.hostname) && isLoopback(hostname) && protocol === base.protocol) return true
  return protocol === 'https:' && port === '' && PAY_HOUSES.some((house) => `.${hostname}`.endsWith(`.${house}`))
}
