import { asError, NoAnswer, readBounded } from '../../outbound/answer.ts'
import { type Method, send, Unreached } from '../../outbound/send.ts'

/**
 * Options that have one call of the SDK go over a connection of ours. The SDK hands what it does not know on to fetch, and fetch
 * asks a dispatcher, whose own one may end the process (see `send`), unzips without limit what a few bytes blow up to, and goes
 * on reading in the back when nobody waits any more. Fetch gets the answer when it is whole: until then `signal`, and the SDK's
 * own timeout, end the call. What surely was not sent fails with an Unreached.
 */
export function ownConnection(signal: AbortSignal): object {
  let isSpent = false
  return {
    dispatcher: {
      dispatch(asked: Asked, handler: Handler): boolean {
        const abort = new AbortController()
        handler.onConnect((reason) => abort.abort(reason))
        const both = AbortSignal.any([signal, abort.signal])
        // Fetch asks again by itself after a 421: a mandate would be sent twice, and of the second nobody would know.
        const answered = isSpent ? Promise.reject(new NoAnswer('sent once already')) : answer(asked, handler, both)
        isSpent = true
        void answered.catch((error: unknown) => {
          const why = asError(both.aborted ? both.reason : error)
          handler.onError(error instanceof Unreached ? new Unreached(why) : why)
        })
        return true
      },
    },
  }
}

/** A page of fifty payments has some hundreds of kilobytes. */
const MOST_BYTES = 8 * 1024 ** 2

/** What undici 7, the one of Node 24, asks of a dispatcher and tells it. Tests hold us to it. */
interface Asked {
  origin: string
  path: string
  method: Method
  headers: Readonly<Record<string, string>>
  body: AsyncIterable<Uint8Array> | null
}

interface Handler {
  onConnect(abort: (reason?: unknown) => void): void
  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean
  onData(chunk: Buffer): boolean
  onComplete(trailers: Buffer[]): void
  onError(error: Error): void
}

async function answer({ origin, path, method, headers, body }: Asked, handler: Handler, signal: AbortSignal) {
  const pieces: Uint8Array[] = []
  for await (const piece of body ?? []) pieces.push(piece)
  const response = await send(origin + path, { method, headers, body: Buffer.concat(pieces), signal })
  try {
    const { statusCode = 0, statusMessage = '', rawHeaders } = response
    // The SDK has fetch follow it, to any host and with what was asked.
    if (statusCode >= 300 && statusCode < 400) throw new NoAnswer(`HTTP ${statusCode}, sent elsewhere`)
    const whole = Buffer.from(await readBounded(response, MOST_BYTES))
    handler.onHeaders(
      statusCode,
      rawHeaders.map((text) => Buffer.from(text, 'latin1')),
      () => undefined,
      statusMessage,
    )
    handler.onData(whole)
    handler.onComplete([])
  } finally {
    response.destroy()
  }
}
