import { mexicoCityTime } from '../../clock.ts'
import { isRfc, normalizeRfc } from '../../fiscal/rfc.ts'
import { isComplemento } from './complementos.ts'
import type { Consulta, ConsultaRango } from './consulta.ts'

/**
 * Why the SAT would refuse `consulta`, every reason at once; none when it would not (sat.md 2.3). Asked before a request is
 * spent.
 */
export function problemasDe(consulta: Consulta, { rfc, now }: { rfc: string; now: Date }): string[] {
  const own = normalizeRfc(rfc)
  return [
    ...(isRfc(own) ? [] : [`El RFC del solicitante (${shown(rfc)}) no es válido.`]),
    ...(consulta.direccion === 'folio'
      ? ofFolio(consulta.folio)
      : [...ofPeriod(consulta, mexicoCityTime(now)), ...ofFilters(consulta)]),
  ]
}

const ofFolio = (folio: string): string[] =>
  UUID.test(folio.trim()) ? [] : [`El folio fiscal (${shown(folio)}) no es un UUID.`]

function ofPeriod({ desde, hasta }: ConsultaRango, now: string): string[] {
  const wrong = [
    ...(isCivil(desde) ? [] : [`La fecha inicial (${shown(desde)}) no es una fecha con hora.`]),
    ...(isCivil(hasta) ? [] : [`La fecha final (${shown(hasta)}) no es una fecha con hora.`]),
  ]
  if (wrong.length > 0) return wrong
  const earliest = sixYearsBefore(now)
  return [
    // An instant is refused too: the end is not part of it, or so it seems.
    ...(desde < hasta ? [] : [`La fecha inicial (${desde}) debe ser anterior a la fecha final (${hasta}).`]),
    ...(desde < earliest ? [`La fecha inicial (${desde}) no puede ser anterior a hace seis años (${earliest}).`] : []),
    ...(desde > now ? [`La fecha inicial (${desde}) todavía no llega.`] : []),
    // Quintana Roo is an hour ahead of central Mexico: a day is enough for anybody's clock.
    ...(hasta > aDayAfter(now) ? [`La fecha final (${hasta}) está a más de un día de hoy.`] : []),
  ]
}

function ofFilters(consulta: ConsultaRango): string[] {
  const { servicio, direccion, tipo, estado, contrapartes = [], tipoComprobante, complemento } = consulta
  const tercero = consulta.rfcACuentaTerceros
  const others = new Set(contrapartes.map(normalizeRfc))
  const limit = direccion === 'emitidos' ? 5 : 1
  return [
    ...(['CFDI', 'Metadata'].includes(tipo) ? [] : [`El tipo de solicitud (${shown(tipo)}) no existe.`]),
    ...(['Todos', 'Vigente', 'Cancelado'].includes(estado) ? [] : [`El estado (${shown(estado)}) no existe.`]),
    ...(direccion === 'recibidos' && tipo === 'CFDI' && estado !== 'Vigente'
      ? ['De los CFDI recibidos el SAT solo entrega el XML de los vigentes; los cancelados, solo como metadatos.']
      : []),
    ...(others.size > limit
      ? [`Se puede filtrar por ${limit === 1 ? 'un emisor' : 'hasta cinco receptores'}, y se dieron ${others.size}.`]
      : []),
    ...[...others].filter((rfc) => !isRfc(rfc)).map((rfc) => `El RFC de la contraparte (${shown(rfc)}) no es válido.`),
    ...(tercero === undefined || isRfc(normalizeRfc(tercero))
      ? []
      : [`El RFC a cuenta de terceros (${shown(tercero)}) no es válido.`]),
    ...(tipoComprobante === undefined || servicio === 'cfdi' ? [] : ['Las retenciones no tienen tipo de comprobante.']),
    ...(tipoComprobante === undefined || ['I', 'E', 'T', 'N', 'P'].includes(tipoComprobante)
      ? []
      : [`El tipo de comprobante (${shown(tipoComprobante)}) no existe.`]),
    ...(complemento === undefined || isComplemento(servicio, complemento)
      ? []
      : [`El complemento (${shown(complemento)}) no es de los que el SAT conoce para ${NOMBRE[servicio]}.`]),
  ]
}

const NOMBRE = { cfdi: 'CFDI', retenciones: 'retenciones' } as const

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
const CIVIL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/

/** Whether the calendar has it. */
function isCivil(text: string): boolean {
  if (!CIVIL.test(text)) return false
  const at = new Date(`${text}Z`)
  return !Number.isNaN(at.getTime()) && iso(at) === text
}

/** Today at midnight, six years ago; of 29 February the first of March. */
export function sixYearsBefore(now: string): string {
  const at = new Date(`${now.slice(0, 10)}T00:00:00Z`)
  at.setUTCFullYear(at.getUTCFullYear() - 6)
  return iso(at)
}

const aDayAfter = (now: string): string => iso(new Date(new Date(`${now}Z`).getTime() + 86_400_000))

const iso = (at: Date): string => at.toISOString().slice(0, 19)

/** Never at length, never what a terminal would obey. */
const shown = (text: string): string => text.slice(0, 40).replace(/[^\p{L}\p{N}& .:_-]/gu, '?')
