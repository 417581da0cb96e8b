import { doctype, notXml } from '../errors.ts'

// Walks over the bytes of an XML document, UTF-8 and already known to be valid as such. Each takes where to begin and
// gives back where it ended; what is not well-formed is refused on the spot. `bytes` has a zero behind its `end`, so that
// no loop has to ask whether it has arrived: the zero stops it, as it would any text.

/** Space, tab and line ends. */
export const SPACE = classOf(0x20, 0x09, 0x0a, 0x0d)

/** What may stand in a value and means nothing there. */
export const PLAIN_ASCII = new Uint8Array(256).map((_, byte) =>
  byte < 0x20 || byte >= 0x80 || '"\'<&'.includes(chr(byte)) ? 0 : 1,
)

/** The same and letters beyond ASCII, but for 0xEF, which begins two characters that XML does not permit. */
export const PLAIN = PLAIN_ASCII.map((plain, byte) => (plain === 1 || (byte >= 0x80 && byte !== 0xef) ? 1 : 0))

// Four bytes at once, the first of them lowest. Subtracting the same from each makes the high bit of the first that is below
// it; those above the first may be wrong, because of what it borrows, and are not looked at.

/** Where among four bytes the first is that is not plain: its high bit is the lowest that is set. None is for all plain. */
export const endsPlain = (four: number): number =>
  // below the space, beyond ASCII, one of "#&' and <: the # is let through by who looks closer
  ((four - 0x20202020) |
    four |
    (((four | 0x05050505) ^ 0x27272727) - 0x01010101) |
    ((four ^ 0x3c3c3c3c) - 0x01010101)) &
  ~0x7f7f7f7f

/** The same of what cannot be in a name of ASCII where names usually end: `=`, spaces and what is below, beyond ASCII. */
export const endsName = (four: number): number =>
  (((four ^ 0x3d3d3d3d) - 0x01010101) | (four - 0x21212121) | four) & ~0x7f7f7f7f

/** Which of the four bytes that is, from 0 to 3. */
export const firstOf = (ends: number): number => (31 - Math.clz32(ends & -ends)) >> 3

/** What a name is made of: 1 ASCII, 2 the colon, 3 a byte of something else, which is looked at when it is all read. */
export const NAME = new Uint8Array(256).map((_, byte) =>
  byte >= 0x80 ? 3 : byte === 0x3a ? 2 : /[\w.-]/.test(chr(byte)) ? 1 : 0,
)

export const NAME_START = NAME.map((kind, byte) => (kind !== 0 && !/[\d.:-]/.test(chr(byte)) ? 1 : 0))

export const isName = (text: string): boolean => A_NAME.test(text)

/** Refuses the document, at this byte. Which line that is, is counted only now. */
export function fail(bytes: Uint8Array, at: number, reason: string): never {
  let line = 1
  let column = 1
  for (let i = 0; i < at; i++) {
    const byte = bytes[i]!
    if (byte === 0x0a || (byte === 0x0d && bytes[i + 1] !== 0x0a)) {
      line += 1
      column = 1
    } else if (byte < 0x80 || byte >= 0xc0) column += 1
  }
  throw notXml(reason, { line, column })
}

/** Refuses what stands where it may not: the end of the file, a character that XML does not know, or a misplaced one. */
export function unexpected(bytes: Uint8Array, at: number, end: number): never {
  const byte = bytes[at]!
  if (at >= end) fail(bytes, at, 'está cortado')
  if (isForbidden(byte) || byte === 0xef) fail(bytes, at, NOT_A_CHARACTER)
  if (byte === 0x3c) fail(bytes, at, 'hay un < donde no puede haberlo')
  return fail(bytes, at, 'la sintaxis no es correcta')
}

/** Over the XML declaration, if there is one: nothing may stand before it. `text` has a character for each byte. */
export function skipXmlDeclaration(bytes: Uint8Array, text: string): number {
  if (text.startsWith(USUAL)) return USUAL.length
  if (!text.startsWith('<?xml') || SPACE[bytes[5]!] !== 1) return 0
  DECLARATION.lastIndex = 0
  if (!DECLARATION.test(text)) fail(bytes, 0, 'la declaración XML está mal escrita')
  return DECLARATION.lastIndex
}

const USUAL = '<?xml version="1.0" encoding="UTF-8"?>'
const DECLARATION =
  /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]+"|'1\.[0-9]+')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"[A-Za-z][\w.-]*"|'[A-Za-z][\w.-]*'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>/y

export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (SPACE[bytes[at]!] === 1) at++
  return at
}

/** To the quote that closes a value which is not all plain. */
export function closingQuote(bytes: Uint8Array, from: number, end: number, quote: number): number {
  let at = from
  for (;;) {
    const byte = bytes[at]!
    if (byte === quote) return at
    if (byte === 0x26) at = skipReference(bytes, at)
    else if (byte === 0x3c) fail(bytes, at, 'hay un < en el valor de un atributo')
    else at = skipCharacter(bytes, at, end)
  }
}

