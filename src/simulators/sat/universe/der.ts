/** Writes ASN.1 as DER: what a certificate and a private key consist of, and nothing more. */
export const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts))
export const set = (...parts: readonly Buffer[]): Buffer => tagged(0x31, Buffer.concat(parts))
export const octets = (bytes: Buffer): Buffer => tagged(0x04, bytes)
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text))
export const printable = (text: string): Buffer => tagged(0x13, Buffer.from(text, 'latin1'))
export const ia5 = (text: string): Buffer => tagged(0x16, Buffer.from(text, 'latin1'))
export const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]))
export const nil = (): Buffer => tagged(0x05, Buffer.alloc(0))
export const explicit = (n: number, content: Buffer): Buffer => tagged(0xa0 + n, content)

/** Whole bytes; `unused` are the bits at the end that say nothing. */
export const bits = (bytes: Buffer, unused = 0): Buffer => tagged(0x03, Buffer.concat([Buffer.from([unused]), bytes]))

/** Zero or more. */
export function integer(value: Buffer | number | bigint): Buffer {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(evenHex(BigInt(value).toString(16)), 'hex')
  // The first bit is the sign.
  return tagged(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** `YYYY-MM-DDTHH:MM:SSZ`. From 2050 on a certificate writes four digits of the year. */
export function time(instant: string): Buffer {
  const digits = instant.replace(/[-:TZ]/g, '')
  return instant < '2050' ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`)) : tagged(0x18, Buffer.from(`${digits}Z`))
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const size = Buffer.from(evenHex(length.toString(16)), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 + size.length]), size, content])
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}

const evenHex = (hex: string): string => (hex.length % 2 ? `0${hex}` : hex)
