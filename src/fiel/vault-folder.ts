import { randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { crashpoint } from '../crashpoint.ts'
import { databaseName } from '../fiscal/rfc.ts'

/** The files of an e.firma, in the order they are written: who reads `metadata` knows that the others are there. */
export const FILES = ['certificate.cer.enc', 'private_key.key.enc', 'password.enc', 'metadata.json.enc'] as const
export type FielFiles = Readonly<Record<(typeof FILES)[number], Buffer>>

/**
 * Where the files of a company's e.firma are: its RFC as the names of databases write it (ñ `_n`, & `_y`), and its number,
 * because an RFC may come back as another company.
 */
export const folderOfFiel = (root: string, { rfc, number }: { rfc: string; number: string }): string =>
  path.join(root, `${databaseName(rfc).slice('horux_'.length)}-${number}`)

/**
 * Puts the files in place of what is there. Each is whole at any moment and after a power cut; what an interrupted writer left
 * is taken away. Whoever calls has the folder to themselves.
 */
export async function writeFolder(folder: string, files: FielFiles): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true, mode: 0o700 })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  for (const name of FILES) {
    await writeWhole(path.join(folder, name), files[name])
    crashpoint(`fiel.files.${name}`)
  }
  const others = (await readdir(folder)).filter((name) => !FILES.some((one) => one === name))
  for (const name of others) await rm(path.join(folder, name), { recursive: true, force: true })
  await sync(folder)
  await sync(path.dirname(folder))
}

/** Nothing is there afterwards, also after a power cut. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await sync(path.dirname(folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function writeWhole(file: string, bytes: Buffer): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    try {
      await handle.chmod(0o600)
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    crashpoint('fiel.files.temporary')
    await rename(temporary, file)
  } catch (error) {
    // On a full disk every try would leave one more.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
