import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.ts'
import { type Outgoing, serveApi } from './api-server.ts'
import { isOut } from './fault-rules.ts'
import { refusalAnswer } from './refusal.ts'
import { type Answer, findRoute, type Incoming, json, type Routes } from './router.ts'
import type { World } from './world.ts'

/** One request of the API as it came, for the log. The token is left out. */
export interface RequestRecord {
  at: Date
  method: string
  path: string
  headers: Record<string, string>
  status: number | null
  faults: string[]
}

export interface Surfaces {
  api: Routes
  /** Control API: JSON, for scripts. */
  control: Routes
  /** Pages for people. */
  pages: Routes
}

/** The server, on the loopback interface and nowhere else. */
export async function startHttpServer(
  port: number,
  world: World,
  surfaces: Surfaces,
  options: ServerOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const closing = new AbortController()
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const out = await respond(world, surfaces, options, request)
    if (out.afterMs > 0) await sleep(out.afterMs, undefined, { signal: closing.signal })
    emit(response, out)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A client that went away while it was answered is its own affair.
      if (!closing.signal.aborted && !request.destroyed) options.onBug(error)
      if (response.headersSent) response.destroy()
      else write(response, json(500, { message: 'simulator failure', error: 'simulator', status: 500, cause: [] }))
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      closing.abort()
      const closed = once(server, 'close')
      server.close()
      // Answers that are kept waiting on purpose would keep the server from closing.
      server.closeAllConnections()
      await closed
    },
  }
}

interface ServerOptions {
  accessToken: string
  onRequest(record: RequestRecord): void
  onBug(error: unknown): void
}

async function respond(
  world: World,
  surfaces: Surfaces,
  options: ServerOptions,
  request: IncomingMessage,
): Promise<Outgoing> {
  if (!URL.canParse(request.url ?? '/', ORIGIN)) return answered(json(400, { message: 'Bad address', status: 400 }))
  const { pathname, searchParams } = new URL(request.url ?? '/', ORIGIN)
  const method = request.method ?? 'GET'
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const body = await readBody(request)
  if (body === undefined) return answered(json(413, { message: 'Request too large', status: 413 }))
  const incoming: Incoming = { method, path: pathname, query: searchParams, headers, body, params: {}, staleS: null }

  const api = findRoute(surfaces.api, method, pathname)
  if (api) {
    const record: RequestRecord = {
      at: world.clock.now(),
      method,
      path: request.url ?? '/',
      headers: { ...headers, ...(headers['authorization'] && { authorization: 'Bearer …' }) },
      status: null,
      faults: [],
    }
    options.onRequest(record)
    const { out, faults } = await serveApi(world, api, { ...incoming, params: api.params }, options.accessToken)
    Object.assign(record, { faults, status: 'answer' in out ? out.answer.status : null })
    return out
  }

  const foreign = refuseStrangers(method, headers)
  if (foreign) return answered(foreign)
  const control = findRoute(surfaces.control, method, pathname)
  const own = control ?? findRoute(surfaces.pages, method, pathname)
  if (!own) return answered(json(404, { message: 'Not found', error: 'not_found', status: 404, cause: [] }))
  // An outage takes the payer's pages too; whoever ends it does so from the control page.
  if (!control && isOut(world.state) && /^\/(subscriptions|checkout|account)\b/.test(pathname))
    return { kind: 'cut', afterMs: 0 }
  return answered(await tryOrRefuse(() => own.handler({ ...incoming, params: own.params })))
}

/** Requests carry only a path; what stands before it is of no use. */
const ORIGIN = 'http://simulator'

const answered = (answer: Answer): Outgoing => ({ kind: 'answer', answer, afterMs: 0 })

/**
 * Any web site can make a browser talk to 127.0.0.1. A name of theirs that resolves here is not one of ours, and a form of
 * theirs says where it comes from; a command line sends no Origin.
 */
function refuseStrangers(method: string, headers: Record<string, string>): Answer | undefined {
  const { host = '', origin } = headers
  if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host)) return json(421, { message: 'Unknown host', status: 421 })
  const own = origin === undefined || origin === `http://${host}`
  return own || method === 'GET' || method === 'HEAD'
    ? undefined
    : json(403, { message: 'Foreign origin', status: 403 })
}

async function tryOrRefuse(work: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { status, body } = refusalAnswer(error)
    return json(status, body)
  }
}

const MOST_BYTES = 1024 * 1024

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function emit(response: ServerResponse, out: Outgoing): void {
  if (out.kind === 'answer') write(response, out.answer)
  else if (out.kind === 'half') {
    response.writeHead(out.answer.status, out.answer.headers)
    response.write(out.answer.body.slice(0, Math.ceil(out.answer.body.length / 2)))
  } else if (out.kind === 'cut') response.destroy()
}

function write(response: ServerResponse, { status, headers, body }: Answer): void {
  // Under `no-referrer` a browser sends the forms of our own pages with `Origin: null`, like those of a stranger.
  const own = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' }
  response.writeHead(status, { ...own, ...headers }).end(body)
}
