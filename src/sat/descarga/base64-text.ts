/** Reads base64 as it stands in XML, piece by piece: pieces may be cut anywhere. */
export interface Base64Text {
  /**
   * Writes what `text` says to `out` from `at` on, which needs three bytes of room for every four of `text`, and three more.
   * @returns how many bytes
   * @throws NotBase64
   */
  write(text: Buffer, out: Buffer, at: number): number
  /** @throws NotBase64 when it was cut */
  end(): void
}

/** Cut, or no base64 at all. */
export class NotBase64 extends Error {}

/**
 * Strict where Node's own decoder is not: that one drops what it does not know, takes the letters of another alphabet, and
 * ends at the first `=`. White space and references to it (`&#xD;`) are what serialisers put between lines.
 */
export function createBase64Text(): Base64Text {
  /** Less than four characters, or a reference that is not whole. */
  let rest = ''
  let padded = false

  return {
    write(bytes, out, at) {
      let text = rest + bytes.toString('latin1')
      rest = ''
      if (text.includes('&')) {
        const open = unfinishedReference(text)
        rest = text.slice(open)
        text = text.slice(0, open).replace(REFERENCE, characterOf)
      }
      if (SPACE.test(text)) text = text.replace(SPACES, '')
      if (text === '') return 0
      if (padded) throw new NotBase64('something after its end')
      const whole = text.length - (text.length % 4)
      // A reference is never in the middle of these: it stands behind them.
      rest = text.slice(whole) + rest
      return whole === 0 ? 0 : decode(text.slice(0, whole), out, at)
    },
    end() {
      if (rest !== '') throw new NotBase64('it is cut')
    },
  }

  function decode(text: string, out: Buffer, at: number): number {
    let padding = 0
    const equals = text.indexOf('=')
    if (equals !== -1) {
      padding = text.length - equals
      if (padding > 2 || !text.endsWith('='.repeat(padding))) throw new NotBase64('an = in the middle')
      padded = true
    }
    const expected = (text.length / 4) * 3 - padding
    // What it does not know it leaves out, so that there are fewer.
    if (out.write(text, at, 'base64') !== expected || OTHER_ALPHABET.test(text))
      throw new NotBase64('characters that are none of base64')
    return expected
  }
}

const SPACE = /[\t\n\r ]/
const SPACES = /[\t\n\r ]+/g
const REFERENCE = /&#(x[\da-f]{1,6}|\d{1,7});/gi
const OTHER_ALPHABET = /[-_]/

/** Where a reference begins that has not ended yet; the length of `text` when there is none. */
function unfinishedReference(text: string): number {
  const last = text.lastIndexOf('&')
  return text.length - last <= LONGEST_REFERENCE && !text.includes(';', last) ? last : text.length
}

const LONGEST_REFERENCE = 10

/** Of another character than those of ASCII there is no use here: it stays, and is refused. */
function characterOf(reference: string, number: string): string {
  const code = /^x/i.test(number) ? Number.parseInt(number.slice(1), 16) : Number.parseInt(number, 10)
  return code > 0 && code < 0x80 ? String.fromCharCode(code) : reference
}
