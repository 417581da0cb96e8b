import fastifyJwt, { type FastifyJWTOptions, type JWT } from '@fastify/jwt'
import { z } from 'zod'
import type { KeyRing } from '../config.ts'
import type { App } from '../http/zod.ts'
import { invalidToken, tokenExpired } from './errors.ts'

/**
 * What an access token says. Only `sid` and `userId` are believed, and only as a question to the database; the rest is
 * there for clients, and compared: a token that contradicts its session is refused.
 */
export type Claims = z.output<typeof Claims>

const Claims = z.object({
  sid: z.uuid(),
  userId: z.uuid(),
  email: z.string(),
  role: z.string().nullable(),
  tenantId: z.uuid().nullable(),
  databaseName: z.string().nullable(),
  iat: z.int(),
  exp: z.int(),
})

/** Registers @fastify/jwt with exactly one algorithm and everything required that it leaves open. */
export async function registerJwt(app: App, ring: KeyRing): Promise<void> {
  const { kid, key } = ring.active
  if (key.length < 32) throw new Error('a JWT key needs at least 32 bytes')
  // Times are checked in verifyAccessToken, against the product's clock; the library only knows the machine's.
  const verify = { ...VERIFY, ignoreExpiration: true, ignoreNotBefore: true }
  const sign = { algorithm: 'HS256', iss: ISSUER, aud: AUDIENCE, kid, header: { typ: TYP } }
  await app.register(fastifyJwt, { secret: key, sign, verify } as unknown as FastifyJWTOptions)
}

/** The token of the `Authorization` header. Never from the address: those are logged. */
export function bearerTokenOf({ headers }: { headers: { authorization?: string | undefined } }): string | undefined {
  return /^Bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i.exec(headers.authorization ?? '')?.[1]
}

/** Signs with the active key. `exp` and `iat` come with the claims, in seconds. */
export const signAccessToken = (jwt: JWT, claims: Claims): string => jwt.sign(claims)

/**
 * The claims of a token that one of our keys signed, and that has not expired.
 * @throws AppError unauthenticated `auth.invalid_token`, `auth.token_expired`
 */
export function verifyAccessToken(jwt: JWT, ring: KeyRing, token: string, now: Date): Claims {
  if (token.length > MAX_TOKEN) throw invalidToken()
  const ours = signedBy(ring)
  const known = ours.get(token)
  const claims = known ?? readSigned(jwt, ring, token)
  const seconds = now.getTime() / 1000
  if (claims.iat > seconds + CLOCK_SKEW_S || claims.exp <= claims.iat) throw invalidToken()
  if (claims.exp <= seconds) {
    ours.delete(token)
    throw tokenExpired()
  }
  if (!known) remember(ours, token, claims)
  return claims
}

/** Nothing that changes is decided here: whether it is time, and whether the session lives, is asked every time. */
function readSigned(jwt: JWT, ring: KeyRing, token: string): Claims {
  const kid = kidOf(token)
  const key = kid === undefined ? undefined : ring.get(kid)
  if (!key) throw invalidToken()
  const claims = Claims.safeParse(checkSignature(jwt, token, kid === ring.active.kid ? undefined : key))
  if (!claims.success) throw invalidToken(claims.error)
  return claims.data
}

/**
 * What the keys of a ring have signed, by the whole text of the token, which is what GHSA-rp9m-7r4c-75qg was about: one
 * bit changed is another token, and is checked. Only what was found good comes in, so nobody else can fill it.
 */
function signedBy(ring: KeyRing): Map<string, Claims> {
  const known = signed.get(ring) ?? new Map<string, Claims>()
  signed.set(ring, known)
  return known
}

const signed = new WeakMap<KeyRing, Map<string, Claims>>()
const MOST_REMEMBERED = 5_000

function remember(ours: Map<string, Claims>, token: string, claims: Claims): void {
  const [oldest] = ours.keys()
  if (ours.size >= MOST_REMEMBERED && oldest !== undefined) ours.delete(oldest)
  ours.set(token, claims)
}

const ISSUER = 'horux360'
const AUDIENCE = 'horux360-api'
const TYP = 'at+jwt' // RFC 9068: no other kind of token passes for an access token
const MAX_TOKEN = 4096
/** Between the machines of a fleet. */
const CLOCK_SKEW_S = 60

const VERIFY = {
  algorithms: ['HS256'],
  allowedIss: ISSUER,
  allowedAud: AUDIENCE,
  checkTyp: TYP,
  requiredClaims: ['exp', 'iat', 'iss', 'aud'],
  // Ours is smaller and knows less: see signedBy.
  cache: false,
}

/** A retired key needs a verifier of its own, made for the call; the active one is ready. */
function checkSignature(jwt: JWT, token: string, otherKey: Buffer | undefined): unknown {
  try {
    return otherKey ? jwt.verify(token, { ...jwt.options.verify, key: otherKey }) : jwt.verify(token)
  } catch (error) {
    throw invalidToken(error)
  }
}

const Header = z.object({ kid: z.string().max(32) })

/** Read before the signature is checked, so it serves for nothing but to choose among our own keys. */
function kidOf(token: string): string | undefined {
  const [header = ''] = token.split('.', 1)
  try {
    return Header.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))).kid
  } catch {
    return undefined
  }
}
