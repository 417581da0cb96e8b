import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Answer {
  status: number
  /** As parsed from JSON. */
  body: Json
}

// biome-ignore lint/suspicious/noExplicitAny: a test writes into what MercadoPago says, wherever it likes
export type Json = any

/** May answer in place of MercadoPago: undefined leaves the request to it. */
export type Refuse = (request: { method: string; path: string; body: Json }) => Answer | undefined
/** May change an answer of MercadoPago on its way, in place. */
export type Distort = (request: { method: string; path: string }, answer: Answer) => void

/** Stands between the product and the simulator, for what no MercadoPago of ours would say by itself. */
export interface DistortingProxy {
  /** Begins to listen in front of `target`. @returns where */
  before(target: string): Promise<string>
  refuse: Refuse | undefined
  distort: Distort | undefined
}

export function createDistortingProxy(t: { after(end: () => void): void }): DistortingProxy {
  const proxy: DistortingProxy = { before: listen, refuse: undefined, distort: undefined }

  async function listen(target: string): Promise<string> {
    const server = createServer((request, response) => {
      answerTo(target, request)
        .then(({ status, body }) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        )
        .catch(() => response.destroy())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function answerTo(target: string, request: IncomingMessage): Promise<Answer> {
    const { method = 'GET', url = '/' } = request
    const sent = await text(request)
    const { pathname } = new URL(url, target)
    const about = { method, path: pathname.replace(/(?<=.)\/$/, '') }
    const refused = proxy.refuse?.({ ...about, body: sent === '' ? undefined : JSON.parse(sent) })
    if (refused) return refused
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      value === undefined || HOP.has(name) ? [] : [[name, String(value)]],
    )
    const response = await fetch(target + url, { method, headers, ...(sent !== '' && { body: sent }) })
    const answer: Answer = { status: response.status, body: await response.json() }
    proxy.distort?.(about, answer)
    return answer
  }

  return proxy
}

/** Of one connection, not of the request. */
const HOP = new Set(['host', 'connection', 'content-length', 'keep-alive', 'transfer-encoding', 'expect'])
