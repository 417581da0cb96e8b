import { rm } from 'node:fs/promises'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import { publishOutbox } from '../../queue/outbox.ts'
import { packagePath } from '../paquetes/package-path.ts'
import { findCfdiPackage, receiveCfdiPackage } from '../paquetes/receive-cfdi-package.ts'
import { arrivingPath, placedBytes, writePackage } from './ask-sat.ts'
import { LEASE, LOOK, MOST_TENDED } from './limits.ts'
import { type PaqueteRow, savePaquete, takeToTend } from './package-queries.ts'
import type { SyncDeps } from './sync-deps.ts'

/**
 * Looks after the packages of a company that need nobody but us: hands over what was downloaded, sees how far imports are,
 * gives up what is out of time, and finds what became of a download whose worker died.
 */
export async function tendPackages(deps: SyncDeps, db: TenantDb, signal: AbortSignal): Promise<number> {
  for (let tended = 0; ; tended++) {
    if (tended >= MOST_TENDED || signal.aborted) return tended
    const now = deps.clock.now()
    const until = new Date(now.getTime() + LEASE.tend)
    const taken = await takeToTend(deps.central, { tenantId: db.tenantId, now, until })
    if (!taken) return tended
    await tend(deps, db, taken)
  }
}

function tend(deps: SyncDeps, db: TenantDb, taken: PaqueteRow): Promise<void> {
  switch (taken.estado) {
    case 'pendiente':
      return writePackage(deps, taken, { kind: 'plazo' }, NOBODY)
    case 'descargando':
      return findLost(deps, taken)
    case 'descargado':
      return taken.tipo === 'CFDI' ? handOver(deps, db, taken) : handToReading(deps, taken)
    case 'importando':
      return taken.tipo === 'CFDI' ? lookAtImport(deps, db, taken) : handToReading(deps, taken)
    case 'importado':
    case 'vencido':
    case 'agotado':
    case 'ilegible':
      return later(deps, taken, taken.estado, LOOK.reading)
  }
}

/** Who was downloading it died: if it lies here it is whole. */
async function findLost(deps: SyncDeps, taken: PaqueteRow): Promise<void> {
  const { filesPath } = deps.config
  const bytes = await placedBytes(filesPath, taken)
  if (bytes === undefined) {
    await rm(arrivingPath(filesPath, taken), { force: true })
    return writePackage(deps, taken, { kind: 'perdido' }, NOBODY)
  }
  const now = deps.clock.now()
  await savePaquete(deps.central, taken, { estado: 'descargado', fallos: 0, siguienteEn: now, bytes }, now)
}

/** It becomes a load of the company, which is imported like any other. */
async function handOver(deps: SyncDeps, db: TenantDb, taken: PaqueteRow): Promise<void> {
  const zip = packagePath(deps.config.filesPath, taken.tenantId, taken.id)
  try {
    await receiveCfdiPackage(deps, db, { paqueteId: taken.id, zip })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { code: codigo, mensaje } = error
    if (!UNREADABLE.has(codigo)) return later(deps, taken, 'descargado', LOOK.waiting, { codigo, mensaje })
    return writePackage(deps, taken, { kind: 'ilegible', codigo, mensaje }, NOBODY)
  }
  crashpoint('sat.handed')
  await publishOutbox(deps, db)
  await later(deps, taken, 'importando', LOOK.soon)
  crashpoint('sat.handed.recorded')
}

/** Its lines are read by a job of their own, which says when it has done. A job that got lost is left again. */
async function handToReading(deps: SyncDeps, taken: PaqueteRow): Promise<void> {
  const { tenantId, solicitudId, id: paqueteId } = taken
  if ((await placedBytes(deps.config.filesPath, taken)) === undefined) return unreadable(deps, taken, LOST)
  const now = deps.clock.now()
  await deps.central.transaction().execute(async (trx) => {
    const cambios = { estado: 'importando' as const, siguienteEn: new Date(now.getTime() + LOOK.reading) }
    if (await savePaquete(trx, taken, cambios, now))
      await deps.queue.enqueue(trx, 'sat.lectura', { tenantId, solicitudId, paqueteId })
  })
}

async function lookAtImport(deps: SyncDeps, db: TenantDb, taken: PaqueteRow): Promise<void> {
  const found = await findCfdiPackage(db, taken.id)
  // The company's database was put back to a time before it came.
  if (!found) return unreadable(deps, taken, LOST)
  const { total: miembros, nuevos, repetidos, rechazados, cuarentena } = found
  const leidos = nuevos + repetidos + rechazados + cuarentena
  const cuentas = { miembros, leidos, nuevos, repetidos, rechazados, cuarentena }
  switch (found.estado) {
    case 'recibida':
    case 'procesando':
      await publishOutbox(deps, db)
      if (found.pausa !== null || ageOf(deps, taken) > LOOK.reading) await nudge(deps, db.tenantId, found.cargaId)
      return later(deps, taken, 'importando', found.pausa === null ? patience(deps, taken) : LOOK.waiting, { cuentas })
    case 'terminada':
    case 'cancelada': {
      const now = deps.clock.now()
      const codigo = found.estado === 'cancelada' ? 'carga.cancelada' : undefined
      const cambios = { estado: 'importado' as const, siguienteEn: null, cuentas, ...(codigo && { codigo }) }
      await savePaquete(deps.central, taken, cambios, now)
      return
    }
    case 'fallida':
      return unreadable(deps, taken, FAILED)
  }
}

/** Longer for what has taken longer: a large package takes minutes, and one whose job got lost far more. */
const patience = (deps: SyncDeps, taken: PaqueteRow): number =>
  Math.min(LOOK.waiting, Math.max(LOOK.soon, Math.round(ageOf(deps, taken) / 4)))

const ageOf = ({ clock }: SyncDeps, { descargadoEn }: PaqueteRow): number =>
  descargadoEn === null ? 0 : clock.now().getTime() - descargadoEn.getTime()

/**
 * Its job may be lost, and the sweep of loads knows only those whose files are on its disk. Where there is a job this is
 * none; where there are no files, it finds out.
 */
async function nudge({ central, queue }: SyncDeps, tenantId: string, cargaId: string): Promise<void> {
  await central.transaction().execute((trx) => queue.enqueue(trx, 'cfdi.import', { tenantId, cargaId }))
}

const unreadable = (deps: SyncDeps, taken: PaqueteRow, why: { codigo: string; mensaje: string }) =>
  writePackage(deps, taken, { kind: 'ilegible', ...why }, NOBODY)

async function later(
  { central, clock }: SyncDeps,
  taken: PaqueteRow,
  estado: PaqueteRow['estado'],
  afterMs: number,
  more: Partial<Parameters<typeof savePaquete>[2]> = {},
): Promise<void> {
  const now = clock.now()
  await savePaquete(central, taken, { ...more, estado, siguienteEn: new Date(now.getTime() + afterMs) }, now)
}

/** Nothing of this asks the SAT. */
const NOBODY = { credencial: undefined }
const UNREADABLE: ReadonlySet<string> = new Set(['sat.paquete_ilegible', 'sat.paquete_perdido'])
const LOST = { codigo: 'sat.paquete_perdido', mensaje: 'El paquete ya no está en el disco. Se pide otra vez.' }
const FAILED = { codigo: 'sat.carga_fallida', mensaje: 'El paquete no se pudo importar. Se pide otra vez.' }
