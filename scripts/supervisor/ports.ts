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
  for (let tries = 0; tries < 1_000; tries++) {
    const candidate = OWN_PORTS.from + randomInt(OWN_PORTS.count)
    if (given.has(candidate)) continue
    given.add(candidate)
    if (await isFree(candidate)) return candidate
  }
  throw new Error(`No hay puerto libre entre ${OWN_PORTS.from} y ${OWN_PORTS.from + OWN_PORTS.count - 1}`)
}

/** Of this process: two that run at once, as test files do, choose from different ones. */
const OWN_PORTS = { from: 12_000 + (process.pid % 50) * 400, count: 400 }
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
