import { csvFile } from './csv-file.ts'
import type { Format } from './material.ts'
import { openPdf } from './pdf-contents.ts'
import type { Formato } from './queries.ts'
import { xlsxFile } from './xlsx-file.ts'
import { openXml, zipFile } from './zip-file.ts'

/** How each format is written. */
export const formats: Readonly<Record<Formato, Format>> = {
  csv: csvFile,
  xlsx: xlsxFile,
  zip_xml: zipFile(openXml, 2_500),
  zip_pdf: zipFile(openPdf, 60_000),
}
