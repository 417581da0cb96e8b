import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SeenRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: unknown
}

/** An answer: JSON of a value, or a text as it is; `raw` is all that is said on its connection, which ends then; `hang` answers nothing, `stall` never ends its body, `cut` hangs up. */
export type Reply =
  | { status?: number; headers?: Record<string, string>; json: unknown }
  | { status?: number; headers?: Record<string, string>; text: string }
  | { raw: Buffer }
  | 'hang'
  | 'stall'
  | 'cut'

/** A web API that says what the test tells it to, in order, and remembers what it was asked. */
export interface ScriptedApi {
  url: string
  requests: SeenRequest[]
  /** Forgets what was, and answers these; the last one again and again. */
  script(...replies: Reply[]): void
  /** Resolves when the connection of the next request has ended. */
  nextClosed(): Promise<void>
}

export async function startScriptedApi(t: { after(cleanUp: () => void): void }): Promise<ScriptedApi> {
  const requests: SeenRequest[] = []
  let replies: Reply[] = []
  const waiting: (() => void)[] = []
  const server = createServer(async (request, response) => {
    for (const tell of waiting.splice(0)) request.socket.once('close', tell)
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api.example')
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? { status: 500, text: 'no script' }
    requests.push({ method: request.method ?? '', path: pathname, query: searchParams, headers: request.headers, body })
    answer(response, reply)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    nextClosed: () => new Promise((resolve) => waiting.push(resolve)),
    script(...next) {
      replies = next
      requests.length = 0
    },
  }
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === 'hang') return
  if (reply === 'cut') {
    response.destroy()
    return
  }
  if (reply === 'stall') {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"id": "1", ')
    return
  }
  if ('raw' in reply) {
    response.socket?.end(reply.raw)
    return
  }
  const { status = 200, headers = {} } = reply
  const body = 'json' in reply ? JSON.stringify(reply.json) : reply.text
  const type = 'json' in reply ? 'application/json' : 'text/html'
  response.writeHead(status, { 'content-type': type, ...headers }).end(body)
}
