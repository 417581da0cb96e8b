import { mkdir, open, rm, statfs } from 'node:fs/promises'
import path from 'node:path'
import { noSpace } from './errors.ts'

/** Where the files of a load are until they are rows (ADR 0014). Ids only: nothing a stranger named. */
export const folderOf = (filesPath: string, tenantId: string, cargaId: string): string =>
  path.join(filesPath, 'cargas', tenantId, cargaId)

/**
 * Makes a folder for a body of so many bytes. Twice as many must be free: the rows need their place too, and a disk that
 * is full takes PostgreSQL with it.
 * @throws AppError no_space `carga.no_space`
 */
export async function makeRoom(folder: string, bytes: number): Promise<void> {
  await onDisk(() => mkdir(folder, { recursive: true, mode: 0o700 }))
  const { bavail, bsize } = await statfs(folder, { bigint: true })
  if (bavail * bsize >= BigInt(bytes) * 2n) return
  await rm(folder, { recursive: true, force: true })
  throw noSpace()
}

/** @throws AppError no_space `carga.no_space` where the disk, or our share of it, is full */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ENOSPC' || code === 'EDQUOT' ? noSpace(error) : error
  }
}

/** What was written into a folder is there after a power cut too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
