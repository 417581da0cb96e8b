import { checkPrimeSync, createPrivateKey, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createRandom, type Random } from './random.ts'

/** RSA-2048 keys by name: the same name has the same key for ever. Anybody can make them, so they protect nothing. */
export interface Keys {
  of(name: string): KeyObject
}

/** Making one takes a tenth of a second, so they are kept: in the process, and in `folder` where there is one. */
export function createKeys(seed: string, folder?: string): Keys {
  return {
    of(name) {
      const label = `${seed}/${name}`
      const known = made.get(label) ?? read(folder, label) ?? makeKey(createRandom('rsa', label))
      if (!made.has(label)) keep(folder, label, known)
      made.set(label, known)
      return known
    },
  }
}

const made = new Map<string, KeyObject>()

function makeKey(random: Random): KeyObject {
  const p = makePrime(random)
  let q = makePrime(random)
  while (q === p) q = makePrime(random)
  const d = inverse(E, (p - 1n) * (q - 1n))
  const text = (value: bigint) => Buffer.from(evenHex(value.toString(16)), 'hex').toString('base64url')
  const jwk = {
    kty: 'RSA',
    n: text(p * q),
    e: text(E),
    d: text(d),
    p: text(p),
    q: text(q),
    dp: text(d % (p - 1n)),
    dq: text(d % (q - 1n)),
    qi: text(inverse(q, p)),
  }
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

const E = 65_537n
const BITS = 1024

/** The first prime after a number that begins with two ones, so that the product of two has all its 2048 bits. */
function makePrime(random: Random): bigint {
  const start = BigInt(`0x${random.hex(BITS / 4)}`) | (3n << BigInt(BITS - 2)) | 1n
  // Most numbers have a small divisor: a division by each is cheaper than one test.
  const rests = SMALL_PRIMES.map((prime) => Number(start % BigInt(prime)))
  for (let step = 0; ; step += 2) {
    if (SMALL_PRIMES.some((prime, i) => ((rests[i] as number) + step) % prime === 0)) continue
    const candidate = start + BigInt(step)
    if ((candidate - 1n) % E !== 0n && checkPrimeSync(candidate)) return candidate
  }
}

const SMALL_PRIMES: readonly number[] = primesBelow(8_000).slice(1)

function primesBelow(limit: number): number[] {
  const found: number[] = []
  for (let n = 2; n < limit; n++) if (found.every((prime) => prime * prime > n || n % prime !== 0)) found.push(n)
  return found
}

/** By Euclid's algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, value % modulus, 0n, 1n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1] = [r1, r0 - quotient * r1]
    ;[t0, t1] = [t1, t0 - quotient * t1]
  }
  return t0 < 0n ? t0 + modulus : t0
}

function read(folder: string | undefined, label: string): KeyObject | undefined {
  const file = fileOf(folder, label)
  if (!file || !existsSync(file)) return undefined
  try {
    return createPrivateKey(readFileSync(file))
  } catch {
    return undefined // cut short by a full disk: it is made again
  }
}

function keep(folder: string | undefined, label: string, key: KeyObject): void {
  const file = fileOf(folder, label)
  if (!file || existsSync(file)) return
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  // Of several processes that make it at once each writes the same, under a name of its own.
  const unfinished = `${file}.${process.pid}`
  writeFileSync(unfinished, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  renameSync(unfinished, file)
}

const fileOf = (folder: string | undefined, label: string) =>
  folder === undefined ? undefined : path.join(folder, `${encodeURIComponent(label)}.pem`)

const evenHex = (hex: string): string => (hex.length % 2 ? `0${hex}` : hex)
