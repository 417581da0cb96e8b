import { rmSync } from 'node:fs'
import { createOutput } from '../../src/cfdi/exports/output.ts'
import { createZip, pack } from '../../src/cfdi/exports/zip-writer.ts'
import { cfdiFiles, uuidOf } from './cfdi-files.ts'

/**
 * Writes a package of so many small CFDI, about two kilobytes each: the shortest that a company gets, a sale without
 * certificate and seals. In the memory of one.
 */
export async function writeLargePackage(file: string, count: number): Promise<void> {
  const output = await createOutput(file)
  const index = await createOutput(`${file}.indice`)
  const zip = createZip(output, index)
  const { xml } = cfdiFiles(1).next().value ?? { xml: '' }
  const known = uuidOf('año', 0)
  const short = xml.replaceAll(/ (Certificado|Sello|SelloCFD|SelloSAT)="[^"]*"/g, ' $1="x"')
  for (let n = 0; n < count; n++) {
    const uuid = uuidOf('grande', n)
    const day = `2026-${String((n % 12) + 1).padStart(2, '0')}-${String((n % 28) + 1).padStart(2, '0')}`
    const own = short
      .replaceAll(known.toUpperCase(), uuid.toUpperCase())
      .replace(/ Folio="[^"]*"/, ` Folio="${n}"`)
      .replaceAll(/(?<= Fecha(?:Timbrado)?=")\d{4}-\d\d-\d\d/g, day)
    await zip.add(`${uuid}.xml`, `${day}T00:00:00`, await pack(Buffer.from(own)))
  }
  await zip.end()
  await output.sync()
  await output.close()
  await index.close()
  rmSync(`${file}.indice`)
}
