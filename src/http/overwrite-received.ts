import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'

/**
 * Node reads the connections of all HTTP servers of a thread into one buffer of 64 KB, from its beginning, and copies bodies out
 * of it: what a request brought stays there until as long a one comes, on a quiet server until tomorrow. No code can reach
 * that buffer, but a request can. So a server of this thread, for nobody else and for some milliseconds, is sent zeros.
 *
 * @returns what has them sent, once for all who ask while they are on their way or while it rests from the last time: whoever
 *   is refused a thousand times a second must not have it done so often
 */
export function createOverwriting(log: Pick<Logger, 'warn'>, rest = aSecond): () => void {
  let asked = 0
  const work = async () => {
    // Whoever asks in the meantime may have brought something since.
    for (let done = 0; done < asked; ) {
      done = asked
      await sendZeros().catch((err: unknown) => log.warn({ err }, 'what a request brought stays in the receive buffer'))
      await rest()
    }
    asked = 0
  }
  return () => {
    if (asked++ === 0) void work()
  }
}

/** Keeps no process alive. */
const aSecond = (): Promise<void> => delay(1_000, undefined, { ref: false })

async function sendZeros(): Promise<void> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end())
  })
  try {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    // Also when it breaks after we have what we wait for: nobody else hears of it, and that ends a process.
    socket.on('error', () => undefined)
    socket.end(ZEROS)
    // Read to its end: everything has been received.
    await once(socket.resume(), 'end')
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Several times the buffer: not every read fills it. */
const LENGTH = 256 * 1024
const ZEROS = Buffer.concat([
  Buffer.from(`POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${LENGTH}\r\n\r\n`),
  Buffer.alloc(LENGTH),
])
