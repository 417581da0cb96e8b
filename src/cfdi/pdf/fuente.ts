import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What is asked of a font that pdfkit has read. Its types do not tell of it. */
interface Font {
  hasGlyphForCodePoint(codePoint: number): boolean
}

/**
 * Gives a document its two weights, `regular` and `bold`, and tells which characters they have.
 *
 * Noto Sans (SIL Open Font License 1.1): Latin, Greek and Cyrillic, figures of one width. Of a package and never of the
 * system, so that a document looks the same wherever it is printed.
 */
export function useFonts(doc: PDFKit.PDFDocument): (codePoint: number) => boolean {
  const [regular] = FONTS.map((font) => {
    // Read once and not for every document: half of the time of a page went into that.
    doc.registerFont(font.name, (font.read ?? fontFile(font.file)) as Buffer)
    font.read ??= (doc.font(font.name) as unknown as { _font: { font: Font } })._font.font
    return font.read
  })
  return (codePoint) => regular?.hasGlyphForCodePoint(codePoint) ?? false
}

const FONTS: { name: string; file: string; read?: Font }[] = [
  { name: 'regular', file: '400Regular' },
  { name: 'bold', file: '600SemiBold' },
]

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
