import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, rmdir, statfs, unlink } from 'node:fs/promises'
import path from 'node:path'
import { crashpoint } from '../crashpoint.ts'
import { carpetaInsegura } from './release-errors.ts'

/**
 * Makes sure that what is written into the folder is seen by nobody else and is gone after a reboot: a folder and no link,
 * ours alone, in memory.
 * @throws AppError rejected `fiel.carpeta_insegura`
 */
export async function demandRuntimeFolder(folder: string, { onDisk }: { onDisk: boolean }): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    throw carpetaInsegura(folder, `no existe y no se puede crear (${cause.code}). La crea la unidad del worker.`, {
      cause,
    })
  })
  const found = await lstat(folder)
  if (!found.isDirectory()) throw carpetaInsegura(folder, 'no es una carpeta, sino un enlace u otra cosa.')
  if (found.uid !== process.geteuid?.())
    throw carpetaInsegura(folder, 'es de otro usuario. Corre la orden como el del worker: sudo -u horux …')
  if ((found.mode & 0o077) !== 0) throw carpetaInsegura(folder, `otros pueden entrar. chmod 700 ${folder}`)
  if (!onDisk && !(await isInMemory(folder)))
    throw carpetaInsegura(folder, 'está en un disco, de donde se podría recuperar. Debe ser tmpfs, como /run.')
}

/** Whether it lies on tmpfs or ramfs. */
export const isInMemory = async (folder: string): Promise<boolean> => IN_MEMORY.has((await statfs(folder)).type)

const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** The name of a folder of ours. Nothing else is ever deleted. */
export const isReleaseFolder = (name: string): boolean => /^efirma-[0-9a-f]{32}$/.test(path.basename(name))

/** Writes the files into a new folder: neither the folder nor a file may be there already, as a link or otherwise. */
export async function writeReleased(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted()
  await mkdir(folder, { mode: 0o700 })
  crashpoint('fiel.release.folder')
  for (const [name, bytes] of files) {
    signal?.throwIfAborted()
    const file = await open(path.join(folder, name), NEW_FILE, 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    crashpoint('fiel.release.file')
  }
  signal?.throwIfAborted()
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/**
 * Zeros over everything in the folder, whoever put it there, and then nothing. Links are removed and not followed. Gone
 * already is as good.
 */
export async function eraseFolder(folder: string): Promise<void> {
  if (!isReleaseFolder(folder)) throw new Error(`not a folder of a released e.firma: ${folder}`)
  await erase(folder).catch(unlessAbsent)
}

async function erase(place: string): Promise<void> {
  const found = await lstat(place)
  if (found.isDirectory()) {
    const failures: unknown[] = []
    for (const name of await readdir(place))
      await erase(path.join(place, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') failures.push(error)
      })
    // One that stays keeps none of the others.
    if (failures.length > 0) throw failures[0]
    return rmdir(place)
  }
  // What somebody else made in our folder (an operator as root) cannot be written to and is taken away all the same.
  if (found.isFile()) await overwrite(place, found.size).catch(() => undefined)
  await unlink(place)
}

async function overwrite(place: string, size: number): Promise<void> {
  const file = await open(place, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    const zeros = Buffer.alloc(Math.min(size, 65_536))
    for (let at = 0; at < size; at += zeros.length) await file.write(zeros, 0, Math.min(zeros.length, size - at), at)
    await file.sync()
  } finally {
    await file.close()
  }
}

function unlessAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
