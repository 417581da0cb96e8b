import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

/** The first port from `port` on that nobody listens at on this machine and that is not `taken`. */
export async function freePort(port: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let candidate = port; candidate < port + 100; candidate++) {
    if (!taken.has(candidate) && (await isFree(candidate))) return candidate
  }
  throw new Error(`No hay puerto libre entre ${port} y ${port + 99}`)
}

/**
 * Any free port, for whoever listens at it a moment later. Not one that the system chooses: those are also what it gives to
 * outgoing connections (32768 and on), and until the moment came somebody's connection had taken it. Nor one of any process:
 * until the moment came another had chosen it.
 */
export async function anyFreePort(): Promise<number> {
  ownRange ??= claimRange()
  const from = await ownRange
  for (let tries = 0; tries < 1_000; tries++) {
    const candidate = from + 1 + randomInt(IN_RANGE - 1)
    if (given.has(candidate)) continue
    given.add(candidate)
    if (await isFree(candidate)) return candidate
  }
  throw new Error(`No hay puerto libre entre ${from} y ${from + IN_RANGE - 1}`)
}

/**
 * A range of this process alone, as long as it lives: it listens at the first port of it. Two processes of numbers fifty apart,
 * which were to have the same, waited for each other's servers.
 */
async function claimRange(): Promise<number> {
  const nth = (n: number) => FIRST + ((process.pid + n) % RANGES) * IN_RANGE
  for (let n = 0; n < RANGES; n++) if (await hold(nth(n))) return nth(n)
  return nth(0)
}

function hold(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer((socket) => socket.destroy()).once('error', () => resolve(false))
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true)).unref()
  return promise
}

const FIRST = 12_000
const RANGES = 50
const IN_RANGE = 400
let ownRange: Promise<number> | undefined
/** Who was given one may not listen at it yet. */
const given = new Set<number>()

/** Whether a PostgreSQL that accepts connections listens there: it answers a request for TLS with one letter. */
export function answersAsPostgres(port: number, host = '127.0.0.1', timeoutMs = 2_000): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port, timeout: timeoutMs })
  const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
  socket.once('connect', () => socket.write(sslRequest))
  socket.once('data', (answer) => resolve(answer.toString() === 'N' || answer.toString() === 'S'))
  for (const end of ['error', 'timeout', 'close']) socket.once(end, () => resolve(false))
  return promise.finally(() => socket.destroy())
}

/** Whether we could listen there. */
export function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer().once('error', () => resolve(false))
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  return promise
}
