import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { Clock } from '../../src/clock.ts'
import type { Operacion } from '../../src/sat/descarga/codigos.ts'

/**
 * What an operation answers: a body with a status; `hang` answers nothing, `stall` stops in the middle, `cut` hangs up before
 * it answers, `half` in the middle, `wait` answers as it would otherwise once `release` is called.
 */
export type SatReply =
  | { status?: number; body: string | Buffer; gzip?: boolean; headers?: Record<string, string> }
  | 'hang'
  | 'stall'
  | 'cut'
  | 'half'
  | 'wait'

export interface SatRequest {
  operacion: Operacion
  host: string
  /** As it came, or undefined. */
  authorization: string | undefined
  headers: IncomingHttpHeaders
  body: string
}

/** A SAT that knows nobody and says what it is told to; where it is told nothing, it accepts. Tokens live five minutes. */
export interface ScriptedSat {
  url: string
  requests: SatRequest[]
  /** What an operation answers next, in order; then again as it would. */
  next(operacion: Operacion, ...replies: SatReply[]): void
  /** Of those that `wait`. */
  release(): void
  asked(operacion: Operacion): SatRequest[]
  /** How many are open. */
  connections(): Promise<number>
}

export async function startScriptedSat(
  t: { after(cleanUp: () => void): void },
  { clock, package: zip = Buffer.from('PK') }: { clock: Clock; package?: Buffer },
): Promise<ScriptedSat> {
  const requests: SatRequest[] = []
  const scripts = new Map<Operacion, SatReply[]>()
  const tokens = new Map<string, Date>()
  const waiting: (() => void)[] = []

  function usual({ operacion, authorization }: SatRequest): string {
    if (operacion === 'autentica') {
      const [created, expires] = [clock.now(), new Date(clock.now().getTime() + 300_000)]
      const token = `eyJhbGciOi.${tokens.size + 1}.c-_3DB%26wrap_subject%3d3330303031`
      tokens.set(`WRAP access_token="${token}"`, expires)
      return accessOf(token, created, expires)
    }
    const until = tokens.get(authorization ?? '')
    const codigo = until && clock.now() < until ? '5000' : '300'
    return answerOf(operacion, codigo, zip)
  }

  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const [, host = '', ...rest] = (request.url ?? '').split('/')
    const operacion = BY_PATH[rest.join('/')]
    if (!operacion) return void response.writeHead(404).end()
    const { headers } = request
    const seen: SatRequest = { operacion, host, authorization: headers.authorization, headers, body }
    requests.push(seen)
    const reply = scripts.get(operacion)?.shift()
    if (reply === 'wait') await new Promise<void>((resolve) => waiting.push(resolve))
    const { status = 200, body: text, gzip = false, headers: more } = said(reply) ?? { body: usual(seen) }
    const bytes = gzip ? gzipSync(text) : Buffer.from(text)
    if (reply === 'hang') return
    if (reply === 'cut') return void response.destroy()
    response.writeHead(status, {
      'content-type': 'text/xml; charset=utf-8',
      'content-length': bytes.length,
      ...(gzip && { 'content-encoding': 'gzip' }),
      ...more,
    })
    if (reply === 'stall' || reply === 'half') sendHalf(response, bytes, reply)
    else response.end(bytes)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    next: (operacion, ...replies) => void scripts.set(operacion, replies),
    release() {
      for (const go of waiting.splice(0)) go()
    },
    connections: promisify(server.getConnections.bind(server)),
    asked: (operacion) => requests.filter((request) => request.operacion === operacion),
  }
}

const said = (reply: SatReply | undefined) => (typeof reply === 'object' ? reply : undefined)

function sendHalf(response: ServerResponse, bytes: Buffer, how: 'stall' | 'half'): void {
  response.write(bytes.subarray(0, bytes.length / 2), () => {
    if (how === 'half') response.destroy()
  })
}

const BY_PATH: Readonly<Record<string, Operacion>> = {
  'Autenticacion/Autenticacion.svc': 'autentica',
  'SolicitaDescargaService.svc': 'solicita',
  'VerificaSolicitudDescargaService.svc': 'verifica',
  'DescargaMasivaService.svc': 'descarga',
}

export function accessOf(token: string, created: Date, expires: Date): string {
  const times = `<u:Created>${created.toISOString()}</u:Created><u:Expires>${expires.toISOString()}</u:Expires>`
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u="u"><s:Header><o:Security xmlns:o="o"><u:Timestamp u:Id="_0">${times}</u:Timestamp></o:Security></s:Header><s:Body><AutenticaResponse xmlns="http://DescargaMasivaTerceros.gob.mx"><AutenticaResult>${token}</AutenticaResult></AutenticaResponse></s:Body></s:Envelope>`
}

export function answerOf(operacion: Operacion, codigo: string, zip: Buffer = Buffer.alloc(0)): string {
  const ok = codigo === '5000'
  const said = `CodEstatus="${codigo}" Mensaje="${ok ? 'Solicitud Aceptada' : 'Lo que dijo'}"`
  const open = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
  if (operacion === 'descarga')
    return `${open}<s:Header><h:respuesta ${said} xmlns:h="http://DescargaMasivaTerceros.sat.gob.mx"/></s:Header><s:Body><RespuestaDescargaMasivaTercerosSalida xmlns="http://DescargaMasivaTerceros.sat.gob.mx"><Paquete>${ok ? zip.toString('base64') : ''}</Paquete></RespuestaDescargaMasivaTercerosSalida></s:Body></s:Envelope>`
  const [name, more, inner] =
    operacion === 'solicita'
      ? ['SolicitaDescargaEmitidos', ok ? 'IdSolicitud="4e80345d-917f-40bb-a98f-4a73939343c5" ' : '', '']
      : [
          'VerificaSolicitudDescarga',
          ok ? 'EstadoSolicitud="3" CodigoEstadoSolicitud="5000" NumeroCFDIs="1" ' : 'EstadoSolicitud="0" ',
          ok ? '<IdsPaquetes>4e80345d-917f-40bb-a98f-4a73939343c5_01</IdsPaquetes>' : '',
        ]
  return `${open}<s:Body><${name}Response xmlns="http://DescargaMasivaTerceros.sat.gob.mx"><${name}Result ${more}${said}>${inner}</${name}Result></${name}Response></s:Body></s:Envelope>`
}
