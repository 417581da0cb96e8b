import { lstat } from 'node:fs/promises'
import type { KeyRing } from '../config.ts'
import { rewrapEnvelope } from '../crypto/envelope.ts'
import type { SealKeys } from '../crypto/seal.ts'
import type { CentralDb } from '../db/databases.ts'
import { loadAuthorities } from './authorities.ts'
import { assertSha1Signing } from './open-fiel.ts'
import { countByKid, findWrappedBy, type WrappedCertificate } from './operation-queries.ts'
import { isInMemory } from './released-files.ts'
import { contextOf } from './vault.ts'

/** Something about this installation that keeps e.firmas from being used, or safe. */
export type VaultFault =
  /** This machine does not sign as the SAT wants it. */
  | { kind: 'sha1'; detail: string }
  /** Others may enter the folder, or it is none. `which` is its variable. */
  | { kind: 'folder'; which: FolderVariable; folder: string; detail: 'not_a_folder' | 'open_to_others' }
  /** What `horux fiel decrypt` writes would stay on a disk. */
  | { kind: 'on_disk'; folder: string }
  /** What should be the SAT's certificates cannot be read as such: the API does not start. */
  | { kind: 'authorities'; folder: string; detail: string }
  /** E.firmas that nobody can open: their key is not in the ring. */
  | { kind: 'missing_key'; kid: string; credentials: number }
  /** The ring has a key of this name, and it is another one. */
  | { kind: 'wrong_key'; kid: string; credentials: number }

type FolderVariable = 'FIEL_STORAGE_PATH' | 'FIEL_RUNTIME_PATH'

/** What is wrong with the machine, without asking anybody. A folder that is not there yet is made by who needs it. */
export async function findMachineFaults(config: {
  fielStoragePath: string
  fielRuntimePath: string
  fielCaPath: string | null
}): Promise<VaultFault[]> {
  const faults: VaultFault[] = []
  try {
    assertSha1Signing()
  } catch (error) {
    faults.push({ kind: 'sha1', detail: error instanceof Error ? error.message : String(error) })
  }
  const { fielCaPath } = config
  try {
    if (fielCaPath !== null) loadAuthorities(fielCaPath)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    faults.push({ kind: 'authorities', folder: fielCaPath ?? '', detail })
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

/** Keys that wrap e.firmas and are not in the ring, or are others than those in the ring. */
export async function findKeyFaults(central: CentralDb, { fielKeys }: { fielKeys: KeyRing }): Promise<VaultFault[]> {
  const faults: VaultFault[] = []
  for (const { kid, credentials } of await countByKid(central)) {
    const inRing = fielKeys.kids.includes(kid)
    if (!inRing) faults.push({ kind: 'missing_key', kid, credentials })
    else if (isWrongKey(fielKeys, await findWrappedBy(central, kid, SAMPLE)))
      faults.push({ kind: 'wrong_key', kid, credentials })
  }
  return faults
}

/** One that does not open may be damaged; of several it is the key, and nobody should have to upload theirs again. */
export const SAMPLE = 5

/** Whether the ring opens the wrapping of none of these. */
export function isWrongKey(keys: SealKeys, sample: readonly WrappedCertificate[]): boolean {
  return sample.length > 0 && sample.every((one) => !isWrappedByRing(keys, one))
}

function isWrappedByRing(keys: SealKeys, { id, tenantId, certificate }: WrappedCertificate): boolean {
  try {
    rewrapEnvelope(keys, certificate, contextOf({ tenantId, credentialId: id }, 'certificate'))
    return true
  } catch {
    return false
  }
}
