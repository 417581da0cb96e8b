import { type Elemento, elementOf, type Falla, readSoap } from './soap.ts'

/** What the three light operations answer, in the words of the service (sat.md 2.2, 2.4). `Descargar` is read as it comes. */
export interface Acceso {
  /** To be used exactly as it is. A secret. */
  readonly token: string
  /** How long it lives by the clock of the SAT; null when it does not say. */
  readonly duraMs: number | null
}

export interface Solicitada {
  readonly codigo: string
  readonly mensaje: string
  /** Verbatim; there is one whenever the code is 5000. */
  readonly idSolicitud: string | null
}

export interface Verificada {
  readonly codigo: string
  readonly mensaje: string
  /** Null where there is none, or no number. */
  readonly estadoSolicitud: number | null
  readonly codigoEstado: string | null
  readonly numeroCfdis: number
  /** Each once, in the order given. */
  readonly paquetes: readonly string[]
}

export function readAutentica(body: string): Acceso | Falla {
  const soap = readSoap(body)
  if ('falla' in soap) return soap
  const token = elementOf(soap, (nombre) => nombre === 'autenticaresult')?.texto
  if (!token) return illegible('no token')
  // It goes into a header as it is; what does not fit into one would be shown by the error.
  if (!TOKEN.test(token)) return illegible('a token that is none')
  const timestamp = elementOf(soap, (nombre) => nombre === 'timestamp')
  const at = (name: string) => Date.parse(timestamp?.hijos.find(({ nombre }) => nombre === name)?.texto ?? '')
  const duraMs = at('expires') - at('created')
  return { token, duraMs: duraMs > 0 ? duraMs : null }
}

export function readSolicita(body: string): Solicitada | Falla {
  const result = resultOf(body, /^solicitadescarga\w*result$/)
  if ('falla' in result) return result
  const id = result.atributos.get('idsolicitud')?.trim()
  if (id && !isId(id)) return illegible('an IdSolicitud that is none')
  const coded = codeOf(result)
  if ('falla' in coded) return coded
  // Taken, and nobody could ever ask for it: better looked at than forgotten.
  if (coded.codigo === '5000' && !id) return illegible('5000 without IdSolicitud')
  return { ...coded, idSolicitud: id || null }
}

export function readVerifica(body: string): Verificada | Falla {
  const result = resultOf(body, /^verificasolicituddescargaresult$/)
  if ('falla' in result) return result
  const coded = codeOf(result)
  if ('falla' in coded) return coded
  const get = (name: string) => result.atributos.get(name)?.trim() ?? ''
  const paquetes = result.hijos.flatMap(({ nombre, texto }) =>
    nombre === 'idspaquetes' && texto !== '' ? [texto] : [],
  )
  if (!paquetes.every(isId)) return illegible('an IdsPaquetes that is none')
  const estado = get('estadosolicitud')
  const numero = get('numerocfdis')
  return {
    ...coded,
    estadoSolicitud: /^\d{1,4}$/.test(estado) ? Number(estado) : null,
    codigoEstado: get('codigoestadosolicitud').slice(0, MOST_CODE) || null,
    numeroCfdis: /^\d{1,15}$/.test(numero) ? Number(numero) : 0,
    paquetes: [...new Set(paquetes)],
  }
}

/** What came instead of an answer that was to be read as it comes. */
export function readFalla(body: string): Falla {
  const soap = readSoap(body)
  return 'falla' in soap ? soap : illegible('no fault in it')
}

/** Whether the service could have given this as the number of a request or of a package. */
export const isId = (id: string): boolean => ID.test(id)

function resultOf(body: string, name: RegExp): Elemento | Falla {
  const soap = readSoap(body)
  if ('falla' in soap) return soap
  return elementOf(soap, (nombre) => name.test(nombre)) ?? illegible('no result in it')
}

function codeOf({ atributos }: Elemento): { codigo: string; mensaje: string } | Falla {
  const codigo = atributos.get('codestatus')?.trim().slice(0, MOST_CODE)
  if (!codigo) return illegible('no CodEstatus')
  return { codigo, mensaje: (atributos.get('mensaje') ?? '').trim().slice(0, MOST_WORDS) }
}

const illegible = (detalle: string): Falla => ({ falla: 'ilegible', detalle })

const MOST_CODE = 40
const MOST_WORDS = 1_000
/** A UUID, with `_01` behind for a package. Nothing that could mean something in a path or an address. */
const ID = /^[\w-]{1,100}$/
const TOKEN = /^[\x21\x23-\x7e]{1,16384}$/
