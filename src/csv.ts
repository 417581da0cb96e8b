/**
 * One line of a CSV (RFC 4180) that a spreadsheet opens: comma, CRLF, quotes where they are needed. Texts come from
 * anybody; what a spreadsheet would take for a formula gets an apostrophe in front (ASVS 1.2.10). Numbers of ours go as
 * `bigint`, `number` or `{ decimal }`, and stay numbers when they are negative.
 */
export const csvLine = (cells: readonly CsvCell[]): string => `${cells.map(csvCell).join(',')}\r\n`

export type CsvCell = string | bigint | number | boolean | null | undefined | { readonly decimal: string }

/** In front of the file: Excel takes a CSV without it for Windows-1252. */
export const CSV_BOM = '\ufeff'

/**
 * A text of anybody as a spreadsheet may show it: one line, well formed, without control characters or marks that turn
 * the direction of writing, and no formula.
 */
export function csvText(text: string): string {
  const line = text.toWellFormed().replace(BREAKS, ' ').replace(MISLEADING, '\ufffd')
  return FORMULA.test(line) ? `'${line}` : line
}

function csvCell(cell: CsvCell): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'string') return quoted(csvText(cell))
  if (typeof cell === 'boolean') return cell ? 'sí' : 'no'
  if (typeof cell !== 'object') return `${cell}`
  if (!DECIMAL.test(cell.decimal)) throw new RangeError('no decimal of ours')
  return cell.decimal
}

const quoted = (text: string) => (/[",;]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const BREAKS = /\r\n|[\n\r\t\v\f\u0085\u2028\u2029]/g
const MISLEADING = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/gu
// Spaces and quotes in front do not stop every spreadsheet, nor does the full width of a sign; what was a control
// character is a replacement by now.
const FORMULA = /^[\s"'\ufffd\u00a0\u3000]*[=+\-@|%\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b]/
const DECIMAL = /^-?\d+(\.\d+)?$/