/** Over the text inside an element, to the next `<` or the end. */
export function skipText(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  for (;;) {
    const byte = bytes[at]!
    if (byte === 0x3c || at >= end) return at
    if (byte === 0x26) at = skipReference(bytes, at)
    else if (byte === 0x3e && bytes[at - 1] === 0x5d && bytes[at - 2] === 0x5d && at - from >= 2)
      fail(bytes, at, 'hay un ]]> en el texto')
    else at = skipCharacter(bytes, at, end)
  }
}

/** Over what begins with `<!`: a comment, or a CDATA section where there may be text. */
export function skipDeclaration(bytes: Uint8Array, from: number, end: number, inside: boolean): number {
  if (startsWith(bytes, from, '<!--')) return skipComment(bytes, from, end)
  if (inside && startsWith(bytes, from, '<![CDATA[')) return skipTo(bytes, from + 9, end, ']]>')
  if (/^<!doctype$/i.test(String.fromCharCode(...bytes.subarray(from, from + 9)))) throw doctype()
  return unexpected(bytes, Math.min(from + 2, end), end)
}

function skipComment(bytes: Uint8Array, from: number, end: number): number {
  const after = skipTo(bytes, from + 4, end, '--')
  if (bytes[after] !== 0x3e) fail(bytes, after, 'hay un comentario mal escrito')
  return after + 1
}

/** Over a processing instruction. The XML declaration is none: where one may be, it has been read before. */
export function skipInstruction(bytes: Uint8Array, from: number, end: number): number {
  let at = from + 2
  if (NAME_START[bytes[at]!] !== 1) unexpected(bytes, at, end)
  while (NAME[bytes[at]!] !== 0 && bytes[at] !== 0x3a) at++
  const target = Buffer.from(bytes.subarray(from + 2, at)).toString('utf8')
  if (!isName(target)) fail(bytes, from, 'hay una instrucción con un nombre que XML no permite')
  if (target.toLowerCase() === 'xml') fail(bytes, from, 'la declaración XML no está al principio')
  if (SPACE[bytes[at]!] !== 1 && !startsWith(bytes, at, '?>')) unexpected(bytes, at, end)
  return skipTo(bytes, at, end, '?>')
}

export function startsWith(bytes: Uint8Array, at: number, ascii: string): boolean {
  for (let i = 0; i < ascii.length; i++) if (bytes[at + i] !== ascii.charCodeAt(i)) return false
  return true
}

/** Over everything up to and with these characters. */
function skipTo(bytes: Uint8Array, from: number, end: number, ascii: string): number {
  const first = ascii.charCodeAt(0)
  let at = from
  for (;;) {
    if (bytes[at] === first && startsWith(bytes, at, ascii)) return at + ascii.length
    at = skipCharacter(bytes, at, end)
  }
}

/** Over one byte that means nothing, if XML permits the character it begins. */
function skipCharacter(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at]!
  if (byte < 0x20 && SPACE[byte] === 0) unexpected(bytes, at, end)
  // U+FFFE and U+FFFF
  if (byte === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2]! >= 0xbe) unexpected(bytes, at, end)
  return at + 1
}

/** Over `&…;`: one of the five entities that XML has, or the number of a character that it permits. */
function skipReference(bytes: Uint8Array, from: number): number {
  if (bytes[from + 1] !== 0x23) {
    const entity = ENTITIES.find((one) => startsWith(bytes, from, one))
    if (!entity) fail(bytes, from, 'hay un & suelto o una entidad que no está definida')
    return from + entity.length
  }
  const hex = bytes[from + 2] === 0x78
  const base = hex ? 16 : 10
  const first = from + (hex ? 3 : 2)
  let at = first
  let code = 0
  for (let digit = digitOf(bytes[at]!); digit < base; digit = digitOf(bytes[++at]!))
    code = Math.min(code * base + digit, 0x110000)
  if (at === first || bytes[at] !== 0x3b) fail(bytes, from, 'hay una referencia a un carácter mal escrita')
  if (!isCharacter(code)) fail(bytes, from, NOT_A_CHARACTER)
  return at + 1
}

const NOT_A_CHARACTER = 'hay un carácter que XML no permite'

const ENTITIES = ['&amp;', '&quot;', '&lt;', '&gt;', '&apos;']

const digitOf = (byte: number): number => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 99
}

const isForbidden = (byte: number): boolean => byte < 0x20 && SPACE[byte] === 0

const isCharacter = (code: number): boolean =>
  code < 0x20
    ? code === 9 || code === 10 || code === 13
    : code < 0xd800 || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)

function classOf(...bytes: number[]): Uint8Array {
  const table = new Uint8Array(256)
  for (const byte of bytes) table[byte] = 1
  return table
}

function chr(byte: number): string {
  return String.fromCharCode(byte)
}

// NCName of XML 1.0, fifth edition: a name without a colon.
const START =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}'
const A_NAME = new RegExp(`^[${START}][-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040${START}]*$`, 'u')
