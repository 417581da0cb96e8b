import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../errors.ts'
import { tooLarge } from '../errors.ts'
import { LIMITS } from '../read/xml.ts'
import { filesLost, tooManyFiles } from './errors.ts'
import type { ReceivedFile } from './receive.ts'
import { shownName } from './shown-name.ts'
import { refusalByName } from './verdict.ts'
import { openZip, UPLOAD_LIMITS, type Zip, type ZipLimits } from './zip.ts'
import { zipWithoutFiles } from './zip-errors.ts'

/** A file that was uploaded, and how many results it will have. */
export interface Archivo extends ReceivedFile {
  tipo: 'xml' | 'zip'
  entradas: number
  /** An archive that cannot be opened has one result: this. */
  codigo?: string
  mensaje?: string
}

export interface Inspection {
  archivos: Archivo[]
  total: number
  /** Unpacked, of all and of the largest. */
  bytes: number
  largest: number
}

/** Where the files of a load lie, and what its archives may hold. */
export interface Stock {
  folder: string
  archivos: readonly Archivo[]
  limits?: ZipLimits
}

/** One file of a load, in its place. */
export interface Item {
  n: number
  archivo: string
  /** @throws AppError `zip.*`, `cfdi.*`, `carga.*`: why this one is not read */
  read(): Promise<Buffer>
}

/**
 * What a load consists of: only the indexes of its archives are read.
 * @throws AppError too_large `carga.too_many_files`
 */
export async function inspect(folder: string, files: readonly ReceivedFile[]): Promise<Inspection> {
  const found: Inspection = { archivos: [], total: 0, bytes: 0, largest: 0 }
  for (const file of files) {
    const isZip = await looksLikeZip(folder, file)
    const sizes = isZip ? await sizesOf(folder, file) : { entradas: 1, bytes: file.bytes, largest: file.bytes }
    const { bytes, largest, ...own } = sizes
    found.archivos.push({ ...file, tipo: isZip ? 'zip' : 'xml', ...own })
    found.total += own.entradas
    found.bytes += bytes
    found.largest = Math.max(found.largest, largest)
    if (found.total > UPLOAD_LIMITS.entries) throw tooManyFiles(UPLOAD_LIMITS.entries)
  }
  return found
}

/**
 * The files of a load from the `from`-th on, in an order that is always the same: as they were uploaded, and within an
 * archive as its index has them.
 * @throws AppError unavailable `carga.files_lost`: what was uploaded is not there any more
 */
export async function* itemsOf(
  { folder, archivos, limits = UPLOAD_LIMITS }: Stock,
  from: number,
): AsyncGenerator<Item> {
  let n = 0
  for (const archivo of archivos) {
    const start = n
    n += archivo.entradas
    if (n <= from) continue
    if (archivo.codigo !== undefined) yield refusedItem(start, archivo)
    else if (archivo.tipo === 'xml') yield plainItem(folder, start, archivo)
    else yield* members({ folder, limits }, archivo, { start, from })
  }
}

/**
 * Some of them, by their place. What was uploaded may be gone by now.
 * @throws AppError unavailable `carga.files_lost`
 */
export async function* itemsAt(stock: Stock, places: readonly number[]): AsyncGenerator<Item> {
  if (places.length === 0) return
  const wanted = new Set(places)
  const first = Math.min(...places)
  const last = Math.max(...places)
  for await (const item of itemsOf(stock, first)) {
    if (wanted.has(item.n)) yield item
    if (item.n >= last) return
  }
}

async function looksLikeZip(folder: string, { nombre, sha256 }: ReceivedFile): Promise<boolean> {
  const handle = await open(path.join(folder, sha256), 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    return /\.zip$/i.test(nombre) || (bytesRead === 4 && SIGNATURES.includes(buffer.readUInt32LE(0)))
  } finally {
    await handle.close()
  }
}

// A member, the end of an empty archive, a part of several.
const SIGNATURES = [0x04034b50, 0x06054b50, 0x08074b50]

async function sizesOf(folder: string, { sha256 }: ReceivedFile) {
  try {
    await using zip = await openZip(path.join(folder, sha256))
    if (zip.length === 0) throw zipWithoutFiles()
    let largest = 0
    for (let i = 0; i < zip.length; i++) largest = Math.max(largest, zip.at(i).bytes)
    return { entradas: zip.length, bytes: zip.bytes, largest }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { entradas: 1, bytes: 0, largest: 0, codigo: error.code, mensaje: error.mensaje }
  }
}

const refusedItem = (n: number, { nombre, codigo = '', mensaje = '' }: Archivo): Item => ({
  n,
  archivo: nombre,
  read: () => Promise.reject(new AppError('invalid', codigo, mensaje)),
})

function plainItem(folder: string, n: number, { nombre, bytes, sha256 }: Archivo): Item {
  return {
    n,
    archivo: nombre,
    async read() {
      const refused = refusalByName(nombre)
      if (refused) throw refused
      if (bytes > LIMITS.bytes) throw tooLarge(LIMITS.bytes)
      const data = await readFile(path.join(folder, sha256)).catch((error: unknown) => Promise.reject(filesLost(error)))
      if (createHash('sha256').update(data).digest('hex') !== sha256) throw filesLost()
      return data
    },
  }
}

async function* members(
  where: { folder: string; limits: ZipLimits },
  archivo: Archivo,
  { start, from }: { start: number; from: number },
): AsyncGenerator<Item> {
  await using zip = await reopen(where, archivo)
  for (let i = Math.max(0, from - start); i < zip.length; i++) {
    const entry = zip.at(i)
    yield {
      n: start + i,
      archivo: shownName(`${archivo.nombre}/${entry.name}`),
      read() {
        const refused = refusalByName(entry.name)
        return refused ? Promise.reject(refused) : zip.read(entry)
      },
    }
  }
}

/** It could be opened when it came: what cannot be now is not what came. */
async function reopen(
  { folder, limits }: { folder: string; limits: ZipLimits },
  { sha256, entradas }: Archivo,
): Promise<Zip> {
  const opening = openZip(path.join(folder, sha256), limits)
  const zip = await opening.catch((error: unknown) => Promise.reject(filesLost(error)))
  if (zip.length === entradas) return zip
  await zip.close()
  throw filesLost()
}
