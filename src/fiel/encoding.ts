import { readDer } from './der.ts'

/**
 * The DER in a file of an e.firma, which people bring as the SAT gave it (DER) or converted (PEM, base64 alone). Always a
 * copy, so that its caller may wipe it; undefined when it is none of the three.
 *
 * Byte by byte: a key that passed through a JavaScript string would lie in the heap until nobody knows when.
 */
export function derOf(file: Buffer, labels: readonly string[]): Buffer | undefined {
  if (isDer(file)) return Buffer.from(file)
  const body = pemBody(file, labels) ?? file
  const der = base64Bytes(body)
  if (der && isDer(der)) return der
  der?.fill(0)
  return undefined
}

export const CERTIFICATE_LABELS = ['CERTIFICATE'] as const
export const KEY_LABELS = ['ENCRYPTED PRIVATE KEY', 'PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'] as const

function isDer(bytes: Buffer): boolean {
  try {
    return bytes[0] === 0x30 && readDer(bytes).content.length > 0
  } catch {
    return false
  }
}

/** What stands between the lines of the first block with one of `labels`, or of the first block. */
function pemBody(file: Buffer, labels: readonly string[]): Buffer | undefined {
  for (const label of [...labels.map((one) => `${one}-----`), '']) {
    const begin = file.indexOf(`-----BEGIN ${label}`)
    if (begin < 0) continue
    const start = file.indexOf('\n', begin)
    const end = file.indexOf('-----END ', begin)
    return start < 0 || end < start ? undefined : file.subarray(start, end)
  }
  return undefined
}

/** Undefined when a byte is neither of the alphabet nor a line break, or what stands there is too short for anything. */
function base64Bytes(text: Buffer): Buffer | undefined {
  const bytes = Buffer.alloc(Math.ceil((text.length * 3) / 4))
  let length = 0
  let bits = 0
  let have = 0
  for (const char of text) {
    if (char === 0x0a || char === 0x0d || char === 0x20 || char === 0x09 || char === 0x3d) continue
    const value = valueOfChar(char)
    if (value < 0) {
      bytes.fill(0)
      return undefined
    }
    bits = ((bits << 6) | value) & 0xffff
    have += 6
    if (have >= 8) {
      have -= 8
      bytes[length++] = (bits >> have) & 0xff
    }
  }
  return bytes.subarray(0, length)
}

function valueOfChar(char: number): number {
  if (char >= 0x41 && char <= 0x5a) return char - 0x41
  if (char >= 0x61 && char <= 0x7a) return char - 0x61 + 26
  if (char >= 0x30 && char <= 0x39) return char - 0x30 + 52
  return char === 0x2b ? 62 : char === 0x2f ? 63 : -1
}
