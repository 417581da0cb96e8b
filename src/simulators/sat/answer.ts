import { CODIGOS, parseExpresion, readRequest, writeAnswer, writeFault } from './soap.ts'
import { type FaultRule, type State, strike, VIGENTE } from './state.ts'

/** What goes onto the wire, and what becomes of the connection. */
export interface Outgoing {
  status: number
  type: string
  body: string
  end: 'whole' | 'cut' | 'half' | 'hang' | 'stall' | 'flood'
  afterMs: number
}

/** One question as it came, for the log. */
export interface Asked {
  at: string
  expresion: string | null
  uuid: string | null
  faults: string[]
  status: number | null
}

/** What the simulated SAT answers to one SOAP message. */
export function answerTo(state: State, body: string, action: string, now: Date): { out: Outgoing; asked: Asked } {
  const asked: Asked = { at: now.toISOString(), expresion: null, uuid: null, faults: [], status: null }
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
  const rules = strike(state, asked.uuid, now)
  asked.faults = rules.map(({ fault }) => fault)
  const afterMs = rules.find(({ fault }) => fault === 'latency')?.ms ?? 0
  const honest = xml(200, honestAnswer(state, expresion, asked.faults))
  return done({
    ...spoiled(
      honest,
      rules.find(({ fault }) => fault !== 'latency'),
    ),
    afterMs,
  })
}

const ACTION = 'http://tempuri.org/IConsultaCFDIService/Consulta'

function honestAnswer(state: State, expresion: ReturnType<typeof parseExpresion>, faults: readonly string[]): string {
  if (!expresion || faults.includes('601')) return writeAnswer(CODIGOS[601], null, '')
  const registro = state.cfdis.get(expresion.id) ?? VIGENTE
  if (registro.estado === 'No Encontrado' || faults.includes('602')) return writeAnswer(CODIGOS[602], null, '')
  const efos = state.efos.get(expresion.re.toUpperCase()) ?? '200'
  return writeAnswer(CODIGOS.S, registro, efos === '' ? undefined : efos)
}

function spoiled(honest: Outgoing, rule: FaultRule | undefined): Outgoing {
  switch (rule?.fault) {
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
