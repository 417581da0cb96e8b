import type { IncomingMessage } from 'node:http'

/** Whoever was asked gave no answer, or none that is one. The message says how, for the log. */
export class NoAnswer extends Error {}

export const isOk = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300

/**
 * A short answer as text. Beyond `mostBytes` it is not read: whoever sends more is not the service.
 * @throws NoAnswer; whatever the connection fails with
 */
export async function readBounded(response: IncomingMessage, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new NoAnswer(`more than ${mostBytes} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8').decode(Buffer.concat(chunks))
}

/** Ends a call: its caller gave up, its time is over, or it came to a stop. */
export interface Stop {
  readonly signal: AbortSignal
  now(why: Error): void
  /** What ended it, unless its caller did. */
  why(): Error | undefined
  clear(): void
}

/** After `ms`, the body of the answer included, whatever `caller` does. To be cleared when the call is over. */
export function createStop(caller: AbortSignal | undefined, ms: number): Stop {
  const own = new AbortController()
  const now = (why: Error) => own.abort(why)
  const timer = setTimeout(() => now(new NoAnswer(`no whole answer within ${ms} ms`)), ms)
  return {
    signal: caller ? AbortSignal.any([caller, own.signal]) : own.signal,
    now,
    why: () => (own.signal.aborted ? asError(own.signal.reason) : undefined),
    clear: () => clearTimeout(timer),
  }
}

export const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)))
