import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outgoing } from './answer.ts'
import { bytesOf, firstOf } from './descarga/base64.ts'

/** Puts an answer onto the wire, whole or spoiled as it says. Resolves when there is nothing more to do for it. */
export async function emit(response: ServerResponse, out: Outgoing, signal: AbortSignal): Promise<void> {
  const { status, type, end, stream } = out
  switch (end) {
    case 'whole':
      if (!stream) {
        const bytes = Buffer.from(out.body)
        response.writeHead(status, { 'content-type': type, 'content-length': bytes.length }).end(bytes)
        return
      }
      response.writeHead(status, { 'content-type': type })
      await pour(response, stream(), out.pauseMs ?? 0, signal)
      if (!response.destroyed) response.end()
      return
    case 'cut':
      response.destroy()
      return
    case 'half':
    case 'stall': {
      const whole = stream ?? (() => single(Buffer.from(out.body)))
      const bytes = await bytesOf(whole())
      response.writeHead(status, { 'content-type': type, 'content-length': bytes })
      await pour(response, firstOf(whole(), Math.min(out.cutAt ?? Math.ceil(bytes / 2), bytes)), 0, signal)
      if (end === 'half') await flushed(response)
      if (end === 'half') response.destroy()
      return
    }
    case 'flood':
      response.writeHead(status, { 'content-type': type })
      await pour(response, flood(), 0, signal)
      return
    case 'hang':
  }
}

/** No faster than the other side takes it, and no further than it wants it. */
async function pour(
  response: ServerResponse,
  pieces: AsyncIterable<Buffer>,
  pauseMs: number,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const either = AbortSignal.any([signal, gone.signal])
  try {
    for await (const piece of pieces) {
      if (either.aborted) return
      if (!response.write(piece)) await once(response, 'drain', { signal: either })
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: either })
    }
  } catch (error) {
    if (!either.aborted) throw error
  }
}

/** A connection that is destroyed takes with it what was not sent yet. */
async function flushed(response: ServerResponse): Promise<void> {
  for (let waits = 0; response.writableLength > 0 && waits < 500; waits++) await sleep(1)
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function* flood(): AsyncGenerator<Buffer> {
  for (;;) yield FLOOD
}

const FLOOD = Buffer.alloc(16_384, ' ')
