import { lstat, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../clock.ts'
import type { CentralDb } from '../db/databases.ts'
import { findOpenReleases, markReleaseDeleted, type OpenRelease } from './operation-queries.ts'
import { eraseFolder, isReleaseFolder } from './released-files.ts'

export interface SweepReleasesDeps {
  central: CentralDb
  clock: Clock
  config: { fielRuntimePath: string }
}

export interface ReleasesSwept {
  deleted: number
  /** Folders that could not be deleted or looked into. Somebody must. */
  failed: { folder: string; error: unknown }[]
}

/**
 * Deletes each opened e.firma whose half hour is over, whatever became of who opened it, and folders of ours that no row
 * tells of. Twice at once is harmless.
 */
export async function sweepReleases(deps: SweepReleasesDeps): Promise<ReleasesSwept> {
  const { central, clock, config } = deps
  // Listed before the rows are read: a row is committed before its folder is made, so that each folder here has one.
  const swept: ReleasesSwept = { deleted: 0, failed: [] }
  const folders = await foldersIn(config.fielRuntimePath).catch((error: unknown) => {
    swept.failed.push({ folder: config.fielRuntimePath, error })
    return []
  })
  const open = await findOpenReleases(central)
  const now = clock.now()
  for (const release of open)
    if (release.delete_after <= now || (await isLost(release, now))) await end(deps, release, swept)
  const known = new Set(open.map(({ folder }) => folder))
  for (const folder of folders) {
    if (known.has(folder) || !(await isOlderThan(folder, new Date(now.getTime() - ORPHAN_MS)))) continue
    await erased(folder, swept)
  }
  return swept
}

/** Ends opened e.firmas before their time: of a company, or all. */
export async function endReleases(deps: SweepReleasesDeps, of: { tenantId?: string } = {}): Promise<ReleasesSwept> {
  const swept: ReleasesSwept = { deleted: 0, failed: [] }
  for (const release of await findOpenReleases(deps.central, of)) await end(deps, release, swept)
  return swept
}

/** Several installations of one machine may share the folder, and each knows its own rows only. */
const ORPHAN_MS = 30 * 60_000
/** Between a row and its folder there are milliseconds, or a crash. */
const LOST_MS = 2 * 60_000

async function end({ central, clock }: SweepReleasesDeps, release: OpenRelease, swept: ReleasesSwept): Promise<void> {
  // The row after the folder: killed between the two, the next sweep finds nothing to delete and marks it.
  if (await erased(release.folder, swept)) await markReleaseDeleted(central, release.id, clock.now())
}

async function erased(folder: string, swept: ReleasesSwept): Promise<boolean> {
  try {
    await eraseFolder(folder)
    swept.deleted += 1
    return true
  } catch (error) {
    swept.failed.push({ folder, error })
    return false
  }
}

/** A reboot took it, or who opened it died before it was made. */
async function isLost({ folder, released_at }: OpenRelease, now: Date): Promise<boolean> {
  if (released_at.getTime() + LOST_MS > now.getTime()) return false
  return (await lstat(folder).catch(() => undefined)) === undefined
}

async function foldersIn(runtime: string): Promise<string[]> {
  const names = await readdir(runtime).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter(isReleaseFolder).map((name) => path.join(runtime, name))
}

async function isOlderThan(folder: string, before: Date): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined)
  return found !== undefined && found.mtime < before
}
