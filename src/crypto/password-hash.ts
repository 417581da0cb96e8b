import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'

/**
 * Hashes a password for `users.password_hash`: argon2id as a PHC string.
 *
 * Not limited in number: for the worker and the command line, which make one at a time. Whatever a stranger can
 * trigger goes through `createPasswordHasher`.
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, { ...COST, salt, tagLength: HASH_BYTES })
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${base64(salt)}$${base64(hash)}`
}

/** Hashes and compares, at most `running` at a time. One per process: it guards the machine's cores and memory. */
export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** Whether `password` is the one of `phc`. A null `phc` (nobody, or nobody's password yet) costs the same and is false. */
  verify(phc: string | null, password: string): Promise<boolean>
  /** Whether the hash was made with less than today's cost and should be made again while the password is at hand. */
  isOutdated(phc: string): boolean
  /** Derivations started since the process began, and the most that ran at once. */
  stats(): { started: number; peak: number; refused: number }
}

/**
 * A hash takes about 25 ms of a core and 19 MiB, so the machine makes some 50 a second: two run, a few wait, and
 * whoever comes after that is told to come back. Without the bound, a flood of logins starves every other request.
 */
export function createPasswordHasher({ running = 2, waiting = 60 } = {}): PasswordHasher {
  let active = 0
  let started = 0
  let peak = 0
  let refused = 0
  const queue: (() => void)[] = []

  const gated = async <T>(work: () => Promise<T>): Promise<T> => {
    if (active >= running) {
      if (queue.length >= waiting) {
        refused += 1
        throw authBusy()
      }
      await new Promise<void>((resolve) => queue.push(resolve)) // the one who leaves hands its place over
    } else {
      active += 1
    }
    started += 1
    peak = Math.max(peak, active)
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else active -= 1
    }
  }

  return {
    hash: (password) => gated(() => hashPassword(password)),
    verify: (phc, password) =>
      gated(async () => {
        const parsed = phc === null ? NOBODY : parsePhc(phc)
        const tag = await derive(password, { ...parsed, tagLength: parsed.hash.length })
        return timingSafeEqual(tag, parsed.hash) && phc !== null
      }),
    isOutdated: (phc) => {
      const { memory, passes, parallelism } = parsePhc(phc)
      return memory < COST.memory || passes < COST.passes || parallelism !== COST.parallelism
    },
    stats: () => ({ started, peak, refused }),
  }
}

// OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
const COST = { memory: 19_456, passes: 2, parallelism: 1 }
const SALT_BYTES = 16
const HASH_BYTES = 32

// What an unknown account is compared with, so that it takes as long as a known one.
const NOBODY = { ...COST, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) }

const authBusy = () =>
  new AppError('unavailable', 'auth.busy', 'Hay muchos inicios de sesión en este momento. Intenta en unos segundos.', {
    retryAfterS: 3,
  })

interface Phc {
  memory: number
  passes: number
  parallelism: number
  salt: Buffer
  hash: Buffer
}

function parsePhc(phc: string): Phc {
  const [, m, t, p, salt, hash] = PHC.exec(phc) ?? []
  if (!m || !t || !p || !salt || !hash) throw new Error('users.password_hash is not an argon2id PHC string')
  return {
    memory: Number(m),
    passes: Number(t),
    parallelism: Number(p),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86})$/

type Cost = Pick<Phc, 'memory' | 'passes' | 'parallelism' | 'salt'> & { tagLength: number }

function derive(password: string, { memory, passes, parallelism, salt, tagLength }: Cost): Promise<Buffer> {
  // The same password typed on another keyboard arrives with composed or decomposed letters: NFC makes them one.
  const message = Buffer.from(password.normalize('NFC'), 'utf8')
  const parameters: Argon2Parameters = { message, nonce: salt, parallelism, tagLength, memory, passes }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)))
  }).then((tag) => tag as Buffer)
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
