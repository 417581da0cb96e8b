import type { Outgoing } from '../answer.ts'
import type { FaultRule } from '../state.ts'
import { mensajeDe } from './mensajes.ts'
import { type Dicho, said, type verifica } from './services.ts'
import { actionNotSupported, FALLAS, writeDescarga, writeSolicita, writeVerifica } from './soap.ts'
import type { Operacion } from './world.ts'

/** What keeps a message from being worked on at all. */
export function refusedBefore(
  operacion: Operacion,
  name: string,
  action: string,
  rule: FaultRule | undefined,
): Outgoing | undefined {
  switch (rule?.fault) {
    case 'cut':
    case 'hang':
      return { ...xml(200, ''), end: rule.fault }
    case 'http_500':
      return xml(500, FALLAS.interna)
    case 'seguridad':
      return xml(500, FALLAS.seguridad)
    case 'accion':
      return xml(500, actionNotSupported(action))
    case 'codigo': {
      const codigo = rule.codigo ?? '404'
      return xml(200, refusal(operacion, name, { codigo, mensaje: rule.mensaje ?? mensajeDe(codigo) }))
    }
    default:
      return PAGES[rule?.fault ?? '']
  }
}

const html = (status: number, body: string): Outgoing => ({ ...xml(status, body), type: 'text/html' })

const PAGES: Readonly<Record<string, Outgoing>> = {
  http_502: html(502, '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>'),
  http_503: html(
    503,
    '<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body>Mantenimiento</body></html>',
  ),
  html_200: html(200, '<html><head><title>Request Rejected</title></head><body>Your support ID is: 1</body></html>'),
}

function refusal(operacion: Operacion, name: string, dicho: Dicho): string {
  if (operacion === 'solicita') return writeSolicita(name, dicho)
  if (operacion === 'verifica') return writeVerifica({ ...dicho, estado: 0, numero: 0, paquetes: [] })
  return writeDescarga(dicho.codigo, dicho.mensaje).join('')
}

/** What a verification says instead of what is so. */
export function rewritten<T extends ReturnType<typeof verifica>>(dicho: T, rule: FaultRule | undefined) {
  const none = { numero: 0, paquetes: [] }
  if (rule?.fault === 'codigo_estado')
    return { ...said('5000'), ...none, estado: 5, codigoEstado: rule.codigo ?? '5002' }
  if (rule?.fault === 'estado_desconocido') return { ...said('5000'), ...none, estado: 9, codigoEstado: '5000' }
  return dicho
}

/** What becomes of an answer whose work is done. */
export function spoiled(out: Outgoing, rule: FaultRule | undefined): Outgoing {
  switch (rule?.fault) {
    case 'half':
    case 'stall':
    case 'flood':
      return { ...out, end: rule.fault, ...(rule.bytes !== undefined && { cutAt: rule.bytes }) }
    case 'perdida':
      return { ...out, end: 'cut' }
    case 'lenta':
      return { ...out, pauseMs: rule.ms }
    case 'empty_200':
      return xml(200, '')
    case 'otra_forma':
      return out.stream ? out : { ...out, body: otherShape(out.body) }
    default:
      return out
  }
}

/** The same message by another writer: other prefixes, other case of names and of folios. */
const otherShape = (body: string): string =>
  body
    .replaceAll('<s:', '<SOAP-ENV:')
    .replaceAll('</s:', '</SOAP-ENV:')
    .replaceAll('xmlns:s=', 'xmlns:SOAP-ENV=')
    .replaceAll('CodEstatus=', 'codEstatus=')
    .replaceAll('NumeroCFDIs=', 'NumeroCfdis=')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => id.toUpperCase())

export function xml(status: number, body: string): Outgoing {
  return { status, type: 'text/xml; charset=utf-8', body, end: 'whole', afterMs: 0 }
}
