import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What is asked of a font that pdfkit has read. Its types do not tell of it. */
interface Font {
  readonly unitsPerEm: number
  hasGlyphForCodePoint(codePoint: number): boolean
  glyphForCodePoint(codePoint: number): { readonly advanceWidth: number }
}

/** One weight, as far as a line of text has to know it. */
export interface Peso {
  has(codePoint: number): boolean
  /** Of one character, as a part of the size. */
  widthOf(letter: string): number
}

/**
 * Gives a document its two weights, `regular` and `bold`.
 *
 * Noto Sans (SIL Open Font License 1.1): Latin, Greek and Cyrillic, figures of one width. Of a package and never of the
 * system, so that a document looks the same wherever it is printed.
 */
export function useFonts(doc: PDFKit.PDFDocument): { regular: Peso; bold: Peso } {
  return { regular: use(doc, FONTS.regular), bold: use(doc, FONTS.bold) }
}

interface Weight {
  readonly name: 'regular' | 'bold'
  readonly file: string
  /** As pdfkit has read it. */
  font?: Font
  readonly widths: Map<string, number>
}

const FONTS: Record<'regular' | 'bold', Weight> = {
  regular: { name: 'regular', file: '400Regular', widths: new Map() },
  bold: { name: 'bold', file: '600SemiBold', widths: new Map() },
}

function use(doc: PDFKit.PDFDocument, weight: Weight): Peso {
  // Read once and not for every document: half of the time of a page went into that.
  doc.registerFont(weight.name, (weight.font ?? fontFile(weight.file)) as Buffer)
  // Also where it is known already: fonts are numbered as they are first used, and the bytes tell.
  const { _font } = doc.font(weight.name) as unknown as { _font: { font: Font } }
  weight.font = _font.font
  const { font, widths } = weight
  return {
    has: (codePoint) => font.hasGlyphForCodePoint(codePoint),
    widthOf(letter) {
      let width = widths.get(letter)
      if (width === undefined) {
        width = font.glyphForCodePoint(letter.codePointAt(0) as number).advanceWidth / font.unitsPerEm
        widths.set(letter, width)
      }
      return width
    },
  }
}

function fontFile(name: string): Buffer {
  const address = import.meta.resolve(`@expo-google-fonts/noto-sans/${name}/NotoSans_${name}.ttf`)
  return withoutShaping(readFileSync(fileURLToPath(address)))
}

/**
 * Without the tables that move and join letters for the sake of looks: reading them took nine tenths of the time of a
 * page, and what they are for (Devanagari, small capitals) no CFDI needs. Texts are composed (NFC) before they are drawn.
 */
function withoutShaping(font: Buffer): Buffer {
  const count = font.readUInt16BE(4)
  const records = Array.from({ length: count }, (_, n) => font.subarray(12 + n * 16, 28 + n * 16))
  const kept = records.filter((record) => !['GSUB', 'GPOS', 'GDEF'].includes(record.toString('latin1', 0, 4)))
  const header = Buffer.from(font.subarray(0, 12))
  header.writeUInt16BE(kept.length, 4)
  // Offsets are counted from the beginning of the file: the data stays where it is.
  const directory = Buffer.concat([header, ...kept])
  return Buffer.concat([directory, font.subarray(directory.length)])
}
