import { createHash } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { leaveInOutbox } from '../../queue/outbox.ts'
import { inspect } from './archivos.ts'
import { folderOf, onDisk, syncFolder } from './disk.ts'
import { isOpen } from './import-carga.ts'
import { type CargaRow, findCargaByHuella, insertCarga, lockCarga, setEstado } from './queries.ts'
import type { ReceivedFile } from './receive.ts'

export interface UploadedCarga {
  id: string
  /** Little enough to be imported while the client waits. */
  small: boolean
  /** Nobody has begun with it, or it was begun again: somebody must import it. */
  open: boolean
}

export interface CreateDeps {
  config: { filesPath: string }
  clock: Clock
}

/**
 * Makes a load of files that have been received in the folder of `id`, and leaves its import in the outbox of the same
 * commit. The same files again are the load that they were: it is returned, and what has no good end yet (not reached,
 * beyond a limit that may be another now, refused by a reader that may be another too) it then goes on with.
 * @throws AppError too_large `carga.too_many_files`; nothing is left then
 */
export async function createCarga(
  deps: CreateDeps,
  db: TenantDb,
  { id, files, by }: { id: string; files: readonly ReceivedFile[]; by: { userId: string; email: string } },
): Promise<UploadedCarga> {
  const { filesPath } = deps.config
  const folder = folderOf(filesPath, db.tenantId, id)
  try {
    const { archivos, total, bytes, largest } = await inspect(folder, files)
    const small = total <= SMALL.files && bytes <= SMALL.bytes && largest <= SMALL.largest
    const huella = huellaOf(files)
    crashpoint('carga.received')
    const now = deps.clock.now()
    const known = await db.transaction().execute(async (trx) => {
      if (await insertCarga(trx, { id, huella, archivos, total, by, now })) {
        await leaveInOutbox(trx, 'cfdi.import', { tenantId: db.tenantId, cargaId: id })
        return undefined
      }
      return takeUp(trx, db, huella, { filesPath, from: folder, files })
    })
    crashpoint('carga.created')
    if (!known) return { id, small, open: true }
    await rm(folder, { recursive: true, force: true })
    return { id: known.id, small, open: known.open }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** A person waits for it: no more than what takes a second or two. */
const SMALL = { files: 100, bytes: 10 * 1024 ** 2, largest: 1024 ** 2 }

/** Over the hashes of the files, whatever their order and their names. */
export function huellaOf(files: readonly ReceivedFile[]): Buffer {
  const hash = createHash('sha256')
  for (const sha256 of files.map((file) => file.sha256).toSorted()) hash.update(sha256)
  return hash.digest()
}

interface Again {
  filesPath: string
  from: string
  files: readonly ReceivedFile[]
}

/** The load that these files are already. What it lacks of them is put back, while nobody else can clean up after it. */
async function takeUp(
  trx: TenantTx,
  db: TenantDb,
  huella: Buffer,
  again: Again,
): Promise<{ id: string; open: boolean }> {
  const id = await findCargaByHuella(trx, huella)
  const carga = id === undefined ? undefined : await lockCarga(trx, id)
  if (!carga) throw new Error('a load was there and is not: rows of loads are never deleted')
  const { estado, rechazados, cuarentena } = carga
  if (estado === 'terminada' && rechazados + cuarentena === 0) return { id: carga.id, open: false }
  const folder = folderOf(again.filesPath, db.tenantId, carga.id)
  await onDisk(() => mkdir(folder, { recursive: true, mode: 0o700 }))
  // Of an open one too, which may have lost them. Whoever is reading them reads on: they are the same bytes.
  for (const sha256 of new Set(again.files.map((file) => file.sha256)))
    await rename(path.join(again.from, sha256), path.join(folder, sha256))
  await syncFolder(folder)
  if (isOpen(carga)) await leaveInOutbox(trx, 'cfdi.import', { tenantId: db.tenantId, cargaId: carga.id })
  else await reopen(trx, db.tenantId, carga, { filesAreBack: true })
  return { id: carga.id, open: true }
}

/** A load that had ended goes on: with what it had not reached, and then with what may have another end now. */
export async function reopen(
  trx: TenantTx,
  tenantId: string,
  carga: CargaRow,
  { filesAreBack = false } = {},
): Promise<void> {
  await setEstado(trx, carga.id, { estado: 'recibida', reintento: carga.reintento ?? 0, filesAreBack })
  await leaveInOutbox(trx, 'cfdi.import', { tenantId, cargaId: carga.id })
}
