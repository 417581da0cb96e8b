import { isUtf8, transcode } from 'node:buffer'
import { createDecipheriv, hash, pbkdf2Sync } from 'node:crypto'
import { childrenOf, type Der, DerError, demand, integerOf, oidOf, TAG } from './der.ts'

/** How a PKCS#8 is encrypted with a password. */
export interface Scheme {
  /** How often the password is hashed. */
  readonly rounds: bigint
  readonly maxRounds: bigint
  /** The first bytes of what is encrypted, as many as asked for, rounded up to blocks. Its caller wipes them. */
  peek(password: Buffer, encrypted: Buffer, length: number): Buffer
}

/**
 * PBES2 with PBKDF2, as the SAT does, or PKCS#12's 3DES. Undefined for any other: not scrypt, whose file says how much memory
 * it takes.
 * @throws DerError
 */
export function schemeOf([algorithm, parameters]: readonly Der[]): Scheme | undefined {
  const fields = childrenOf(demand(parameters, TAG.sequence))
  const oid = oidOf(algorithm)
  if (oid === PBE_SHA1_3DES) return pkcs12(fields)
  return oid === PBES2 ? pbes2(fields) : undefined
}

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const PBE_SHA1_3DES = '1.2.840.113549.1.12.1.3'

function pbes2([derivation, encryption]: readonly Der[]): Scheme | undefined {
  const [kdf, options] = childrenOf(demand(derivation, TAG.sequence))
  if (oidOf(kdf) !== PBKDF2) return undefined
  const [salt, count, ...more] = childrenOf(demand(options, TAG.sequence))
  const prf = more.find(({ tag }) => tag === TAG.sequence)
  const digest = prf ? DIGESTS[oidOf(childrenOf(prf)[0])] : 'sha1'
  const [name, iv] = childrenOf(demand(encryption, TAG.sequence))
  const cipher = CIPHERS[oidOf(name)]
  if (!digest || !cipher) return undefined
  const rounds = integerOf(count)
  const salted = demand(salt, TAG.octetString).content
  const vector = demand(iv, TAG.octetString).content
  if (vector.length !== cipher.block) throw new DerError('an IV of another length')
  return {
    rounds,
    // OWASP asks for 1,300,000 of SHA-1 today, the SAT gives 2,048; each 100,000 hold this process up for 50 ms.
    maxRounds: 100_000n,
    peek: (password, encrypted, length) => {
      const key = pbkdf2Sync(password, salted, Number(rounds), cipher.key, digest)
      return decryptFirst(cipher, key, vector, encrypted, length)
    },
  }
}

const DIGESTS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

interface Cipher {
  name: string
  key: number
  block: number
}

const TRIPLE_DES: Cipher = { name: 'des-ede3-cbc', key: 24, block: 8 }
const CIPHERS: Readonly<Record<string, Cipher>> = {
  '1.2.840.113549.3.7': TRIPLE_DES,
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', key: 16, block: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', key: 24, block: 16 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', key: 32, block: 16 },
}

function pkcs12([salt, count]: readonly Der[]): Scheme {
  const rounds = integerOf(count)
  const salted = demand(salt, TAG.octetString).content
  return {
    rounds,
    // Hashed here, round by round: 10,000 are 30 ms.
    maxRounds: 10_000n,
    peek: (password, encrypted, length) => {
      const key = derivePkcs12(password, salted, Number(rounds), { use: 1, length: TRIPLE_DES.key })
      const iv = derivePkcs12(password, salted, Number(rounds), { use: 2, length: TRIPLE_DES.block })
      return decryptFirst(TRIPLE_DES, key, iv, encrypted, length)
    },
  }
}

/** CBC: the first blocks open without the others. Wipes the key. */
function decryptFirst(cipher: Cipher, key: Buffer, iv: Buffer, encrypted: Buffer, length: number): Buffer {
  try {
    const blocks = Math.ceil(length / cipher.block) * cipher.block
    return createDecipheriv(cipher.name, key, iv).setAutoPadding(false).update(encrypted.subarray(0, blocks))
  } finally {
    key.fill(0)
  }
}

const SHA1_BLOCK = 64

/** RFC 7292 appendix B.2 with SHA-1. */
function derivePkcs12(password: Buffer, salt: Buffer, rounds: number, wanted: { use: 1 | 2; length: number }): Buffer {
  // OpenSSL reads other bytes in a way of its own: what it opened would not be what was looked at.
  if (!isUtf8(password)) throw new DerError('not UTF-8')
  const text = transcode(password, 'utf8', 'utf16le')
  const bmp = Buffer.concat([text.swap16(), Buffer.alloc(2)])
  const input = Buffer.concat([Buffer.alloc(SHA1_BLOCK, wanted.use), repeated(salt), repeated(bmp)])
  const derived = Buffer.alloc(wanted.length)
  try {
    for (let at = 0; at < wanted.length; ) {
      let digest = hash('sha1', input, 'buffer')
      for (let round = 1; round < rounds; round++) digest = hash('sha1', digest, 'buffer')
      digest.copy(derived, at)
      at += digest.length
      const added = Buffer.alloc(SHA1_BLOCK, digest)
      digest.fill(0)
      for (let block = SHA1_BLOCK; block < input.length; block += SHA1_BLOCK)
        addOne(input.subarray(block, block + SHA1_BLOCK), added)
      added.fill(0)
    }
    return derived
  } finally {
    for (const bytes of [text, bmp, input]) bytes.fill(0)
  }
}

/** As often as it takes to fill whole blocks. */
const repeated = (bytes: Buffer): Buffer =>
  bytes.length === 0 ? bytes : Buffer.alloc(Math.ceil(bytes.length / SHA1_BLOCK) * SHA1_BLOCK, bytes)

/** `block` + `added` + 1, as one number of 64 bytes. */
function addOne(block: Buffer, added: Buffer): void {
  let carry = 1
  for (let at = block.length - 1; at >= 0; at--) {
    carry += (block[at] as number) + (added[at] as number)
    block[at] = carry & 0xff
    carry >>= 8
  }
}
