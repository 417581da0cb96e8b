import { formatCentavos, parseCentavos } from '../../fiscal/money.ts'
import { queryOf } from '../find/address.ts'
import type { Grupo } from '../find/totals-queries.ts'
import { type Celda, COLUMNAS, celdasDe, type Fila, SUMABLES, type Sumable, tipoEnPalabras } from './columns.ts'
import { type Format, type Material, pagesOf } from './material.ts'
import type { Output } from './output.ts'
import { headerXml, rowXml, type Sheet, sheetEnd, sheetStart, totalXml, workbookParts } from './xlsx-xml.ts'
import { createZip, type Member, pack, type ZipWriter } from './zip-writer.ts'

/**
 * A workbook written row by row, in the memory of one page: the documents on as many sheets as they need, and what they
 * add up to. Our own writer (ADR 0017): a workbook is six small parts and the rows.
 */
export const xlsxFile: Format = {
  extension: 'xlsx',
  mime: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  bytesPerRow: 450,
  write: (output, material) => writeWorkbook(output, material),
}

export async function writeWorkbook(output: Output, material: Material, mostRows = MOST_ROWS): Promise<void> {
  const zip = createZip(output, await material.scratch())
  const sheets: Sheet[] = []
  let sheet: OpenSheet | undefined
  for await (const page of pagesOf<Fila>(material, 'todas')) {
    for (let rest = page; rest.length > 0; ) {
      sheet ??= await openSheet(zip, material.corte, sheets)
      const fitting = rest.slice(0, mostRows - (sheet.rows - 1))
      await sheet.member.write(fitting.map((fila, n) => rowOf(fila, sheet!.rows + n + 1)).join(''))
      sheet.rows += fitting.length
      rest = rest.slice(fitting.length)
      if (sheet.rows - 1 >= mostRows || sheet.member.bytes > MOST_SHEET_BYTES) {
        sheets.push(await closeSheet(sheet, []))
        sheet = undefined
      }
    }
    await material.advance(page.length)
  }
  if (!sheet && sheets.length === 0) sheet = await openSheet(zip, material.corte, sheets)
  if (sheet) sheets.push(await closeSheet(sheet, totalsOf(material.grupos)))
  await writeSummary(zip, material, sheets)
  for (const [name, xml] of workbookParts(sheets, `${material.corte}-06:00`))
    await zip.add(name, material.corte, await pack(Buffer.from(xml)))
  await zip.end()
}

/** A sheet has 1,048,576 rows; the rest is for header, sums, and what people add. */
const MOST_ROWS = 1_000_000
/** Of one part before it is packed: see MOST_BYTES of the archive, less a page of the longest rows. */
const MOST_SHEET_BYTES = 3_900_000_000

interface OpenSheet {
  readonly member: Member
  readonly sheet: Sheet
  /** Written so far, the header among them. */
  rows: number
}

async function openSheet(zip: ZipWriter, corte: string, sheets: Sheet[]): Promise<OpenSheet> {
  const name = sheets.length === 0 ? 'CFDI' : `CFDI ${sheets.length + 1}`
  const sheet = { name, widths: COLUMNAS.map(({ ancho }) => ancho), frozenRows: 1 }
  const member = await zip.begin(`xl/worksheets/sheet${sheets.length + 1}.xml`, corte)
  const titles = COLUMNAS.map(({ titulo }) => titulo)
  await member.write(sheetStart(sheet) + headerXml(1, titles))
  return { member, sheet, rows: 1 }
}

async function closeSheet({ member, sheet, rows }: OpenSheet, totals: readonly Total[]): Promise<Sheet> {
  // A row is left free: sorting the table does not take the sums along.
  const sums = totals.map(({ words, of }, n) =>
    totalXml(
      rows + 2 + n,
      words,
      COLUMNAS.map(({ suma }) => suma && of(suma)),
    ),
  )
  const table = { columns: COLUMNAS.length, lastRow: rows }
  await member.write(sums.join('') + sheetEnd(table))
  await member.end()
  return { ...sheet, table }
}

const rowOf = (fila: Fila, row: number): string =>
  rowXml(row, celdasDe(fila), { cancelled: fila.estado === 'cancelado' })

interface Total {
  readonly words: string
  of(name: Sumable): string
}

/** Sums in pesos, of all that is shown; by direction and type they stand in the summary. */
function totalsOf(grupos: readonly Grupo[]): Total[] {
  const sum = (words: string, of: readonly Grupo[]): Total[] => {
    const n = of.reduce((count, grupo) => count + grupo.cfdis, 0)
    return n === 0 ? [] : [{ words: `${words} (${n})`, of: (name) => sumOf(of, name) }]
  }
  const vigentes = grupos.filter(({ estado }) => estado === 'vigente')
  const cancelados = grupos.filter(({ estado }) => estado === 'cancelado')
  return [...sum('Suma de vigentes, en pesos', vigentes), ...sum('Suma de cancelados, en pesos', cancelados)]
}

const sumOf = (grupos: readonly Grupo[], name: Sumable): string =>
  formatCentavos(grupos.reduce((total, grupo) => total + parseCentavos(grupo[name]), 0n))

async function writeSummary(
  zip: ZipWriter,
  { rfc, corte, consulta, grupos }: Material,
  sheets: Sheet[],
): Promise<void> {
  const sheet = { name: 'Resumen', widths: [12, 16, 12, 12, ...SUMABLES.map(() => 18)], frozenRows: 0 }
  const about: [string, string][] = [
    ['RFC', rfc],
    ['Corte', corte.replace('T', ' ')],
    ['Filtro', queryOf(consulta.filtro, consulta.orden) || 'Todos los CFDI'],
  ]
  const rows = about.map(([what, value], n) => rowXml(n + 1, [{ texto: what }, { texto: value }]))
  const titles = ['Dirección', 'Tipo', 'Estado', 'CFDI', ...SUMABLES.map((name) => TITLES[name])]
  rows.push(headerXml(about.length + 2, titles))
  for (const [n, grupo] of grupos.entries())
    rows.push(rowXml(about.length + 3 + n, cellsOf(grupo), { cancelled: grupo.estado === 'cancelado' }))
  sheets.push(sheet)
  const xml = sheetStart(sheet) + rows.join('') + sheetEnd()
  await zip.add(`xl/worksheets/sheet${sheets.length}.xml`, corte, await pack(Buffer.from(xml)))
}

const cellsOf = (grupo: Grupo): Celda[] => [
  { texto: grupo.cuentaTerceros ? 'Por terceros' : grupo.direccion === 'emitido' ? 'Emitido' : 'Recibido' },
  { texto: tipoEnPalabras(grupo.tipo) },
  { texto: grupo.estado === 'vigente' ? 'Vigente' : 'Cancelado' },
  { entero: grupo.cfdis },
  ...SUMABLES.map((name) => ({ importe: grupo[name] })),
]

const TITLES = Object.fromEntries(COLUMNAS.flatMap(({ titulo, suma }) => (suma ? [[suma, titulo]] : []))) as Readonly<
  Record<Sumable, string>
>
