import { SaxesParser } from 'saxes'
import type { Registro } from './state.ts'

/** What the service was asked: what the printed form of a CFDI says. */
export interface Expresion {
  re: string
  rr: string
  tt: string
  id: string
  fe: string | null
}

/** The expression inside a SOAP message. @throws Error when there is none: the real one answers with a fault */
export function readRequest(body: string): string {
  const parser = new SaxesParser({ xmlns: true })
  const path: string[] = []
  let text: string | undefined
  parser.on('error', (error) => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('DOCTYPE')
  })
  parser.on('opentag', ({ uri, local }) => {
    path.push(`{${uri}}${local}`)
    if (path.join('/') === EXPRESION) text = ''
  })
  parser.on('closetag', () => void path.pop())
  const onText = (chunk: string) => {
    if (text !== undefined && path.join('/') === EXPRESION) text += chunk
  }
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.write(body).close()
  if (text === undefined) throw new Error('no expresionImpresa')
  return text
}

const EXPRESION = [
  '{http://schemas.xmlsoap.org/soap/envelope/}Envelope',
  '{http://schemas.xmlsoap.org/soap/envelope/}Body',
  '{http://tempuri.org/}Consulta',
  '{http://tempuri.org/}expresionImpresa',
].join('/')

/** Its parts, null when it is not valid (601). By names: an RFC may hold the sign that stands between them. */
export function parseExpresion(text: string): Expresion | null {
  const match = PATTERN.exec(text)
  if (!match) return null
  const [, re = '', rr = '', tt = '', id = '', fe] = match
  return { re, rr, tt, id: id.toUpperCase(), fe: fe ?? null }
}

const RFC = '[A-ZÑ&]{3,4}\\d{6}[A-Z\\d]{3}'
// Either as Anexo 20 writes it since 3.3, or padded to ten digits and six decimals as 3.2 was.
const TOTAL = '(?:0|[1-9]\\d{0,17})\\.\\d{1,6}|(?:0|[1-9]\\d{0,17})|\\d{10}\\.\\d{6}'
const PATTERN = new RegExp(
  `^\\?re=(${RFC})&rr=(${RFC})&tt=(${TOTAL})&id=([0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})(?:&fe=([A-Za-z0-9+/=]{8}))?$`,
  'i',
)

export const CODIGOS = {
  S: 'S - Comprobante obtenido satisfactoriamente.',
  601: 'N - 601: La expresión impresa proporcionada no es válida.',
  602: 'N - 602: Comprobante no encontrado.',
}

/** The answer as the service writes it. `efos` undefined leaves the field out, as older versions did. */
export function writeAnswer(codigo: string, registro: Registro | null, efos: string | undefined): string {
  const field = (name: string, value: string) => (value === '' ? `<a:${name}/>` : `<a:${name}>${value}</a:${name}>`)
  const fields = [
    field('CodigoEstatus', codigo),
    field('EsCancelable', registro?.esCancelable ?? ''),
    field('Estado', registro?.estado ?? 'No Encontrado'),
    field('EstatusCancelacion', registro?.estatusCancelacion ?? ''),
    ...(efos === undefined ? [] : [field('ValidacionEFOS', efos)]),
  ]
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ConsultaResponse xmlns="http://tempuri.org/"><ConsultaResult xmlns:a="http://schemas.datacontract.org/2004/07/Sat.Cfdi.Negocio.ConsultaCfdi.Servicio" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">${fields.join('')}</ConsultaResult></ConsultaResponse></s:Body></s:Envelope>`
}

export const writeFault = (code: string, words: string): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode xmlns:a="http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher">a:${code}</faultcode><faultstring xml:lang="en-US">${words}</faultstring></s:Fault></s:Body></s:Envelope>`
