import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Clock, systemClock } from '../../clock.ts'
import { type Answer, findRoute, json } from '../mercadopago/router.ts'
import { type Asked, answerTo, type Outgoing } from './answer.ts'
import { type Control, createControl } from './control.ts'
import { controlRoutes } from './control-routes.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { emptyState } from './state.ts'

export interface SatSimulatorOptions {
  /** 0 is any free port. */
  port: number
  clock?: Clock
  /** Kept up to date on disk, so that a restart forgets nothing that was said of CFDI and issuers. */
  snapshotFile?: string
}

export interface SatSimulator extends Control {
  url: string
  /** For SAT_ESTADO_URL. */
  estadoUrl: string
  close(): Promise<void>
}

/** The SAT's state service, on the loopback interface and nowhere else. It answers what it is told to; see README.md. */
export async function startSatSimulator({
  port,
  clock = systemClock,
  snapshotFile,
}: SatSimulatorOptions): Promise<SatSimulator> {
  const state = snapshotFile === undefined ? emptyState() : readSnapshot(snapshotFile)
  const log: Asked[] = []
  const now = () => clock.now()
  const control = createControl(state, log, now, () => {
    if (snapshotFile !== undefined) writeSnapshot(snapshotFile, state)
  })
  const routes = controlRoutes(control, state, now)
  const closing = new AbortController()

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = 'GET' } = request
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://simulator')
    const body = await readBody(request)
    if (body === undefined) return write(response, json(413, { message: 'too large' }))
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    if (pathname === ESTADO_PATH && method === 'POST') {
      const { out, asked } = answerTo(state, body, headers['soapaction'] ?? '', now())
      log.push(asked)
      if (log.length > MOST_REQUESTS) log.shift()
      if (out.afterMs > 0) await sleep(out.afterMs, undefined, { signal: closing.signal })
      return emit(response, out)
    }
    const foreign = refuseStrangers(method, headers)
    const route = findRoute(routes, method, pathname)
    if (foreign || !route) return write(response, foreign ?? json(404, { message: 'not found' }))
    try {
      const incoming = { method, path: pathname, query, headers, body, params: route.params, staleS: null }
      write(response, await route.handler(incoming))
    } catch (error) {
      if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error
      write(response, json(400, { message: error.message }))
    }
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let closed: Promise<void> | undefined
  const close = async () => {
    closing.abort()
    const gone = once(server, 'close')
    server.close()
    // Answers that are kept waiting on purpose would keep the server from closing.
    server.closeAllConnections()
    await gone
  }
  return {
    ...control,
    url,
    estadoUrl: `${url}${ESTADO_PATH}`,
    close() {
      closed ??= close()
      return closed
    },
  }
}

const ESTADO_PATH = '/ConsultaCFDIService.svc'
const MOST_REQUESTS = 2_000
const MOST_BYTES = 1024 * 1024

/** Any web site can make a browser talk to 127.0.0.1: by a name of its own, or by a form that says where it comes from. */
function refuseStrangers(method: string, { host = '', origin }: Record<string, string>): Answer | undefined {
  if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host)) return json(421, { message: 'unknown host' })
  const own = origin === undefined || origin === `http://${host}`
  return own || method === 'GET' || method === 'HEAD' ? undefined : json(403, { message: 'foreign origin' })
}

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

function emit(response: ServerResponse, { status, type, body, end }: Outgoing): void {
  const bytes = Buffer.from(body)
  const headers = { 'content-type': type, 'content-length': bytes.length }
  switch (end) {
    case 'whole':
      response.writeHead(status, headers).end(bytes)
      return
    case 'cut':
      response.destroy()
      return
    case 'half':
    case 'stall':
      response.writeHead(status, headers)
      response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => {
        if (end === 'half') response.destroy()
      })
      return
    case 'flood': {
      response.writeHead(status, { 'content-type': type })
      const more = () => {
        while (!response.destroyed && response.write(FLOOD));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
      return
    }
    case 'hang':
  }
}

const FLOOD = Buffer.alloc(16_384, ' ')

function write(response: ServerResponse, { status, headers, body }: Answer): void {
  // Under `no-referrer` a browser sends the forms of our own pages with `Origin: null`, like those of a stranger.
  const own = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' }
  response.writeHead(status, { ...own, ...headers }).end(body)
}
