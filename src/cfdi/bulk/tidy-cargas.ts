import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../../clock.ts'
import type { CentralDb, TenantDb } from '../../db/databases.ts'
import type { Queue } from '../../queue/queue.ts'
import { folderOf } from './disk.ts'
import { isOpen } from './import-carga.ts'
import { type CargaRow, findCarga, hasBeyondLimit, lockCarga, markFilesDeleted } from './queries.ts'

export interface TidyDeps {
  config: { filesPath: string }
  clock: Clock
  central: CentralDb
  queue: Queue
}

/**
 * Companies that have files of loads on the disk. Not those whose folder is empty: nearly every company uploads once, and
 * entering all their databases every ten minutes would push out of the pools whoever works.
 */
export async function tenantsWithFiles({ filesPath }: { filesPath: string }): Promise<string[]> {
  const found = new Set<string>()
  for (const kind of KINDS) {
    const home = path.join(filesPath, kind)
    for (const tenantId of (await namesIn(home)).filter((name) => UUID.test(name)))
      if ((await namesIn(path.join(home, tenantId))).some((name) => kind === 'sat' || UUID.test(name)))
        found.add(tenantId)
  }
  return [...found]
}

/** Loads, and packages of the SAT that are not loads yet: those go with their company, and their own sync looks after them. */
const KINDS = ['cargas', 'sat'] as const

/**
 * Looks after every folder of a company: what nobody will ever finish goes (its process died before there was a load),
 * what is imported goes, and a load that is still open gets its job, whoever lost it.
 * @returns how many were deleted, and how many still work
 */
export async function tidyCargas(deps: TidyDeps, db: TenantDb): Promise<{ deleted: number; open: number }> {
  const home = path.join(deps.config.filesPath, 'cargas', db.tenantId)
  const told = { deleted: 0, open: 0 }
  const ids = (await namesIn(home)).filter((name) => UUID.test(name))
  const nowMs = ids.length > 0 ? await clockOf(home) : 0
  for (const id of ids) {
    const carga = await findCarga(db, id)
    if (!carga) told.deleted += Number(await dropOrphan(path.join(home, id), nowMs))
    else if (isOpen(carga)) {
      const payload = { tenantId: db.tenantId, cargaId: id }
      await deps.central.transaction().execute((trx) => deps.queue.enqueue(trx, 'cfdi.import', payload))
      told.open++
    } else told.deleted += Number(await dropFiles(deps, db, id))
  }
  return told
}

/**
 * Deletes the files of a load that is done with them. What the plan had no place for, or a load that was stopped, may be
 * tried again for a week.
 * @returns whether they went
 */
export async function dropFiles(deps: Pick<TidyDeps, 'config' | 'clock'>, db: TenantDb, id: string): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const carga = await lockCarga(trx, id)
    const now = deps.clock.now()
    if (!carga || isOpen(carga)) return false
    if (isKept(carga, now) && (carga.estado !== 'terminada' || (await hasBeyondLimit(trx, id)))) return false
    // Under the lock of the row: the same files may be arriving again, to be put here.
    await rm(folderOf(deps.config.filesPath, db.tenantId, id), { recursive: true, force: true })
    if (carga.archivosBorradosEn === null) await markFilesDeleted(trx, id, now)
    return true
  })
}

/** Of a company that is gone. */
export async function dropAll({ filesPath }: { filesPath: string }, tenantId: string): Promise<void> {
  for (const kind of KINDS) await rm(path.join(filesPath, kind, tenantId), { recursive: true, force: true })
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const KEPT_MS = 7 * 86_400_000
/** An upload writes every 30 s at the latest, and its row follows at once. */
const STILL_ARRIVING_MS = 300_000

const isKept = ({ terminadaEn }: CargaRow, now: Date) =>
  terminadaEn !== null && now.getTime() - terminadaEn.getTime() < KEPT_MS

/** @returns whether it was one */
async function dropOrphan(folder: string, nowMs: number): Promise<boolean> {
  const files = (await namesIn(folder)).map((name) => path.join(folder, name))
  const times = await Promise.all([folder, ...files].map((file) => stat(file).then(({ mtimeMs }) => mtimeMs)))
  if (nowMs - Math.max(...times) < STILL_ARRIVING_MS) return false
  await rm(folder, { recursive: true, force: true })
  return true
}

/** What time it is for the file system: only its own clock can tell how long ago it wrote something. */
async function clockOf(folder: string): Promise<number> {
  const file = path.join(folder, '.reloj')
  await writeFile(file, '', { mode: 0o600 })
  const { mtimeMs } = await stat(file)
  return mtimeMs
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
