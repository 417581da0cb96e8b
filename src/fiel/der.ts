/** One element of DER: what it is and where its content lies. Nothing is copied. */
export interface Der {
  readonly tag: number
  readonly content: Buffer
  /** The element with its tag and length. */
  readonly whole: Buffer
}

/** The bytes are not DER, or not what was expected there. */
export class DerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DerError'
  }
}

export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  bmpString: 0x1e,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The first element of `bytes`; what follows it is none of it. @throws DerError */
export function readDer(bytes: Buffer, tag?: number): Der {
  const [first = -1, length = -1] = bytes
  // Tags of several bytes and lengths without an end exist in BER; nothing that we read has them.
  if (first < 0 || length < 0 || (first & 0x1f) === 0x1f || length === 0x80 || length > 0x84)
    throw new DerError('not DER')
  const more = length < 0x80 ? 0 : length - 0x80
  const start = 2 + more
  if (bytes.length < start) throw new DerError('cut short')
  const size = more === 0 ? length : bytes.readUIntBE(2, more)
  if (bytes.length < start + size) throw new DerError('cut short')
  if (tag !== undefined && first !== tag) throw new DerError(`tag ${first} where ${tag} was expected`)
  return { tag: first, content: bytes.subarray(start, start + size), whole: bytes.subarray(0, start + size) }
}

/** The elements that one consists of, in order. @throws DerError */
export function childrenOf({ content }: Der): Der[] {
  const children: Der[] = []
  for (let rest = content; rest.length > 0; ) {
    const child = readDer(rest)
    children.push(child)
    rest = rest.subarray(child.whole.length)
  }
  return children
}

/** An element that must be there. @throws DerError */
export function demand(element: Der | undefined, tag?: number): Der {
  if (!element || (tag !== undefined && element.tag !== tag)) throw new DerError('an element is missing')
  return element
}

/** An object identifier in dots: `2.5.4.45`. @throws DerError */
export function oidOf(element: Der | undefined): string {
  const { content } = demand(element, TAG.oid)
  const arcs: number[] = []
  let arc = 0
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER / 256) throw new DerError('an arc too long')
    if (byte & 0x80) continue
    arcs.push(arc)
    arc = 0
  }
  const [first = 0, ...others] = arcs
  return [Math.min(2, Math.floor(first / 40)), first - 40 * Math.min(2, Math.floor(first / 40)), ...others].join('.')
}

/** A whole number that is not negative. @throws DerError */
export function integerOf(element: Der | undefined): bigint {
  const { content } = demand(element, TAG.integer)
  if (content.length === 0 || ((content[0] as number) & 0x80) !== 0) throw new DerError('not a positive integer')
  return BigInt(`0x${content.toString('hex')}`)
}

/**
 * The text of a string of any kind. Its tag is not believed: the SAT issued certificates whose PrintableString holds
 * UTF-8, and older ones write Ñ as Latin-1. Bytes that are valid UTF-8 are that; no name in Latin-1 happens to be.
 */
export function textOf({ tag, content }: Der): string {
  if (tag === TAG.bmpString)
    return content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : content.toString('latin1')
  try {
    return utf8.decode(content)
  } catch {
    return content.toString('latin1')
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTCTime or GeneralizedTime in UTC with seconds, the only forms RFC 5280 allows. @throws DerError */
export function timeOf(element: Der | undefined): Date {
  const { tag, content } = demand(element)
  const text = content.toString('latin1')
  const [, digits] = /^(\d+)Z$/.exec(text) ?? []
  const full =
    tag === TAG.utcTime && digits?.length === 12
      ? `${Number(digits.slice(0, 2)) < 50 ? '20' : '19'}${digits}`
      : tag === TAG.generalizedTime && digits?.length === 14
        ? digits
        : undefined
  const iso = full?.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z')
  const time = new Date(iso ?? Number.NaN)
  if (Number.isNaN(time.getTime())) throw new DerError('not a time')
  return time
}
