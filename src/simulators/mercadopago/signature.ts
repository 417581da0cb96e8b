import { createHmac } from 'node:crypto'
import type { Settings } from './settings.ts'

/**
 * `x-signature` of a delivery (billing.md 2.8): HMAC-SHA256 over `id:…;request-id:…;ts:…;`, hex. The id is the one of
 * the address, lower-cased or as it stands; `ts` in seconds or milliseconds. MercadoPago's documents say both of both.
 */
export function signatureHeader(
  delivery: { dataId: string; requestId: string; at: Date; secret: string },
  { ts_unit, id_case }: Pick<Settings, 'ts_unit' | 'id_case'>,
): string {
  const ms = delivery.at.getTime()
  const ts = String(ts_unit === 'ms' ? ms : Math.floor(ms / 1000))
  const id = id_case === 'lower' ? delivery.dataId.toLowerCase() : delivery.dataId
  const manifest = `id:${id};request-id:${delivery.requestId};ts:${ts};`
  return `ts=${ts},v1=${createHmac('sha256', delivery.secret).update(manifest).digest('hex')}`
}

/** The same header with one digit of its digest changed. */
export const brokenSignature = (header: string): string => header.slice(0, -1) + (header.endsWith('0') ? '1' : '0')
