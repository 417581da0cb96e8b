import { lstat } from 'node:fs/promises'
import type { KeyRing } from '../config.ts'
import type { CentralDb } from '../db/databases.ts'
import { assertSha1Signing } from './open-fiel.ts'
import { countByKid } from './operation-queries.ts'
import { isInMemory } from './released-files.ts'

/** Something about this installation that keeps e.firmas from being used, or safe. */
export type VaultFault =
  /** This machine does not sign as the SAT wants it. */
  | { kind: 'sha1'; detail: string }
  /** Others may enter the folder, or it is none. `which` is its variable. */
  | { kind: 'folder'; which: FolderVariable; folder: string; detail: 'not_a_folder' | 'open_to_others' }
  /** What `horux fiel decrypt` writes would stay on a disk. */
  | { kind: 'on_disk'; folder: string }
  /** E.firmas that nobody can open: their key is not in the ring. */
  | { kind: 'missing_key'; kid: string; credentials: number }

type FolderVariable = 'FIEL_STORAGE_PATH' | 'FIEL_RUNTIME_PATH'

/** What is wrong with the machine, without asking anybody. A folder that is not there yet is made by who needs it. */
export async function findMachineFaults(config: {
  fielStoragePath: string
  fielRuntimePath: string
}): Promise<VaultFault[]> {
  const faults: VaultFault[] = []
  try {
    assertSha1Signing()
  } catch (error) {
    faults.push({ kind: 'sha1', detail: error instanceof Error ? error.message : String(error) })
  }
  const folders = [
    ['FIEL_STORAGE_PATH', config.fielStoragePath],
    ['FIEL_RUNTIME_PATH', config.fielRuntimePath],
  ] as const
  for (const [which, folder] of folders) {
    const found = await lstat(folder).catch(() => undefined)
    if (!found) continue
    if (!found.isDirectory()) faults.push({ kind: 'folder', which, folder, detail: 'not_a_folder' })
    else if ((found.mode & 0o077) !== 0) faults.push({ kind: 'folder', which, folder, detail: 'open_to_others' })
    else if (which === 'FIEL_RUNTIME_PATH' && !(await isInMemory(folder))) faults.push({ kind: 'on_disk', folder })
  }
  return faults
}

/** Keys that wrap e.firmas and are not in the ring. */
export async function findKeyFaults(central: CentralDb, { fielKeys }: { fielKeys: KeyRing }): Promise<VaultFault[]> {
  const uses = await countByKid(central)
  return uses
    .filter(({ kid }) => !fielKeys.kids.includes(kid))
    .map(({ kid, credentials }) => ({ kind: 'missing_key', kid, credentials }))
}
