import type { Celda } from './columns.ts'

/**
 * The parts of a workbook (ECMA-376) as text. Cells are typed: numbers are numbers with the decimals they have, dates are
 * dates of no zone, and everything else is a string, which no spreadsheet computes.
 */

/** Styles of the workbook, by their place in `cellXfs` of `STYLES`; those of what was cancelled follow in the same order. */
const STYLE = {
  general: 0,
  text: 1,
  guarded: 2,
  money: 3,
  rate: 4,
  integer: 5,
  date: 6,
  header: 14,
  total: 15,
  totalMoney: 16,
}
const CANCELLED = 7

export function rowXml(row: number, cells: readonly Celda[], { cancelled = false } = {}): string {
  let xml = `<row r="${row}">`
  for (const [column, cell] of cells.entries())
    if (cell !== null) xml += cellXml(columnName(column) + row, cell, cancelled ? CANCELLED : 0)
  return `${xml}</row>`
}

/** Titles, and other rows of our own words. */
export function headerXml(row: number, titles: readonly string[]): string {
  const cells = titles.map((title, column) => stringXml(columnName(column) + row, title, STYLE.header))
  return `<row r="${row}">${cells.join('')}</row>`
}

/** A sum below a table: words in its first cell, amounts where there are any. */
export function totalXml(row: number, words: string, amounts: readonly (string | undefined)[]): string {
  const cells = amounts.map((amount, column) => {
    const at = columnName(column) + row
    if (column === 0) return stringXml(at, words, STYLE.total)
    return amount === undefined ? '' : `<c r="${at}" s="${STYLE.totalMoney}"><v>${amount}</v></c>`
  })
  return `<row r="${row}">${cells.join('')}</row>`
}

export interface Sheet {
  readonly name: string
  readonly widths: readonly number[]
  readonly frozenRows: number
  /** What the arrows of its header narrow; the header is its first row. */
  readonly table?: Table
}

export interface Table {
  readonly columns: number
  readonly lastRow: number
}

export function sheetStart({ widths, frozenRows }: Sheet): string {
  const cols = widths.map((width, n) => `<col min="${n + 1}" max="${n + 1}" width="${width}" customWidth="1"/>`)
  const pane = `<pane ySplit="${frozenRows}" topLeftCell="A${frozenRows + 1}" activePane="bottomLeft" state="frozen"/>`
  return `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0">${frozenRows > 0 ? pane : ''}</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>${cols.join('')}</cols><sheetData>`
}

export function sheetEnd(table?: Table): string {
  const filter = table ? `<autoFilter ref="A1:${columnName(table.columns - 1)}${table.lastRow}"/>` : ''
  return `</sheetData>${filter}<pageMargins left="0.5" right="0.5" top="0.75" bottom="0.75" header="0.3" footer="0.3"/></worksheet>`
}

