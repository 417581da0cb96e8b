import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { uuidv7 } from 'uuidv7'
import { createCarga } from '../../src/cfdi/bulk/create-carga.ts'
import { folderOf } from '../../src/cfdi/bulk/disk.ts'
import { type ImportDeps, importCarga } from '../../src/cfdi/bulk/import-carga.ts'
import type { TenantDb } from '../../src/db/databases.ts'

/** A ZIP that lies where an upload would have left it, ready to be imported by the function that the worker calls. */
export interface Uploaded {
  /** From the file on disk to the last commit. */
  import(): Promise<void>
}

export function uploaded(
  db: TenantDb,
  rfc: string,
  { file, filesPath }: { file: string; filesPath: string },
): Uploaded {
  const id = uuidv7()
  Object.assign(db, { tenantId: uuidv7() }) // a scratch database has a name only
  const bytes = readFileSync(file)
  const sha256 = hash('sha256', bytes, 'hex')
  const folder = folderOf(filesPath, db.tenantId, id)
  mkdirSync(folder, { recursive: true })
  cpSync(file, path.join(folder, sha256))
  const deps = importDeps(filesPath)
  return {
    async import() {
      const files = [{ nombre: path.basename(file), bytes: bytes.length, sha256 }]
      await createCarga(deps, db, { id, files, by: { userId: id, email: 'bench@horux360.mx' } })
      const carga = await importCarga(deps, db, id, { rfc, signal: new AbortController().signal })
      assert.equal(carga?.estado, 'terminada')
      assert.equal(carga.nuevos, carga.total)
    },
  }
}

/** What an import asks for, of a company with no limits. */
export const importDeps = (filesPath: string) => ({
  config: { filesPath },
  clock: { now: () => new Date() },
  entitlements: ANY,
  log: console,
})

const ANY = {
  get: async () => ({ limits: { cfdis: { max: -1, mode: 'hard' } } }),
} as unknown as ImportDeps['entitlements']
