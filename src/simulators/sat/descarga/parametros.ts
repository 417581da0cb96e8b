import { createHash } from 'node:crypto'
import { mexicoCityTime } from '../../../clock.ts'
import type { Solicitud } from './state.ts'
import type { Servicio } from './world.ts'
import { attributeOf, type Elemento, elementsOf, textOf } from './xml-tree.ts'

export type Pedido = Pick<Solicitud, 'servicio' | 'direccion' | 'tipo' | 'rfc' | 'parametros' | 'huella'>

/** Parameters by the names of the service; those of several values as one text with commas. Empty ones are none. */
export function readParametros(solicitud: Elemento): Record<string, string> {
  const receptores = elementsOf(solicitud)
    .filter(({ local }) => local === 'RfcReceptores')
    .flatMap((list) => elementsOf(list).map(textOf))
  const plain = solicitud.attributes.map(({ local, value }) => [local, value] as const)
  return Object.fromEntries([
    ...plain.filter(([, value]) => value !== ''),
    ...(receptores.length > 0 ? [['RfcReceptores', receptores.join(',')] as const] : []),
  ])
}

export const rfcOf = (solicitud: Elemento): string => attributeOf(solicitud, 'RfcSolicitante') ?? ''

/**
 * What a request asks for, or the words after `301` (sat.md 2.3). It is looked at before signature and certificate, so
 * these words hide what is wrong with those.
 */
export function readPedido(
  direccion: Solicitud['direccion'],
  servicio: Servicio,
  solicitud: Elemento,
  now: Date,
): Pedido | string {
  const parametros = readParametros(solicitud)
  const rfc = parametros['RfcSolicitante'] ?? ''
  const wrong =
    unknownParameter(direccion, parametros) ??
    (RFC.test(rfc) ? undefined : 'El RFC solicitante no es válido.') ??
    (direccion === 'folio' ? wrongFolio(parametros) : wrongRange(direccion, parametros, now))
  if (wrong !== undefined) return wrong
  const tipo = direccion === 'folio' ? 'CFDI' : (parametros['TipoSolicitud'] as Solicitud['tipo'])
  const text = JSON.stringify([servicio, direccion, Object.entries(parametros).toSorted()])
  return { servicio, direccion, tipo, rfc, parametros, huella: createHash('sha256').update(text).digest('hex') }
}

const RANGE =
  'RfcSolicitante FechaInicial FechaFinal TipoSolicitud EstadoComprobante TipoComprobante Complemento RfcACuentaTerceros'
const ALLOWED: Record<Solicitud['direccion'], readonly string[]> = {
  emitidos: [...RANGE.split(' '), 'RfcEmisor', 'RfcReceptores'],
  recibidos: [...RANGE.split(' '), 'RfcEmisor', 'RfcReceptor'],
  folio: ['RfcSolicitante', 'Folio'],
}

function unknownParameter(direccion: Solicitud['direccion'], parametros: Record<string, string>): string | undefined {
  const name = Object.keys(parametros).find((one) => !ALLOWED[direccion].includes(one))
  return name && `El atributo ${name} no está permitido.`
}

function wrongFolio({ Folio = '' }: Record<string, string>): string | undefined {
  return UUID.test(Folio) ? undefined : 'El folio no es válido.'
}

function wrongRange(
  direccion: 'emitidos' | 'recibidos',
  parametros: Record<string, string>,
  now: Date,
): string | undefined {
  const { FechaInicial = '', FechaFinal = '', TipoSolicitud = '', EstadoComprobante, TipoComprobante } = parametros
  const { Complemento, RfcSolicitante, RfcEmisor, RfcReceptor, RfcReceptores, RfcACuentaTerceros } = parametros
  if (!isCivil(FechaInicial) || !isCivil(FechaFinal)) return 'El formato de las fechas no es válido.'
  if (FechaInicial >= FechaFinal) return 'La fecha inicial es mayor o igual a la fecha final.'
  if (FechaInicial < sixYearsBefore(now)) return 'La fecha inicial no debe ser anterior a seis años.'
  if (!['CFDI', 'Metadata'].includes(TipoSolicitud)) return 'El tipo de solicitud no es válido.'
  if (EstadoComprobante !== undefined && !['Todos', 'Vigente', 'Cancelado'].includes(EstadoComprobante))
    return 'El estado del comprobante no es válido.'
  if (TipoComprobante !== undefined && !/^[IETNP]$/.test(TipoComprobante)) return 'El tipo de comprobante no es válido.'
  if (Complemento !== undefined && !/^[a-z0-9]+$/.test(Complemento)) return 'El complemento no es válido.'
  if (RfcACuentaTerceros !== undefined && !RFC.test(RfcACuentaTerceros))
    return 'El RFC a cuenta de terceros no es válido.'
  if (direccion === 'emitidos') {
    if (RfcEmisor !== RfcSolicitante) return 'El RFC emisor debe ser el RFC solicitante.'
    const receptores = RfcReceptores?.split(',') ?? []
    if (receptores.length > 5) return 'Se permiten hasta cinco RFC receptores.'
    return receptores.every((one) => RFC.test(one)) ? undefined : 'El RFC receptor no es válido.'
  }
  if (RfcReceptor !== RfcSolicitante) return 'El RFC receptor debe ser el RFC solicitante.'
  if (RfcEmisor !== undefined && !RFC.test(RfcEmisor)) return 'El RFC emisor no es válido.'
  // Leaving it out is refused too, whatever the SAT's text says of a default.
  if (TipoSolicitud === 'CFDI' && EstadoComprobante !== 'Vigente')
    return 'La solicitud de descarga no es válida. No se permite la descarga de xml que se encuentren cancelados.'
  return undefined
}

export const RFC = /^[A-ZÑ&]{3,4}\d{6}[A-Z\d]{3}$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** An instant that the calendar has. */
function isCivil(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return false
  const at = new Date(`${text}Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}

function sixYearsBefore(now: Date): string {
  const today = mexicoCityTime(now)
  return `${Number(today.slice(0, 4)) - 6}${today.slice(4, 10)}T00:00:00`
}
