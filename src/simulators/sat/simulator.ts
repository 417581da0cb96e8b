import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Clock, systemClock } from '../../clock.ts'
import { createApplication } from '../mercadopago/application.ts'
import { type Answer, findRoute, json } from '../mercadopago/router.ts'
import { type Asked, answerTo, type Outgoing } from './answer.ts'
import { type Control, createControl } from './control.ts'
import { controlRoutes } from './control-routes.ts'
import { answerDescarga, puertaOf } from './descarga/answer.ts'
import { createDescargaControl } from './descarga/control.ts'
import { type AjustesCambio, emptyDescarga } from './descarga/state.ts'
import { emptyUniverse, type World } from './descarga/world.ts'
import { efirmaFile } from './efirma-files.ts'
import { createFollowingClock } from './following-clock.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { emptyState } from './state.ts'
import type { Universe } from './universe/universe.ts'
import { emit } from './wire.ts'

export interface SatSimulatorOptions {
  /** 0 is any free port. */
  port: number
  clock?: Clock
  /** The product whose clock is followed, and moved from the page; instead of `clock`. */
  appUrl?: string
  /**
   * Kept up to date on disk, so that a restart forgets nothing that was said of CFDI and issuers, and nothing that was
   * asked of the download services.
   */
  snapshotFile?: string
  /** Who there is and what they issued; nothing: nobody. */
  universe?: Universe
  /** Of the download services, where no snapshot says otherwise. */
  ajustes?: AjustesCambio
  /** Authorities believed by their name alone, besides those of the universe. */
  autoridades?: readonly string[]
}

export interface SatSimulator extends Control {
  url: string
  /** For SAT_ESTADO_URL. */
  estadoUrl: string
  /** For SAT_DESCARGA_URL. */
  descargaUrl: string
  universe: Universe
  close(): Promise<void>
}

/** The authority of test fixtures, whose certificate nobody has. That of the SAT's own test e.firmas is not: 305, as there. */
const FIXTURES = ['AC DE PRUEBAS NO SAT']

/** The SAT's services, on the loopback interface and nowhere else. They answer what they are told to; see README.md. */
export async function startSatSimulator({
  port,
  clock: given = systemClock,
  appUrl,
  snapshotFile,
  universe = emptyUniverse,
  ajustes,
  autoridades = FIXTURES,
}: SatSimulatorOptions): Promise<SatSimulator> {
  const fresh = emptyState(emptyDescarga(ajustes))
  const state = snapshotFile === undefined ? fresh : readSnapshot(snapshotFile, fresh)
  const closing = new AbortController()
  const following = appUrl === undefined ? undefined : createFollowingClock(appUrl, closing.signal)
  const clock = following ?? given
  const application = appUrl === undefined ? undefined : createApplication(appUrl, closing.signal)
  const log: Asked[] = []
  const now = () => clock.now()
  const changed = () => {
    if (snapshotFile !== undefined) writeSnapshot(snapshotFile, state)
  }
  const trust = { names: autoridades, authorities: universe.autoridades.map((der) => new X509Certificate(der)) }
  const world: World = { state: state.descarga, universe, trust, now, before: () => following?.before() ?? [], changed }
  const control = createControl(state, createDescargaControl(world), log, now, changed)
  const routes = controlRoutes(control, state, world, application)

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = 'GET' } = request
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://simulator')
    const body = await readBody(request)
    if (body === undefined) return write(response, json(413, { message: 'too large' }))
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    // Who logs in says what time it is, and may have read it a moment ago.
    await following?.sync({ anew: puertaOf(pathname)?.operacion === 'autentica' })
    const said = method === 'POST' ? soapAnswer(pathname, headers, body) : undefined
    if (said) {
      log.push(said.asked)
      if (log.length > MOST_REQUESTS) log.shift()
      if (said.out.afterMs > 0) await sleep(said.out.afterMs, undefined, { signal: closing.signal })
      return emit(response, said.out, closing.signal)
    }
    const foreign = refuseStrangers(method, headers)
    const file = method === 'GET' ? efirmaFile(universe, pathname) : undefined
    if (file && !foreign) return void response.writeHead(200, file.headers).end(file.bytes)
    const route = findRoute(routes, method, pathname)
    if (foreign || !route) return write(response, foreign ?? json(404, { message: 'not found' }))
    try {
      const incoming = { method, path: pathname, query, headers, body, params: route.params, staleS: null }
      write(response, await route.handler(incoming))
    } catch (error) {
      if (error instanceof RangeError) return write(response, json(404, { message: error.message }))
      if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error
      write(response, json(400, { message: error.message }))
    }
  }

  const soapAnswer = (
    pathname: string,
    headers: Record<string, string>,
    body: string,
  ): { out: Outgoing; asked: Asked } | undefined => {
    const action = headers['soapaction'] ?? ''
    if (pathname === ESTADO_PATH) return answerTo({ state, universe, now }, body, action)
    const puerta = puertaOf(pathname)
    return puerta && answerDescarga(world, state, puerta, { body, action, authorization: headers['authorization'] })
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A client that went away while it was answered is its own affair.
      if (!closing.signal.aborted && !request.destroyed) console.error('sat-simulator:', error)
      response.destroy()
    })
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
    descargaUrl: url,
    universe,
    close() {
      closed ??= close()
      return closed
    },
  }
}

const ESTADO_PATH = '/ConsultaCFDIService.svc'
const MOST_REQUESTS = 10_000
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

function write(response: ServerResponse, { status, headers, body }: Answer): void {
  // Under `no-referrer` a browser sends the forms of our own pages with `Origin: null`, like those of a stranger.
  const own = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' }
  response.writeHead(status, { ...own, ...headers }).end(body)
}
