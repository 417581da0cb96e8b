import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { KeyRing } from '../config.ts'
import { envelopeKid } from '../crypto/envelope.ts'
import type { CentralDb } from '../db/databases.ts'
import { countByKid } from './operation-queries.ts'

export interface KeyUse {
  kid: string
  inRing: boolean
  active: boolean
  /** Living e.firmas whose data keys it wraps. */
  credentials: number
  /** Sealed files on disk that it wraps. */
  files: number
  /** Nothing here needs it any more. What an older backup holds is another question. */
  retirable: boolean
}

export interface KeyUses {
  keys: KeyUse[]
  /** Files under FIEL_STORAGE_PATH that are no envelope. */
  unreadable: string[]
}

/** Every key of the ring and every key that something is wrapped with, in the order of the ring and then by name. */
export async function findKeyUse(
  central: CentralDb,
  { fielKeys, fielStoragePath }: { fielKeys: KeyRing; fielStoragePath: string },
): Promise<KeyUses> {
  const credentials = new Map((await countByKid(central)).map((use) => [use.kid, use.credentials]))
  const { files, unreadable } = await countFiles(fielStoragePath)
  const foreign = [...credentials.keys(), ...files.keys()].filter((kid) => !fielKeys.kids.includes(kid)).sort()
  const keys = [...fielKeys.kids, ...new Set(foreign)].map((kid) => {
    const [inRing, active] = [fielKeys.kids.includes(kid), kid === fielKeys.active.kid]
    const use = { credentials: credentials.get(kid) ?? 0, files: files.get(kid) ?? 0 }
    return { kid, inRing, active, ...use, retirable: inRing && !active && use.credentials + use.files === 0 }
  })
  return { keys, unreadable }
}

async function countFiles(folder: string): Promise<{ files: Map<string, number>; unreadable: string[] }> {
  const files = new Map<string, number>()
  const unreadable: string[] = []
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(unlessAbsent)
  for (const entry of entries.filter((one) => one.isFile() && one.name.endsWith('.enc'))) {
    const file = path.join(entry.parentPath, entry.name)
    // One that the worker has just replaced or removed is no news.
    const bytes = await readFile(file).catch(unlessAbsent)
    if (!Buffer.isBuffer(bytes)) continue
    try {
      const kid = envelopeKid(bytes)
      files.set(kid, (files.get(kid) ?? 0) + 1)
    } catch {
      unreadable.push(file)
    }
  }
  return { files, unreadable }
}

function unlessAbsent(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return []
  throw error
}
