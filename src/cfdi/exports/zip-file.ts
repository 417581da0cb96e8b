import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { CSV_BOM, csvLine } from '../../csv.ts'
import { AppError } from '../../errors.ts'
import { type Format, type Material, pagesOf } from './material.ts'
import type { Output } from './output.ts'
import { type FilaEsencial, findContents, findSizes, type XmlGuardado } from './rows-queries.ts'
import { createZip, MOST_BYTES, type Packed, pack, SMALL } from './zip-writer.ts'

/** What an archive has of each document. Opened for one archive, and closed with it. */
export interface Contents extends AsyncDisposable {
  readonly extension: 'xml' | 'pdf'
  /** How many are read and made together. */
  readonly atOnce: number
  /** A document as it goes into the archive, from its XML. @throws why there is none: the manifest tells */
  make(fila: FilaEsencial, xml: Buffer): Promise<{ bytes: Uint8Array; alreadyDense: boolean }>
}

export const openXml = (): Contents => ({
  extension: 'xml',
  atOnce: 64,
  make: async (_fila, xml) => ({ bytes: xml, alreadyDense: false }),
  [Symbol.asyncDispose]: async () => undefined,
})

/**
 * An archive of one file per document, by year, month, direction and type, with a list of them and their SHA-256. What
 * cannot be put in is in the list too, with the reason.
 */
export const zipFile = (openContents: () => Contents, bytesPerRow: number): Format => ({
  extension: 'zip',
  mime: 'application/zip',
  bytesPerRow,
  async write(output, material) {
    await using contents = openContents()
    const zip = createZip(output, await material.scratch())
    const manifest = await material.scratch()
    await manifest.write(CSV_BOM + csvLine(MANIFEST))
    for await (const page of pagesOf<FilaEsencial>(material, 'esenciales'))
      for await (const group of groupsOf(material, page, contents.atOnce)) {
        const stored = await findContents(
          material.trx,
          group.map(({ uuid }) => uuid),
        )
        const made = await Promise.all(group.map((fila) => make(contents, fila, stored.get(fila.uuid), material.log)))
        for (const [n, fila] of group.entries()) {
          const { name, packed, sha256, note } = made[n] as Made
          if (packed) await zip.add(name, fila.fechaEmision, packed)
          await manifest.write(line(fila, packed ? { name, bytes: packed.bytes, sha256 } : undefined, note))
        }
        await material.advance(group.length)
      }
    await copyInto(zip, manifest, material.corte)
    await zip.end()
  },
})

/** Where a document lies: `2026/03/emitidos/ingreso/<uuid>.xml`. */
export function nameOf(fila: FilaEsencial, extension: string): string {
  const [year, month] = fila.fechaEmision.split('-')
  return `${year}/${month}/${fila.direccion}s/${FOLDERS[fila.tipo] ?? fila.tipo}/${fila.uuid}.${extension}`
}

const FOLDERS: Readonly<Record<string, string>> = {
  I: 'ingreso',
  E: 'egreso',
  P: 'pago',
  N: 'nomina',
  T: 'traslado',
  R: 'retenciones',
}

interface Made {
  name: string
  packed?: Packed
  sha256?: string
  note?: string
}

async function make(
  contents: Contents,
  fila: FilaEsencial,
  stored: XmlGuardado | undefined,
  log: Material['log'],
): Promise<Made> {
  const name = nameOf(fila, contents.extension)
  if (!stored) return { name, note: 'No se guardó su XML' }
  const { contenido } = stored
  const xml = contenido.length <= SMALL / 4 ? zstdDecompressSync(contenido) : await decompress(contenido)
  const intact = hash('sha256', xml, 'hex') === stored.sha256.toString('hex')
  if (!intact) log.error({ alarm: 'cfdi.xml_damaged', uuid: fila.uuid }, 'a stored XML is not what came in')
  // Told, and handed out all the same: it is all there is.
  const note = intact ? undefined : 'El XML guardado está dañado'
  try {
    const { bytes, alreadyDense } = await contents.make(fila, xml)
    return {
      name,
      packed: await pack(bytes, { alreadyDense }),
      sha256: hash('sha256', bytes, 'hex'),
      ...(note && { note }),
    }
  } catch (error) {
    const why = error instanceof AppError ? error.mensaje : 'error inesperado'
    log.warn({ err: error, uuid: fila.uuid }, 'a document could not be put into an archive')
    return { name, note: `No se pudo incluir: ${why}` }
  }
}

/** Documents that fit into memory together: a CFDI is a few KB, and one may have ten MB. */
async function* groupsOf({ trx }: Material, page: readonly FilaEsencial[], atOnce: number) {
  const sizes = await findSizes(
    trx,
    page.map(({ uuid }) => uuid),
  )
  let group: FilaEsencial[] = []
  let bytes = 0
  for (const fila of page) {
    const size = sizes.get(fila.uuid) ?? 0
    if (group.length > 0 && (group.length === atOnce || bytes + size > GROUP_BYTES)) {
      yield group
      group = []
      bytes = 0
    }
    group.push(fila)
    bytes += size
  }
  if (group.length > 0) yield group
}

const GROUP_BYTES = 16 * 1024 ** 2

const MANIFEST = [
  'Archivo',
  'UUID',
  'SHA-256',
  'Bytes',
  'Nota',
  'Tipo',
  'Dirección',
  'Estado',
  'Fecha de emisión',
  'Serie',
  'Folio',
  'RFC emisor',
  'Nombre emisor',
  'RFC receptor',
  'Nombre receptor',
  'Moneda',
  'Total',
]

function line(
  fila: FilaEsencial,
  file: { name: string; bytes: number; sha256: string | undefined } | undefined,
  note?: string,
): string {
  return csvLine([
    file?.name,
    fila.uuid,
    file?.sha256,
    file?.bytes,
    note,
    fila.tipo,
    fila.direccion,
    fila.estado,
    fila.fechaEmision.replace('T', ' '),
    fila.serie,
    fila.folio,
    fila.rfcEmisor,
    fila.nombreEmisor,
    fila.rfcReceptor,
    fila.nombreReceptor,
    fila.moneda,
    { decimal: fila.total },
  ])
}

/** Cut where a member would get too large to be read everywhere: more than ten million documents. */
async function copyInto(zip: ReturnType<typeof createZip>, manifest: Output, corte: string): Promise<void> {
  let part = 1
  let member = await zip.begin('manifest.csv', corte)
  for await (const chunk of manifest.read()) {
    if (member.bytes + chunk.length > MOST_BYTES) {
      await member.end()
      part++
      member = await zip.begin(`manifest-${part}.csv`, corte)
    }
    await member.write(chunk)
  }
  await member.end()
}

const decompress = promisify(zstdDecompress)
