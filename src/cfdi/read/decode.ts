import { isUtf8 } from 'node:buffer'
import { badEncoding } from '../errors.ts'

/**
 * The bytes of an XML document as UTF-8 without its byte-order mark, whatever they came in: by that mark, else by what the
 * declaration says, else UTF-8. Never with replaced characters.
 * @throws AppError cfdi.encoding
 */
export function toUtf8(bytes: Uint8Array): Uint8Array {
  // Not taken apart in one line: that asks an iterator for each of them.
  const a = bytes[0]
  const b = bytes[1]
  const c = bytes[2]
  if (a === 0xef && b === 0xbb && c === 0xbf) return checked(bytes.subarray(3))
  if (a === 0xff && b === 0xfe) return transcoded('utf-16le', bytes)
  if (a === 0xfe && b === 0xff) return transcoded('utf-16be', bytes)
  if (a === 0x3c && b === 0x00) return transcoded('utf-16le', bytes)
  if (a === 0x00 && b === 0x3c) return transcoded('utf-16be', bytes)
  const label = declaredEncoding(bytes)
  const encoding = ENCODINGS.get(label)
  if (!encoding) throw badEncoding(`el archivo dice estar en ${label} y no lo está, o no se admite`)
  return encoding === 'utf-8' ? checked(bytes) : transcoded(encoding, bytes)
}

/** What the XML declaration says, in lower case; `utf-8` where it says nothing. */
export function declaredEncoding(bytes: Uint8Array): string {
  if (bytes[0] === 0x3c && bytes[1] !== 0x3f) return 'utf-8' // no declaration
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 200)).toString('latin1')
  if (head.startsWith(USUAL)) return 'utf-8'
  return DECLARED.exec(head)?.[1]?.toLowerCase() ?? 'utf-8'
}

const USUAL = '<?xml version="1.0" encoding="UTF-8"'
const DECLARED = /^\s{0,100}<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/

// UTF-16 is not here: a file that says so and has neither its mark nor its shape is in something else.
const ENCODINGS: ReadonlyMap<string, string> = new Map([
  ...['utf-8', 'utf8', 'us-ascii', 'ascii'].map((label) => [label, 'utf-8'] as const),
  // What calls itself ISO-8859-1 is windows-1252 in practice, and the same where both are defined.
  ...['iso-8859-1', 'iso8859-1', 'latin1', 'windows-1252', 'cp1252'].map((label) => [label, 'windows-1252'] as const),
  ['iso-8859-15', 'iso-8859-15'],
])

function checked(bytes: Uint8Array): Uint8Array {
  if (!isUtf8(bytes)) throw badEncoding('hay bytes que no son utf-8')
  return bytes
}

function transcoded(encoding: string, bytes: Uint8Array): Uint8Array {
  try {
    return Buffer.from(new TextDecoder(encoding, { fatal: true }).decode(bytes))
  } catch (error) {
    if (error instanceof TypeError) throw badEncoding(`hay bytes que no son ${encoding}`)
    throw error
  }
}
