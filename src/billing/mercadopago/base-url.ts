import { AppConfig } from 'mercadopago/dist/utils/config/index.js'

/**
 * Where the SDK's calls go: the simulator, in development and tests. Called once, by an entry point. The SDK keeps it in
 * one place for the whole process, so a second address would also move the calls of whoever asked for the first.
 * @throws Error on another address than the one that was set
 * @throws RangeError on one that would send the access token in clear beyond this machine
 */
export function setMercadoPagoUrl(url: string): void {
  const { protocol, hostname, origin } = new URL(url)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    throw new RangeError('MercadoPago is reached by https, or on this machine')
  const base = origin + new URL(url).pathname.replace(/\/+$/, '')
  if (chosen !== null && chosen !== base) throw new Error(`MercadoPago is already at ${chosen} in this process`)
  chosen = base
  // `readonly` in its types only.
  ;(AppConfig as { BASE_URL: string }).BASE_URL = base
}

let chosen: string | null = null

export const mercadoPagoUrl = (): string => AppConfig.BASE_URL

/** Of a hostname as URLs have it. */
export const isLoopback = (hostname: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
