import { mexicoCityTime } from '../../clock.ts'
import { CODIGOS, parseExpresion, readRequest, writeAnswer, writeFault } from './soap.ts'
import { type FaultRule, MODOS, type Operacion, type Registro, type State, strike, VIGENTE } from './state.ts'
import type { Universe } from './universe/universe.ts'

/** What goes onto the wire, and what becomes of the connection. */
export interface Outgoing {
  status: number
  type: string
  body: string
  /** Instead of `body`, when it may be too large for memory. Made anew by each call. */
  stream?: () => AsyncIterable<Buffer>
  end: 'whole' | 'cut' | 'half' | 'hang' | 'stall' | 'flood'
  /** Where a half ends; nothing: in the middle. */
  cutAt?: number
  afterMs: number
  /** Between two pieces of a stream. */
  pauseMs?: number
}

/** One question as it came, for the log. */
export interface Asked {
  at: string
  operacion: Operacion
  /** Of the state service. */
  expresion: string | null
  uuid: string | null
  /** Of whoever asks for downloads, unverified. */
  rfc: string | null
  /** What else a request for downloads says. */
  detalle: string
  /** CodEstatus of the answer, when the operation has one and it was worked on. */
  codigo: string | null
  faults: string[]
  status: number | null
}

export const askedAt = (now: Date, operacion: Operacion): Asked => ({
  at: now.toISOString(),
  operacion,
  expresion: null,
  uuid: null,
  rfc: null,
  detalle: '',
  codigo: null,
  faults: [],
  status: null,
})

/** What the state service knows. */
export interface EstadoWorld {
  state: State
  universe: Universe
  now(): Date
}

/** What the state service answers to one SOAP message. */
export function answerTo(
  { state, universe, now: nowOf }: EstadoWorld,
  body: string,
  action: string,
): { out: Outgoing; asked: Asked } {
  const now = nowOf()
  const asked = askedAt(now, 'estado')
  const done = (out: Outgoing) => ({ out, asked: { ...asked, status: out.end === 'whole' ? out.status : null } })
  if (action.replaceAll('"', '') !== ACTION)
    return done(xml(500, writeFault('ActionNotSupported', 'The message with that Action cannot be processed.')))
  try {
    asked.expresion = readRequest(body)
  } catch {
    return done(xml(500, writeFault('DeserializationFailed', 'The formatter threw an exception.')))
  }
  const expresion = parseExpresion(asked.expresion)
  asked.uuid = expresion?.id ?? null
  const rules = strike(state, { operacion: 'estado', rfc: null, uuid: asked.uuid }, now)
  asked.faults = rules.map(({ fault }) => fault)
  const afterMs = rules.find(({ fault }) => fault === 'latency')?.ms ?? 0
  const honest = xml(200, honestAnswer(state, universe, expresion, asked.faults, mexicoCityTime(now)))
  return done({
    ...spoiled(
      honest,
      rules.find(({ fault }) => fault !== 'latency'),
    ),
    afterMs,
  })
}

const ACTION = 'http://tempuri.org/IConsultaCFDIService/Consulta'

function honestAnswer(
  state: State,
  universe: Universe,
  expresion: ReturnType<typeof parseExpresion>,
  faults: readonly string[],
  now: string,
): string {
  if (!expresion || faults.includes('601')) return writeAnswer(CODIGOS[601], null, '')
  const registro = state.cfdis.get(expresion.id) ?? registroOf(universe, expresion.id, now)
  if (registro.estado === 'No Encontrado' || faults.includes('602')) return writeAnswer(CODIGOS[602], null, '')
  const issuer = expresion.re.toUpperCase()
  const efos = state.efos.get(issuer) ?? universe.find(issuer)?.efos ?? '200'
  return writeAnswer(CODIGOS.S, registro, efos === '' ? undefined : efos)
}

/** What the universe says of it; of one that it does not know, vigente. */
function registroOf(universe: Universe, uuid: string, now: string): Registro {
  const fecha = universe.findCfdi(uuid, now)?.cancelacion?.fecha
  return fecha !== undefined && fecha <= now ? MODOS.sin_aceptacion : VIGENTE
}

function spoiled(honest: Outgoing, rule: FaultRule | undefined): Outgoing {
  switch (rule?.fault) {
    case 'perdida':
      return { ...honest, end: 'cut' }
    case 'hang':
    case 'cut':
    case 'half':
    case 'stall':
    case 'flood':
      return { ...honest, end: rule.fault }
    case 'http_500':
      return xml(500, writeFault('InternalServiceFault', 'The server was unable to process the request.'))
    case 'http_502':
      return { ...honest, ...HTML, status: 502, body: '<html><head><title>502 Bad Gateway</title></head></html>' }
    case 'http_503':
      return { ...honest, ...HTML, status: 503, body: '<html><head><title>Service Unavailable</title></head></html>' }
    case 'html_200':
      return {
        ...honest,
        ...HTML,
        body: '<html><head><title>Request Rejected</title></head><body>Your support ID is: 1</body></html>',
      }
    case 'empty_200':
      return { ...honest, body: '' }
    case 'other_words':
      return { ...honest, body: honest.body.replace(/<a:Estado>[^<]*/, '<a:Estado>Suspendido') }
    default:
      return honest
  }
}

const HTML = { type: 'text/html' }

const xml = (status: number, body: string): Outgoing => ({
  status,
  type: 'text/xml; charset=utf-8',
  body,
  end: 'whole',
  afterMs: 0,
})
