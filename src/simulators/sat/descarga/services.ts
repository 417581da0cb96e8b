import { mexicoCityTime } from '../../../clock.ts'
import { canceladoAl, concerns } from './contenido.ts'
import { wrongSigner } from './firmante.ts'
import { mensajeDe } from './mensajes.ts'
import { type Pedido, RFC, readParametros, readPedido } from './parametros.ts'
import { accept, avanceDe, isActive, isOver, paqueteId } from './solicitudes.ts'
import type { Solicitud } from './state.ts'
import type { World } from './world.ts'
import { childOf, type Elemento } from './xml-tree.ts'

export const DESCARGA_NS = 'http://DescargaMasivaTerceros.sat.gob.mx'

/** Whoever asks: where, with whose token, what. */
export interface Peticion {
  readonly servicio: 'cfdi' | 'retenciones'
  /** Serial number of the certificate that the token is for; undefined: no token that is good now. */
  readonly tokenSerial: string | undefined
  /** The element in the body of the message. */
  readonly operation: Elemento
}

export interface Dicho {
  codigo: string
  mensaje: string
}

/** Takes a request, or says why not: in the order of the service, which looks at parameters before it looks at seals. */
export function solicita(
  world: World,
  peticion: Peticion,
  direccion: Solicitud['direccion'],
): Dicho & { solicitud?: Solicitud } {
  const { servicio, operation, tokenSerial } = peticion
  if (tokenSerial === undefined) return said('300')
  const solicitud = requestOf(operation, 'solicitud')
  if (!solicitud) return said('301')
  const pedido = readPedido(direccion, servicio, solicitud, world.now())
  if (typeof pedido === 'string') return { codigo: '301', mensaje: `${mensajeDe('301')}:${pedido}` }
  const refused = wrongSigner(world, operation, solicitud, pedido.rfc, tokenSerial) ?? spent(world, pedido)
  if (refused !== undefined) return said(refused)
  return { ...said('5000'), solicitud: accept(world, pedido) }
}

/** 5012, 5005 and 5002, in this order: what is still being worked on does not count as asked once more. */
function spent(world: World, pedido: Pedido): string | undefined {
  const { state, universe } = world
  if (pedido.direccion === 'folio') {
    const corte = mexicoCityTime(world.now())
    const found = universe.findCfdi(pedido.parametros['Folio'] ?? '', corte)
    if (found && concerns(found, pedido.rfc) && canceladoAl(state.cancelaciones, found, corte)) return '5012'
  }
  const same = state.solicitudes.filter(({ rfc, huella }) => rfc === pedido.rfc && huella === pedido.huella)
  if (same.some((one) => isActive(world, one))) return '5005'
  return pedido.tipo === 'CFDI' && same.length >= state.ajustes.solicitudesDePorVida ? '5002' : undefined
}

export function verifica(world: World, { operation, tokenSerial, servicio }: Peticion) {
  const nothing = { estado: 0, numero: 0, paquetes: [] as string[] }
  if (tokenSerial === undefined) return { ...said('300'), ...nothing }
  const request = requestOf(operation, 'solicitud')
  const { IdSolicitud = '', RfcSolicitante = '' } = request ? readParametros(request) : {}
  if (!request || IdSolicitud === '' || !RFC.test(RfcSolicitante)) return { ...said('301'), ...nothing }
  const refused = wrongSigner(world, operation, request, RfcSolicitante, tokenSerial)
  if (refused !== undefined) return { ...said(refused), ...nothing }
  const solicitud = world.state.solicitudes.find(
    (one) => one.id === IdSolicitud.toLowerCase() && one.rfc === RfcSolicitante && one.servicio === servicio,
  )
  if (!solicitud) return { ...said('5004'), ...nothing }
  if (tooManyFolios(world, solicitud)) return { ...said('5011'), ...nothing }
  const { codigo, ...avance } = avanceDe(world, solicitud)
  return { ...said('5000'), ...avance, codigoEstado: codigo }
}

function tooManyFolios({ state, now }: World, { direccion, rfc, creadaEn }: Solicitud): boolean {
  if (direccion !== 'folio') return false
  const day = (instant: string | Date) => mexicoCityTime(new Date(instant)).slice(0, 10)
  const today = state.solicitudes.filter(
    (one) => one.direccion === 'folio' && one.rfc === rfc && day(one.creadaEn) === day(creadaEn),
  )
  return today.length > state.ajustes.foliosPorDia && day(creadaEn) === day(now())
}

/** A package to be given, already counted as given: whoever loses it on the way has spent it. */
export function descarga(
  world: World,
  { operation, tokenSerial, servicio }: Peticion,
): Dicho & { paquete?: { solicitud: Solicitud; n: number } } {
  if (tokenSerial === undefined) return said('300')
  const request = requestOf(operation, 'peticionDescarga')
  const { IdPaquete = '', RfcSolicitante = '' } = request ? readParametros(request) : {}
  if (!request || IdPaquete === '' || !RFC.test(RfcSolicitante)) return said('301')
  const refused = wrongSigner(world, operation, request, RfcSolicitante, tokenSerial)
  if (refused !== undefined) return said(refused)
  const { state } = world
  const [, id, n] = /^([0-9a-f-]{36})_(\d{2,})$/.exec(IdPaquete.toLowerCase()) ?? []
  const solicitud = state.solicitudes.find(
    (one) => one.id === id && one.rfc === RfcSolicitante && one.servicio === servicio,
  )
  // Ready or not does not depend on whether anybody looked.
  if (solicitud) avanceDe(world, solicitud)
  const resultado = solicitud?.resultado
  if (!solicitud || !resultado || !n || Number(n) < 1 || Number(n) > resultado.paquetes) return said('5004')
  if (solicitud.forzada !== null || isOver(resultado.en, world.now())) return said('5007')
  const key = paqueteId(solicitud.id, Number(n))
  const times = state.descargas[key] ?? 0
  if (times >= state.ajustes.descargasPorPaquete) return said('5008')
  state.descargas[key] = times + 1
  world.changed()
  return { ...said('5000'), paquete: { solicitud, n: Number(n) } }
}

export const said = (codigo: string): Dicho => ({ codigo, mensaje: mensajeDe(codigo) })

function requestOf(operation: Elemento, local: string): Elemento | undefined {
  try {
    return childOf(operation, DESCARGA_NS, local)
  } catch {
    return undefined
  }
}
