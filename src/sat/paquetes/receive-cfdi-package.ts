import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { copyFile, link, mkdir, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { uuidv7 } from 'uuidv7'
import type { Archivo } from '../../cfdi/bulk/archivos.ts'
import { reopen } from '../../cfdi/bulk/create-carga.ts'
import { folderOf, onDisk, syncFolder } from '../../cfdi/bulk/disk.ts'
import { type CargaRow, findArchivos, findCargaByPaquete, insertCarga, lockCarga } from '../../cfdi/bulk/queries.ts'
import { shownName } from '../../cfdi/bulk/shown-name.ts'
import { openZip, SAT_LIMITS } from '../../cfdi/bulk/zip.ts'
import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import { leaveInOutbox } from '../../queue/outbox.ts'
import { paqueteIlegible, paquetePerdido } from './errors.ts'

export interface ReceiveDeps {
  config: { filesPath: string }
  clock: Clock
}

/**
 * Makes a downloaded package of CFDI a load of the company, which `cfdi.import` brings in like what a person uploads: each
 * member gets its result and nothing vanishes. The job is in the outbox of the same commit: publish it afterwards.
 *
 * A package is one load, however often and by however many it is handed over. Its file is not moved but linked, and goes
 * only when the row is there: whoever dies in between has lost nothing, and what he linked the sweep of loads takes away.
 * @throws AppError rejected `sat.paquete_ilegible` when it is no ZIP or a broken one: neither load nor file is left then;
 * unavailable `sat.paquete_perdido` when there is neither load nor file; no_space `carga.no_space`
 */
export async function receiveCfdiPackage(
  deps: ReceiveDeps,
  db: TenantDb,
  { paqueteId, zip }: { paqueteId: string; zip: string },
): Promise<{ cargaId: string }> {
  const known = await findCargaByPaquete(db, paqueteId)
  const cargaId = known
    ? await takeUp(deps, db, { known, zip })
    : await createPackageCarga(deps, db, { paqueteId, zip })
  crashpoint('sat.paquete.created')
  await rm(zip, { force: true })
  return { cargaId }
}

/** A load that lost its files goes on with them when the same package comes again. */
async function takeUp({ config }: ReceiveDeps, db: TenantDb, { known, zip }: { known: CargaRow; zip: string }) {
  const archivo = known.estado === 'fallida' && (await inspectPackage(zip, known.id))
  if (!archivo) return known.id
  const { sha256 } = archivo
  await db.transaction().execute(async (trx) => {
    const carga = await lockCarga(trx, known.id)
    const lost = (await findArchivos(trx, known.id))?.archivos[0]
    if (carga?.estado !== 'fallida' || lost?.sha256 !== sha256) return
    const folder = folderOf(config.filesPath, db.tenantId, known.id)
    await onDisk(() => mkdir(folder, { recursive: true, mode: 0o700 }))
    await onDisk(() => linkOrCopy(zip, path.join(folder, sha256)))
    await syncFolder(folder)
    await reopen(trx, db.tenantId, carga, { filesAreBack: true })
  })
  return known.id
}

export interface CfdiPackage {
  cargaId: string
  estado: 'recibida' | 'procesando' | 'terminada' | 'cancelada' | 'fallida'
  /** `limit_reached`: it waits for a place in the plan. */
  pausa: string | null
  total: number
  nuevos: number
  repetidos: number
  rechazados: number
  cuarentena: number
}

/** How a package of CFDI stands; undefined when it was never handed over. */
export async function findCfdiPackage(db: TenantDb, paqueteId: string): Promise<CfdiPackage | undefined> {
  const carga = await findCargaByPaquete(db, paqueteId)
  if (!carga) return undefined
  const { id: cargaId, estado, pausa, total, nuevos, repetidos, rechazados, cuarentena } = carga
  return { cargaId, estado, pausa, total, nuevos, repetidos, rechazados, cuarentena }
}

async function createPackageCarga(
  { config, clock }: ReceiveDeps,
  db: TenantDb,
  { paqueteId, zip }: { paqueteId: string; zip: string },
): Promise<string> {
  const archivo = await inspectPackage(zip, paqueteId)
  if (!archivo) return demandOther(db, paqueteId)
  const id = uuidv7()
  const folder = folderOf(config.filesPath, db.tenantId, id)
  try {
    await onDisk(() => mkdir(folder, { recursive: true, mode: 0o700 }))
    await onDisk(() => linkOrCopy(zip, path.join(folder, archivo.sha256)))
    await syncFolder(folder)
    crashpoint('sat.paquete.linked')
    const isNew = await db.transaction().execute(async (trx) => {
      const carga = { id, paqueteId, huella: huellaOf(paqueteId, archivo.sha256), archivos: [archivo] }
      if (!(await insertCarga(trx, { ...carga, total: archivo.entradas, by: null, now: clock.now() }))) return false
      await leaveInOutbox(trx, 'cfdi.import', { tenantId: db.tenantId, cargaId: id })
      return true
    })
    if (isNew) return id
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return demandOther(db, paqueteId)
}

/** Somebody else handed it over at the same time, and the file may have gone with that. */
async function demandOther(db: TenantDb, paqueteId: string): Promise<string> {
  const other = await findCargaByPaquete(db, paqueteId)
  if (!other) throw paquetePerdido()
  return other.id
}

/** Only its index is read, and its hash, which is its name on the disk; undefined when the file has gone, at whatever step. */
async function inspectPackage(zip: string, paqueteId: string): Promise<Archivo | undefined> {
  try {
    await using archive = await openZip(zip, SAT_LIMITS)
    const hash = createHash('sha256')
    const handle = await open(zip, 'r')
    const { size } = await handle.stat().finally(() => handle.close())
    await pipeline(createReadStream(zip, { highWaterMark: 1024 ** 2 }), hash)
    const nombre = shownName(`${paqueteId}.zip`)
    return { nombre, bytes: size, sha256: hash.digest('hex'), tipo: 'zip', entradas: archive.length }
  } catch (error) {
    if (error instanceof AppError) {
      await rm(zip, { force: true })
      throw paqueteIlegible(error)
    }
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A package is a load of its own: the same bytes that a person uploads, or that another package brings, are another. */
function huellaOf(paqueteId: string, sha256: string): Buffer {
  return createHash('sha256').update(`sat ${paqueteId}\n${sha256}`).digest()
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    // File systems without links, or with the two folders on different ones.
    if (codeOf(error) === 'EEXIST') return
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    const copy = await open(to, 'r+')
    await copy.datasync().finally(() => copy.close())
  }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code
