import { shownName } from '../../cfdi/bulk/shown-name.ts'
import { openZip, SAT_LIMITS, type Zip, type ZipEntry, type ZipLimits } from '../../cfdi/bulk/zip.ts'
import {
  type FilaMetadata,
  type FilaTercero,
  type Ilegible,
  isIlegible,
  readMetadata,
  readTerceros,
} from './metadata.ts'

/** A list of a million rows is one member of hundreds of megabytes, which pack well: names repeat. */
export const METADATA_LIMITS: ZipLimits = { ...SAT_LIMITS, entries: 10_000, entryBytes: 4 * 1024 ** 3 }

/** A metadata package on disk. */
export interface MetadataZip extends AsyncDisposable {
  /**
   * The rows of all its lists, always in the same order, each with on whose account it was issued when the companion file
   * says so; then the rows of that file which could not be read, and the files that are no lists.
   * @throws AppError `zip.*`
   */
  rows(): AsyncGenerator<FilaMetadata | Ilegible>
  close(): Promise<void>
}

/**
 * Opens a metadata package. Its members are read through once before, so that a damaged one gives no rows at all rather than
 * some.
 * @throws AppError `zip.*`: it is to be asked for again
 */
export async function openMetadata(path: string): Promise<MetadataZip> {
  const zip = await openZip(path, METADATA_LIMITS)
  try {
    const lists = zip.entries.filter(isList)
    for (const entry of lists) for await (const _ of zip.stream(entry));
    const close = () => zip.close()
    return { rows: () => rowsOf(zip, lists), close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await zip.close()
    throw error
  }
}

async function* rowsOf(zip: Zip, lists: readonly ZipEntry[]): AsyncGenerator<FilaMetadata | Ilegible> {
  const terceros = createTerceros()
  const ilegibles: Ilegible[] = []
  for (const entry of lists.filter(isCompanion))
    for await (const row of readTerceros(zip.stream(entry)))
      if (isIlegible(row)) {
        if (ilegibles.length < MOST_OF_COMPANIONS) ilegibles.push(row)
      } else terceros.add(row)
  for (const entry of lists)
    if (!isCompanion(entry)) for await (const row of readMetadata(zip.stream(entry))) yield terceros.joined(row)
  yield* ilegibles
  for (const entry of zip.entries)
    if (!isList(entry)) yield { motivo: 'archivo', texto: shownName(entry.name), uuid: null }
}

/** They wait in memory for the end. */
const MOST_OF_COMPANIONS = 1_000

const isList = ({ name }: ZipEntry) => /\.txt$/i.test(name) && !/(^|[/\\])(__MACOSX|\.)/.test(name)
const isCompanion = ({ name }: ZipEntry) => /_terceros?\.txt$/i.test(name)

/** On whose account CFDI were issued: a few issuers and up to a million CFDI, of which no more than 16 bytes are kept. */
function createTerceros() {
  const issuers = new Map<string, Issuer>()
  const byUuid = new Map<string, Issuer>()
  return {
    add({ uuid, rfc, nombre }: FilaTercero) {
      const name = `${rfc}~${nombre}`
      const issuer = issuers.get(name) ?? { rfcTerceros: rfc, nombreTerceros: nombre || null }
      issuers.set(name, issuer)
      byUuid.set(keyOf(uuid), issuer)
    },
    joined(row: FilaMetadata | Ilegible): FilaMetadata | Ilegible {
      if (byUuid.size === 0 || isIlegible(row)) return row
      const issuer = byUuid.get(keyOf(row.uuid))
      return issuer ? { ...row, ...issuer } : row
    },
  }
}

type Issuer = Pick<FilaMetadata, 'rfcTerceros' | 'nombreTerceros'>

/** A text of its own: a part of a line would keep the whole line. */
const keyOf = (uuid: string) => Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('latin1')