/** Everything of a workbook but its sheets, by the names of its parts. */
export function workbookParts(sheets: readonly Sheet[], created: string): [name: string, xml: string][] {
  const ids = sheets.map((_, n) => n + 1)
  return [
    [
      '[Content_Types].xml',
      `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>${ids.map((id) => `<Override PartName="/xl/worksheets/sheet${id}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`).join('')}<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`,
    ],
    [
      '_rels/.rels',
      `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/><Relationship Id="rId2" Type="${PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`,
    ],
    [
      'docProps/core.xml',
      `${XML}<cp:coreProperties xmlns:cp="${PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:creator>Horux360</dc:creator><dcterms:created xsi:type="dcterms:W3CDTF">${created}</dcterms:created></cp:coreProperties>`,
    ],
    [
      'xl/workbook.xml',
      `${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><bookViews><workbookView/></bookViews><sheets>${sheets.map(({ name }, n) => `<sheet name="${escaped(name)}" sheetId="${n + 1}" r:id="rId${n + 1}"/>`).join('')}</sheets>${tableNames(sheets)}</workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      `${XML}<Relationships xmlns="${PACKAGE}/relationships">${ids.map((id) => `<Relationship Id="rId${id}" Type="${OFFICE}/worksheet" Target="worksheets/sheet${id}.xml"/>`).join('')}<Relationship Id="rId${ids.length + 1}" Type="${OFFICE}/styles" Target="styles.xml"/></Relationships>`,
    ],
    ['xl/styles.xml', STYLES],
  ]
}

/** Excel looks for the range of a filter by this name too. */
function tableNames(sheets: readonly Sheet[]): string {
  const names = sheets.flatMap(({ name, table }, n) =>
    table
      ? `<definedName name="_xlnm._FilterDatabase" localSheetId="${n}" hidden="1">'${escaped(name)}'!$A$1:$${columnName(table.columns - 1)}$${table.lastRow}</definedName>`
      : [],
  )
  return names.length > 0 ? `<definedNames>${names.join('')}</definedNames>` : ''
}

function cellXml(at: string, cell: NonNullable<Celda>, shift: number): string {
  if ('texto' in cell) return stringXml(at, cell.texto, (isGuarded(cell.texto) ? STYLE.guarded : STYLE.text) + shift)
  if ('importe' in cell) return numberXml(at, cell.importe, STYLE.money + shift)
  if ('tasa' in cell) return numberXml(at, cell.tasa, STYLE.rate + shift)
  if ('entero' in cell) return numberXml(at, `${cell.entero}`, STYLE.integer + shift)
  return numberXml(at, serialOf(cell.fecha), STYLE.date + shift)
}

const numberXml = (at: string, number: string, style: number) => `<c r="${at}" s="${style}"><v>${number}</v></c>`

const stringXml = (at: string, text: string, style: number) =>
  `<c r="${at}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(shown(text))}</t></is></c>`

/** A, B, … Z, AA, as spreadsheets count columns; from 0. */
export function columnName(column: number): string {
  const known = names[column]
  if (known !== undefined) return known
  const name = (column >= 26 ? columnName(Math.floor(column / 26) - 1) : '') + String.fromCharCode(65 + (column % 26))
  names[column] = name
  return name
}
const names: string[] = []

/**
 * Days since 30 December 1899 with the time as a fraction: what a spreadsheet has for a date. Counted from the text; the
 * UTC here is only the calendar, and no zone can move it.
 */
export function serialOf(fecha: string): string {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = fecha.split(/\D/).map(Number)
  const days = Date.UTC(year, month - 1, day) / 86_400_000 + 25_569
  const seconds = hour * 3600 + minute * 60 + second
  // Eleven places tell seconds apart with room to spare.
  return seconds === 0 ? `${days}` : `${days}${(seconds / 86_400).toFixed(11).slice(1)}`
}

/**
 * A string is not computed, but somebody who edits the cell, or saves the sheet as CSV, makes a formula of it: such a cell
 * is marked as if it had been typed with an apostrophe (`quotePrefix`), which changes nothing of what it says.
 */
const isGuarded = (text: string) => FORMULA.test(text)
const FORMULA = /^[\s"'\p{Cc}\p{Cf}]*[=+\-@|%\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b]/u

/** What XML 1.0 cannot hold, and marks that make a text read as another; no longer than a cell may be. */
function shown(text: string): string {
  const clean = text.toWellFormed().replace(/\r\n?/g, '\n').replace(UNSHOWN, '\ufffd')
  return clean.length > MOST_CHARACTERS ? `${clean.slice(0, MOST_CHARACTERS - 1).toWellFormed()}…` : clean
}
const UNSHOWN = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]/gu
const MOST_CHARACTERS = 32_767

/** `_x000D_` in a cell is read as a carriage return: an underscore that begins such a word is written as one itself. */
const escaped = (text: string) =>
  text.replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_').replace(/[&<>"]/g, (character) => ENTITIES[character] as string)
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'

const xf = (numFmt: number, font: number, more = '') =>
  `<xf numFmtId="${numFmt}" fontId="${font}" fillId="${font === 2 ? 2 : 0}" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"${font === 2 ? ' applyFill="1"' : ''}${more}/>`

/** General, text, text that looks like a formula, money, rate, integer, date. */
const ofFont = (font: number) =>
  [
    xf(0, font),
    xf(49, font),
    xf(49, font, ' quotePrefix="1"'),
    xf(4, font),
    xf(164, font),
    xf(3, font),
    xf(165, font),
  ].join('')

const STYLES = `${XML}<styleSheet xmlns="${MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="#,##0.00####"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="3"><font><sz val="10"/><name val="Calibri"/><family val="2"/></font><font><strike/><sz val="10"/><color rgb="FF9C0006"/><name val="Calibri"/><family val="2"/></font><font><b/><sz val="10"/><name val="Calibri"/><family val="2"/></font></fonts><fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFE7EEF7"/><bgColor indexed="64"/></patternFill></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="17">${ofFont(0)}${ofFont(1)}${xf(49, 2)}${xf(49, 2)}${xf(4, 2)}</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
