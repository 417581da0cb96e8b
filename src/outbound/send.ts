import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { NoAnswer } from './answer.ts'

export type Method = 'GET' | 'POST' | 'PUT'

export interface Request {
  readonly method?: Method
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly signal: AbortSignal
}

/**
 * Sends over a connection of its own, and resolves when the answer begins; its body is read as it comes.
 *
 * Not by fetch: where a connection ends while what came is still being worked on, be it unzipped by fetch itself, fetch brings
 * the process down (Node 24: an assertion of undici's parser that nobody can catch). And a connection that was left open may
 * have been closed there by the time we use it: then nobody knows whether a request arrived, and it cannot be asked twice. An
 * address that sends us elsewhere is not followed: what is asked is nobody else's business.
 * @throws Unreached when surely nothing was sent; NoAnswer when it is encoded; whatever the connection fails with otherwise
 */
export function send(url: string, { method = 'POST', headers, body = '', signal }: Request): Promise<IncomingMessage> {
  const isTls = url.startsWith('https:')
  return new Promise((resolve, reject) => {
    let reached = false
    let answer: IncomingMessage | undefined
    const outgoing = (isTls ? requestHttps : requestHttp)(url, {
      method,
      agent: false,
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(method !== 'GET' && { 'content-length': Buffer.byteLength(body) }),
      },
      signal,
    })
    // Of TLS the end of its greeting: before we know who it is nothing is said.
    outgoing.on('socket', (socket) => {
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        reached = true
      })
    })
    outgoing.on('response', (response) => {
      // We asked for none, and what it would unzip to nobody knows.
      const coding = response.headers['content-encoding'] || 'identity'
      if (coding !== 'identity') {
        reject(new NoAnswer(`encoded as ${coding.slice(0, 20)}`))
        return response.destroy()
      }
      answer = response
      return resolve(response)
    })
    outgoing.on('error', (error) => {
      reject(reached ? error : new Unreached(error))
      // Node ends a body of no announced length where its connection breaks as if that were its end.
      if (answer && !answer.complete) answer.destroy(error)
    })
    // Of whoever would speak another protocol (101) Node says nothing else.
    outgoing.on('close', () => reject(new Error('the connection ended without an answer')))
    outgoing.end(body)
  })
}

/** Nobody listened, or nobody who is who we call. */
export class Unreached extends Error {
  constructor(why: Error) {
    super(reasonOf(why))
  }
}

/** In one line. The rest of such an error may hold what was received. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return [error.message, code]
    .filter((part, at) => part && !(at === 1 && error.message.includes(String(part))))
    .join(', ')
}
