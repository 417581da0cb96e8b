import { type Asked, askedAt, type Outgoing } from '../answer.ts'
import { type FaultRule, type Operacion, type State, strike } from '../state.ts'
import { AUTENTICA_NS, autentica, signerOf } from './autentica.ts'
import { base64Of, halfOf } from './base64.ts'
import { paquete } from './paquetes.ts'
import { DESCARGA_NS, type Dicho, descarga, type Peticion, solicita, verifica } from './services.ts'
import { actionNotSupported, FALLAS, SOAP, writeDescarga, writeSolicita, writeVerifica } from './soap.ts'
import { refusedBefore, rewritten, spoiled, xml } from './spoil.ts'
import { readToken } from './tokens.ts'
import type { Servicio, World } from './world.ts'
import { attributeOf, childOf, type Elemento, elementsOf, parseXml } from './xml-tree.ts'

/** Where a message came to, by the path of the real service with its host as the first folder. */
export interface Puerta {
  readonly servicio: Servicio
  readonly operacion: Exclude<Operacion, 'estado'>
}

export function puertaOf(path: string): Puerta | undefined {
  const [, which, rest = ''] = /^\/(cfdi|reten)(descargamasiva.*)$/.exec(path) ?? []
  const operacion = PATHS[rest]
  return operacion && { servicio: which === 'reten' ? 'retenciones' : 'cfdi', operacion }
}

const PATHS: Readonly<Record<string, Puerta['operacion']>> = {
  'descargamasivasolicitud/Autenticacion/Autenticacion.svc': 'autentica',
  'descargamasivasolicitud/SolicitaDescargaService.svc': 'solicita',
  'descargamasivasolicitud/VerificaSolicitudDescargaService.svc': 'verifica',
  'descargamasiva/DescargaMasivaService.svc': 'descarga',
}

export interface Mensaje {
  readonly body: string
  readonly action: string
  readonly authorization: string | undefined
}

/** What the mass download services answer to one message, with what goes wrong with it. */
export function answerDescarga(
  world: World,
  faults: State,
  puerta: Puerta,
  mensaje: Mensaje,
): { out: Outgoing; asked: Asked } {
  const { operacion } = puerta
  const now = world.now()
  const asked = askedAt(now, operacion)
  const done = (out: Outgoing) => ({ out, asked: { ...asked, status: out.end === 'whole' ? out.status : null } })
  const action = mensaje.action.replaceAll('"', '')
  const name = operationName(operacion, action)
  if (name === undefined) return done(xml(500, actionNotSupported(action)))
  let root: Elemento
  try {
    root = parseXml(mensaje.body)
  } catch {
    return done(xml(500, FALLAS.mensaje))
  }
  Object.assign(asked, askedOf(world, operacion, root))
  const rules = strike(faults, { operacion, rfc: asked.rfc, uuid: null }, now)
  asked.faults = rules.map(({ fault }) => fault)
  const afterMs = rules.find(({ fault }) => fault === 'latency')?.ms ?? 0
  const rule = rules.find(({ fault }) => fault !== 'latency')
  const before = refusedBefore(operacion, name, action, rule)
  if (before) return done({ ...before, afterMs })
  if (operacion === 'autentica') {
    const { status, body } = autentica(world, puerta.servicio, root)
    return done({ ...spoiled(xml(status, body), rule), afterMs })
  }
  const operation = operationOf(root, name)
  if (!operation) return done(xml(500, FALLAS.mensaje))
  const tokenSerial = readToken(world.state.llave, puerta.servicio, mensaje.authorization, now)
  const { out, dicho } = honest(world, { servicio: puerta.servicio, operation, tokenSerial }, operacion, name, rule)
  asked.codigo = dicho.codigo
  return done({ ...spoiled(out, rule), afterMs })
}

/** The element a message of that action holds; undefined: nobody answers to that action here. */
function operationName(operacion: Puerta['operacion'], action: string): string | undefined {
  const found = ACTIONS.find((one) => one.operacion === operacion && one.action === action)
  return found?.name
}

const ACTIONS = [
  { operacion: 'autentica', action: `${AUTENTICA_NS}/IAutenticacion/Autentica`, name: 'Autentica' },
  ...['SolicitaDescargaEmitidos', 'SolicitaDescargaRecibidos', 'SolicitaDescargaFolio'].map((name) => ({
    operacion: 'solicita',
    action: `${DESCARGA_NS}/ISolicitaDescargaService/${name}`,
    name,
  })),
  {
    operacion: 'verifica',
    action: `${DESCARGA_NS}/IVerificaSolicitudDescargaService/VerificaSolicitudDescarga`,
    name: 'VerificaSolicitudDescarga',
  },
  {
    operacion: 'descarga',
    action: `${DESCARGA_NS}/IDescargaMasivaTercerosService/Descargar`,
    name: 'PeticionDescargaMasivaTercerosEntrada',
  },
]

function operationOf(root: Elemento, name: string): Elemento | undefined {
  try {
    return childOf(childOf(root, SOAP, 'Body'), DESCARGA_NS, name)
  } catch {
    return undefined
  }
}

/** Who asks what, for the log and for faults of one taxpayer; nothing of it has been verified. */
function askedOf(world: World, operacion: Operacion, root: Elemento): { rfc: string | null; detalle: string } {
  try {
    if (operacion === 'autentica') return { rfc: signerOf(world, root).rfc, detalle: '' }
    const [request] = elementsOf(root).flatMap(elementsOf).flatMap(elementsOf)
    if (!request) return { rfc: null, detalle: '' }
    const detalle = request.attributes.filter(({ local }) => local !== 'RfcSolicitante')
    return {
      rfc: attributeOf(request, 'RfcSolicitante') ?? null,
      detalle: detalle.map(({ local, value }) => `${local}=${value}`).join(' '),
    }
  } catch {
    return { rfc: null, detalle: '' }
  }
}

function honest(
  world: World,
  peticion: Peticion,
  operacion: 'solicita' | 'verifica' | 'descarga',
  name: string,
  rule: FaultRule | undefined,
): { out: Outgoing; dicho: Dicho } {
  if (operacion === 'solicita') {
    const direccion = name.endsWith('Emitidos') ? 'emitidos' : name.endsWith('Recibidos') ? 'recibidos' : 'folio'
    const { solicitud, ...dicho } = solicita(world, peticion, direccion)
    return {
      dicho,
      out: xml(200, writeSolicita(name, { ...dicho, ...(solicitud && { id: solicitud.id, rfc: solicitud.rfc }) })),
    }
  }
  if (operacion === 'verifica') {
    const dicho = verifica(world, peticion)
    return { dicho, out: xml(200, writeVerifica(rewritten(dicho, rule))) }
  }
  const { paquete: given, ...dicho } = descarga(world, peticion)
  const [head, tail] = writeDescarga(dicho.codigo, dicho.mensaje)
  if (!given || rule?.fault === 'paquete_vacio') return { dicho, out: xml(200, head + tail) }
  const zip = () =>
    paquete(world, given.solicitud, given.n, {
      faltan: rule?.fault === 'zip_faltan',
      crc: rule?.fault === 'zip_crc',
      ajeno: rule?.fault === 'zip_ajeno',
      repetido: rule?.fault === 'zip_repetido',
    })
  async function* body() {
    yield Buffer.from(head)
    if (rule?.fault === 'base64_roto') yield Buffer.from('UEsDBBQAAAA$$$')
    yield* base64Of(rule?.fault === 'zip_roto' ? halfOf(zip) : zip())
    yield Buffer.from(tail)
  }
  return { dicho, out: { ...xml(200, ''), stream: body } }
}
