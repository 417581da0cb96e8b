import { CSV_BOM, type CsvCell, csvLine } from '../../csv.ts'
import { type Celda, COLUMNAS, celdasDe, type Fila } from './columns.ts'
import { type Format, pagesOf } from './material.ts'

/** UTF-8 with its mark and commas, which is what Excel in Spanish of Mexico opens by itself. */
export const csvFile: Format = {
  extension: 'csv',
  mime: 'text/csv; charset=utf-8',
  bytesPerRow: 900,
  async write(output, material) {
    await output.write(CSV_BOM + csvLine(COLUMNAS.map(({ titulo }) => titulo)))
    for await (const page of pagesOf<Fila>(material, 'todas')) {
      await output.write(page.map((fila) => csvLine(celdasDe(fila).map(toCsv))).join(''))
      await material.advance(page.length)
    }
  },
}

function toCsv(celda: Celda): CsvCell {
  if (celda === null) return null
  if ('texto' in celda) return celda.texto
  if ('importe' in celda) return { decimal: celda.importe }
  if ('tasa' in celda) return { decimal: celda.tasa }
  if ('entero' in celda) return celda.entero
  // With a T Excel keeps it as text; with a space it is a date.
  return celda.fecha.replace('T', ' ')
}
