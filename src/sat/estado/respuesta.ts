import { SaxesParser } from 'saxes'

/** What the service says of a CFDI, in our words. */
export interface Respuesta {
  /** `expresion_invalida` (601) is nothing about the CFDI: the service did not understand, now and then for no reason. */
  readonly estado: 'vigente' | 'cancelado' | 'no_encontrado' | 'expresion_invalida'
  /** `S`, or the number of a refusal. */
  readonly codigo: string
  readonly esCancelable: EsCancelable | null
  readonly estatusCancelacion: EstatusCancelacion | null
  readonly efos: Efos
}

export type EsCancelable = (typeof ES_CANCELABLE)[keyof typeof ES_CANCELABLE]
export type EstatusCancelacion = (typeof ESTATUS)[keyof typeof ESTATUS]

/** Whether the issuer is on the definitive list of CFF 69-B. `desconocido`: the service did not say. */
export type Efos = 'listado' | 'no_listado' | 'desconocido'

/** Why an answer is none. */
export interface Falla {
  /** `malformada`: not one whole SOAP message. `ilegible`: one, with words that we do not know. */
  readonly falla: 'vacia' | 'html' | 'fault' | 'malformada' | 'ilegible'
  /** For the log: what it was, short. */
  readonly detalle: string
}

/**
 * Reads an answer of the service (sat.md 3), whatever came: a page of somebody's proxy, half an answer, a fault.
 *
 * Names are compared without prefix and case, words without accents and case: the service has changed all of these. What is
 * neither a state nor a refusal that we know is never taken for one of them.
 */
export function readRespuesta(body: string): Respuesta | Falla {
  const text = body.replace(/^\uFEFF/, '').trim()
  if (text === '') return { falla: 'vacia', detalle: 'an empty body' }
  if (/^(<!doctype\s+html|<html)/i.test(text)) return { falla: 'html', detalle: titleOf(text) }
  let fields: Fields
  try {
    fields = readFields(text)
  } catch (error) {
    return { falla: 'malformada', detalle: error instanceof Error ? error.message.slice(0, 120) : 'not well-formed' }
  }
  if (fields.fault !== undefined) return { falla: 'fault', detalle: fields.fault }
  return interpret(fields.result)
}

function interpret(result: ReadonlyMap<string, string>): Respuesta | Falla {
  const said = plain(result.get('codigoestatus') ?? '')
  const codigo = said.startsWith('s -') || said === 's' ? 'S' : /^n\s*-\s*(\d{3})\b/.exec(said)?.[1]
  const estado = estadoOf(codigo, plain(result.get('estado') ?? ''))
  if (codigo === undefined || estado === undefined) {
    const detalle = `CodigoEstatus «${said.slice(0, 60)}», Estado «${(result.get('estado') ?? '').slice(0, 30)}»`
    return { falla: 'ilegible', detalle }
  }
  return {
    estado,
    codigo,
    esCancelable: wordOf(ES_CANCELABLE, result.get('escancelable')),
    estatusCancelacion: wordOf(ESTATUS, result.get('estatuscancelacion')),
    efos: efosOf(result.get('validacionefos')),
  }
}

/** A code and a state that contradict each other say nothing. */
function estadoOf(codigo: string | undefined, estado: string): Respuesta['estado'] | undefined {
  if (codigo === 'S') return wordOf(ESTADOS, estado) ?? undefined
  if (estado !== 'no encontrado' && estado !== '') return undefined
  return codigo === '601' ? 'expresion_invalida' : codigo === '602' ? 'no_encontrado' : undefined
}

/**
 * SAT's document v1.4 (November 2022): 100, 101 and 104 say that the issuer is on the list; 102 and 103 only that a third
 * party is, 200 and 201 that nobody is. Anything else, and nothing at all, says nothing: it is no accusation.
 */
function efosOf(code: string | undefined): Efos {
  const text = code?.trim() ?? ''
  if (['100', '101', '104'].includes(text)) return 'listado'
  return ['102', '103', '200', '201'].includes(text) ? 'no_listado' : 'desconocido'
}

const ESTADOS = { vigente: 'vigente', cancelado: 'cancelado', 'no encontrado': 'no_encontrado' } as const

const ES_CANCELABLE = {
  'no cancelable': 'no_cancelable',
  'cancelable sin aceptacion': 'sin_aceptacion',
  'cancelable con aceptacion': 'con_aceptacion',
} as const

const ESTATUS = {
  'en proceso': 'en_proceso',
  'solicitud rechazada': 'solicitud_rechazada',
  'cancelado sin aceptacion': 'sin_aceptacion',
  'cancelado con aceptacion': 'con_aceptacion',
  'plazo vencido': 'plazo_vencido',
} as const

function wordOf<W extends string>(words: Readonly<Record<string, W>>, text: string | undefined): W | null {
  const key = plain(text ?? '')
  return Object.hasOwn(words, key) ? (words[key] ?? null) : null
}

/**
 * Lower case, without accents, one blank between words. No word of the service is as long as what is nothing here, and
 * putting marks in order takes the square of their number.
 */
const plain = (text: string): string =>
  text.length > 1_000 ? '' : text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim()

interface Fields {
  result: Map<string, string>
  fault: string | undefined
}

/** The fields of `ConsultaResult`, or the words of a fault. @throws Error when it is not one whole document of ours */
function readFields(text: string): Fields {
  const parser = new SaxesParser({ xmlns: false, position: false })
  const open: string[] = []
  const found: Fields = { result: new Map(), fault: undefined }
  let hasResult = false
  parser.on('error', (error) => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('a DOCTYPE')
  })
  parser.on('opentag', ({ name }) => {
    const local = name.slice(name.indexOf(':') + 1).toLowerCase()
    if (open.length === 0 && local !== 'envelope') throw new Error(`no SOAP: its root is ${name.slice(0, 40)}`)
    if (open.length >= MOST_LEVELS) throw new Error('too deep')
    if (open.at(-1) === 'consultaresult') {
      if (found.result.has(local)) throw new Error(`${local} twice`)
      found.result.set(local, '')
    }
    if (local === 'consultaresult') {
      if (hasResult) throw new Error('two results')
      hasResult = true
    }
    if (local === 'fault') found.fault ??= ''
    open.push(local)
  })
  parser.on('closetag', () => void open.pop())
  const onText = (chunk: string) => {
    const [parent, local] = open.slice(-2)
    if (parent === 'consultaresult' && local) found.result.set(local, (found.result.get(local) ?? '') + chunk)
    if (local === 'faultstring' || local === 'faultcode')
      found.fault = `${found.fault ?? ''} ${chunk}`.trim().slice(0, 160)
  }
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.write(text).close()
  if (!hasResult && found.fault === undefined) throw new Error('no result in it')
  return found
}

const MOST_LEVELS = 20

const titleOf = (html: string): string =>
  (/<title>([^<]{0,100})/i.exec(html)?.[1] ?? 'a page without a title').replace(/\s+/g, ' ').trim()
