import { createHmac } from 'node:crypto'
import type { Servicio } from './world.ts'

/** How long a token is good for. */
export const TOKEN_MS = 5 * 60_000

/** A token as the SAT writes it: a JWT with a tail that is URL-encoded and part of it. Of one service and one certificate. */
export function issueToken(llave: string, servicio: Servicio, serialHex: string, now: Date): string {
  const at = Math.floor(now.getTime() / 1000)
  const actort = Buffer.from(serialHex.toUpperCase()).toString('hex')
  const payload = { nbf: at, exp: at + 600, iat: at, iss: 'LoadSolicitudDecargaMasivaTerceros', actort }
  const text = `${encoded({ alg: HMAC_SHA256, typ: 'JWT' })}.${encoded(payload)}`
  return `${text}.${sealOf(llave, servicio, text)}%26wrap_subject%3d${serialHex}`
}

/** Whose certificate it is for, in hexadecimal; undefined when it is none of ours, or no longer. */
export function readToken(
  llave: string,
  servicio: Servicio,
  authorization: string | undefined,
  now: Date,
): string | undefined {
  const [, text = '', payload = '', seal, serialHex] = TOKEN.exec(authorization ?? '') ?? []
  if (!serialHex || sealOf(llave, servicio, text) !== seal) return undefined
  const { iat, actort } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iat: number; actort: string }
  if (Buffer.from(actort, 'hex').toString().toLowerCase() !== serialHex) return undefined
  const age = now.getTime() - iat * 1000
  return age >= -TOKEN_MS && age < TOKEN_MS ? serialHex : undefined
}

const TOKEN = /^WRAP access_token="([\w-]+\.([\w-]+))\.([\w-]+)%26wrap_subject%3d([0-9a-f]+)"$/

const HMAC_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256'

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

const sealOf = (llave: string, servicio: Servicio, text: string) =>
  createHmac('sha256', `${llave}.${servicio}`).update(text).digest('base64url')
