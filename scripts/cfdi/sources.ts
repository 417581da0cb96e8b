import { lstat, open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { refusalByName } from '../../src/cfdi/bulk/verdict.ts'
import { openZip } from '../../src/cfdi/bulk/zip.ts'
import { tooLarge } from '../../src/cfdi/errors.ts'
import { LIMITS } from '../../src/cfdi/read/xml.ts'
import { AppError } from '../../src/errors.ts'

/** One file to look at: on disk, or in an archive (`carpeta/año.zip » enero/a.xml`). */
export interface Source {
  name: string
  /** @throws AppError: why it is not read */
  read(): Promise<Buffer>
}

/**
 * Everything under these paths, in an order that is always the same: files as they are, folders with all that is in them,
 * archives with their members. What cannot be opened is a source too, which says so when it is read: nothing is left out.
 */
export async function* sourcesOf(paths: readonly string[]): AsyncGenerator<Source> {
  for (const given of paths) yield* sourcesAt(given)
}

async function* sourcesAt(where: string): AsyncGenerator<Source> {
  let kind: 'folder' | 'zip' | 'file'
  try {
    kind = await kindOf(where)
  } catch (error) {
    yield refusedSource(where, error)
    return
  }
  if (kind === 'folder') for (const name of (await readdir(where)).sort()) yield* sourcesAt(path.join(where, name))
  else if (kind === 'zip') yield* members(where)
  else yield { name: where, read: () => readFile(where) }
}

async function kindOf(where: string): Promise<'folder' | 'zip' | 'file'> {
  // Not followed: a link to a folder above would have no end.
  const status = await lstat(where)
  if (status.isDirectory()) return 'folder'
  if (!status.isFile()) throw new AppError('invalid', 'archivo.special', 'No es un archivo ni una carpeta.')
  const file = await open(where, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    const head = buffer.toString('latin1', 0, bytesRead)
    return head === 'PK\x03\x04' || head === 'PK\x05\x06' || /\.zip$/i.test(where) ? 'zip' : 'file'
  } finally {
    await file.close()
  }
}

async function* members(where: string): AsyncGenerator<Source> {
  let zip: Awaited<ReturnType<typeof openZip>>
  try {
    zip = await openZip(where)
  } catch (error) {
    yield refusedSource(where, error)
    return
  }
  try {
    for (const entry of zip.entries) {
      const read = async () => {
        const refused = refusalByName(entry.name)
        if (refused) throw refused
        return zip.read(entry)
      }
      yield { name: `${where} » ${entry.name}`, read }
    }
  } finally {
    await zip.close()
  }
}

async function readFile(where: string): Promise<Buffer> {
  const refused = refusalByName(path.basename(where))
  if (refused) throw refused
  const file = await open(where, 'r')
  try {
    const { size } = await file.stat()
    if (size > LIMITS.bytes) throw tooLarge(LIMITS.bytes)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

const refusedSource = (name: string, error: unknown): Source => ({ name, read: () => Promise.reject(error) })
