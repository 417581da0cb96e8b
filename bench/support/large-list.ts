import { rmSync } from 'node:fs'
import { createOutput } from '../../src/cfdi/exports/output.ts'
import { createZip } from '../../src/cfdi/exports/zip-writer.ts'
import { METADATA_HEADER, metadataRow } from '../../test/support/sat-metadata.ts'
import { RFC, uuidOf } from './cfdi-files.ts'

/**
 * Writes a metadata package of so many issued CFDI, as the SAT would: one list, a few hundred customers, one in thirty
 * cancelled. In the memory of a few rows.
 */
export async function writeLargeList(file: string, count: number): Promise<void> {
  const output = await createOutput(file)
  const index = await createOutput(`${file}.indice`)
  const zip = createZip(output, index)
  const list = await zip.begin('lista_01.txt', '2026-01-01T00:00:00')
  let lines = [METADATA_HEADER]
  for (let n = 0; n < count; n++) {
    lines.push(rowOf(n))
    if (lines.length < 1_000) continue
    await list.write(`${lines.join('\r\n')}\r\n`)
    lines = []
  }
  if (lines.length > 0) await list.write(`${lines.join('\r\n')}\r\n`)
  await list.end()
  await zip.end()
  await output.sync()
  await output.close()
  await index.close()
  rmSync(`${file}.indice`)
}

function rowOf(n: number): string {
  const customer = n % 400
  const day = `2025-${two((n % 12) + 1)}-${two((n % 28) + 1)}`
  const time = `${two(n % 24)}:${two(n % 60)}:${two((n * 7) % 60)}`
  const isCancelled = n % 30 === 0
  return metadataRow({
    uuid: uuidOf('lista', n).toUpperCase(),
    rfcEmisor: RFC,
    rfcReceptor: `CLI${two(customer % 90)}0101${String.fromCharCode(65 + (customer % 26))}${two(customer % 100)}`,
    nombreReceptor: `COMERCIALIZADORA DEL NORTE Nº ${customer}`,
    fechaEmision: `${day} ${time}`,
    fechaCertificacion: `${day} ${time}`,
    monto: `${100 + ((n * 37) % 90_000)}.${two(n % 100)}`,
    estatus: isCancelled ? '0' : '1',
    fechaCancelacion: isCancelled ? `${day} ${time}` : '',
  })
}

const two = (n: number) => String(n).padStart(2, '0')
