import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { syncFolder } from '../bulk/disk.ts'
import { noSpace } from './errors.ts'
import { createOutput, type Output } from './output.ts'

/** Where the files of all companies lie. API and worker see the same folder. */
export const rootOf = (filesPath: string): string => path.join(filesPath, 'exportaciones')

/** Where those of one company lie. Ids of ours only: nothing a stranger named. */
export const folderOf = (filesPath: string, tenantId: string): string => path.join(rootOf(filesPath), tenantId)

/** What must stay free: a disk that is full takes PostgreSQL with it. */
export const RESERVE_BYTES = 512 * 1024 ** 2

/** @throws AppError no_space when so many bytes do not fit beside the reserve */
export async function demandRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < bytes + RESERVE_BYTES) throw noSpace()
}

/** The files of one attempt. Until `keep` nothing of them has a name that anybody is sent to. */
export interface Attempt extends AsyncDisposable {
  readonly output: Output
  scratch(): Promise<Output>
  /** Everything is on the disk, and has its name. */
  keep(): Promise<string>
  /** Takes back what `keep` did. */
  discard(): Promise<void>
}

/**
 * Each attempt has names of its own: one that was thought dead and is not writes into no file of its successor. What is
 * left by one that died is found by the sweep.
 */
export async function beginAttempt(folder: string, exportId: string, extension: string): Promise<Attempt> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const name = `${exportId}-${randomBytes(6).toString('hex')}`
  const opened: { file: string; output: Output }[] = []
  const create = async (file: string) => {
    const output = await createOutput(path.join(folder, file))
    opened.push({ file, output })
    return output
  }
  const output = await create(`${name}${PART}`)
  const kept = `${name}.${extension}`
  return {
    output,
    scratch: () => create(`${name}-${opened.length}${PART}`),
    async keep() {
      await output.sync()
      await rename(path.join(folder, `${name}${PART}`), path.join(folder, kept))
      await syncFolder(folder)
      return kept
    },
    discard: () => rm(path.join(folder, kept), { force: true }),
    async [Symbol.asyncDispose]() {
      for (const { file, output: each } of opened) {
        await each.close()
        await rm(path.join(folder, file), { force: true })
      }
    },
  }
}

const PART = '.part'

/** Deletes what is not in `wanted` and has not been touched since `before`. Returns how many files went. */
export async function removeOthers(folder: string, wanted: ReadonlySet<string>, before: Date): Promise<number> {
  let removed = 0
  for (const name of await readdir(folder).catch(() => [])) {
    if (wanted.has(name)) continue
    const file = path.join(folder, name)
    const found = await stat(file).catch(() => undefined)
    if (!found || found.mtime >= before) continue
    await rm(file, { force: true })
    removed++
  }
  return removed
}

/** Takes away a folder that is empty and has been since `before`. Whoever writes into it makes it anew. */
export async function leaveFolder(folder: string, before: Date): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (!found || found.mtime >= before) return
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error
  })
}

/** Whether a failure says that there is no room, on the disk or in our share of it. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
