import { isUtf8 } from 'node:buffer'
import { AppError } from '../../errors.ts'
import { declaredEncoding, toUtf8 } from './decode.ts'
import { Tokens } from './tokens.ts'
import { LIMITS, readXml, type XmlElement } from './xml.ts'

/** What is mended, on a copy and in this order. Promised to clients, and kept with the document. */
export type Reparacion =
  | 'bom_repetido'
  | 'texto_antes'
  | 'codificacion_declarada'
  | 'texto_despues'
  | 'addenda_descartada'

/**
 * Reads an XML document as `readXml` does and, only where that refuses it, once more with what the field is known to do
 * to a sound document mended: around it, to the name of its encoding, in its addenda. Never inside of what is sealed, and
 * never where there are two ways to understand it: such a document is refused, with the reason.
 * @throws AppError as `readXml`
 */
export function readDocument(bytes: Uint8Array): { root: XmlElement; reparaciones: Reparacion[] } {
  try {
    return { root: readXml(bytes), reparaciones: [] }
  } catch (error) {
    if (!isMendable(error)) throw error
    return mended(bytes, error)
  }
}

const isMendable = (error: unknown): error is AppError =>
  error instanceof AppError && (error.code === 'cfdi.not_xml' || error.code === 'cfdi.encoding')

function mended(bytes: Uint8Array, refusal: AppError): { root: XmlElement; reparaciones: Reparacion[] } {
  const reparaciones: Reparacion[] = []
  const marked = withoutMarks(bytes, reparaciones)
  const begun = fromItsBegin(marked, reparaciones)
  let source = inItsEncoding(begun, reparaciones)
  for (;;) {
    const tokens = new Tokens(source, LIMITS)
    try {
      const root = tokens.read()
      if (!root) throw refusal
      return { root, reparaciones }
    } catch (error) {
      if (!isMendable(error)) throw error
      const mended = withoutTail(source, tokens, reparaciones) ?? withoutAddenda(source, tokens, reparaciones)
      if (!mended) throw reparaciones.length > 0 ? error : refusal
      source = mended
    }
  }
}

/** One byte-order mark is XML's; programs that join files leave more. */
function withoutMarks(bytes: Uint8Array, reparaciones: Reparacion[]): Uint8Array {
  let from = 0
  while (bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf) from += 3
  if (from <= 3) return bytes
  reparaciones.push('bom_repetido')
  return bytes.subarray(from)
}

/** From the first `<`, if what is before it means something to nobody. */
function fromItsBegin(bytes: Uint8Array, reparaciones: Reparacion[]): Uint8Array {
  const from = bytes.indexOf(0x3c)
  // UTF-16 has zeros there, and a mark of UTF-8 is no text.
  if (from <= 0 || bytes[from + 1] === 0 || bytes[from - 1] === 0) return bytes
  if (from === 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes
  const before = Buffer.from(bytes.subarray(0, from)).toString('latin1')
  const declaration = bytes[from + 1] === 0x3f
  if (!declaration && /^[ \t\r\n]*$/.test(before)) return bytes
  reparaciones.push('texto_antes')
  return bytes.subarray(from)
}

/** As UTF-8, when the declaration is wrong about what the bytes are and they leave no doubt. */
function inItsEncoding(bytes: Uint8Array, reparaciones: Reparacion[]): Uint8Array {
  try {
    return toUtf8(bytes)
  } catch (error) {
    if (!isMendable(error)) throw error
    // Not by chance is anything beyond ASCII well-formed UTF-8.
    const unicode = isUtf8(bytes)
    if (!unicode && (declaredEncoding(bytes) !== 'utf-8' || !isSpanishOf1252(bytes))) throw error
    reparaciones.push('codificacion_declarada')
    return unicode ? bytes : Buffer.from(new TextDecoder('windows-1252').decode(bytes))
  }
}

/**
 * Whether bytes that are not UTF-8 are text of windows-1252 beyond doubt: beyond ASCII nothing but the letters and signs
 * that Spanish is written with. UTF-8 begins every one of those with a byte that is none of them, damaged or not.
 */
const isSpanishOf1252 = (bytes: Uint8Array): boolean => bytes.every((byte) => byte < 0x80 || SPANISH.has(byte))

// Á É Í Ñ Ó Ú Ü á é í ñ ó ú ü ª º ° ¿ ¡ ´ · “ ” ‘ ’ – — and a space that does not break
const SPANISH: ReadonlySet<number> = new Set([
  ...[0xc1, 0xc9, 0xcd, 0xd1, 0xd3, 0xda, 0xdc, 0xe1, 0xe9, 0xed, 0xf1, 0xf3, 0xfa, 0xfc],
  ...[0xaa, 0xba, 0xb0, 0xbf, 0xa1, 0xb4, 0xb7, 0x93, 0x94, 0x91, 0x92, 0x96, 0x97, 0xa0],
])

/** To the end of the root, unless something that could be another document follows it. */
function withoutTail(source: Uint8Array, tokens: Tokens, reparaciones: Reparacion[]): Uint8Array | undefined {
  const end = tokens.rootEnd
  if (end === undefined || reparaciones.includes('texto_despues')) return undefined
  const tail = Buffer.from(source.subarray(end)).toString('latin1')
  if (/<(?!!--)/.test(tail)) return undefined
  reparaciones.push('texto_despues')
  return source.subarray(0, end)
}

/** Without the addenda in which reading failed, if there is one place only where it can end. */
function withoutAddenda(source: Uint8Array, tokens: Tokens, reparaciones: Reparacion[]): Uint8Array | undefined {
  const { addenda } = tokens
  if (!addenda || reparaciones.includes('addenda_descartada')) return undefined
  const text = Buffer.from(source.subarray(addenda.from)).toString('latin1')
  const close = `</${addenda.name}`
  const at = text.indexOf(close)
  if (at < 0 || text.indexOf(close, at + 1) >= 0) return undefined
  const end = text.indexOf('>', at)
  if (end < 0 || !/^[ \t\r\n]*$/.test(text.slice(at + close.length, end))) return undefined
  reparaciones.push('addenda_descartada')
  return Buffer.concat([source.subarray(0, addenda.from), source.subarray(addenda.from + end + 1)])
}
