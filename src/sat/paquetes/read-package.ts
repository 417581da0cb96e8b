import { access, rm } from 'node:fs/promises'
import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { CentralDb, TenantDb } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { Queue } from '../../queue/queue.ts'
import { cotejarLista } from '../reconciliacion/cotejar.ts'
import { findPaquete, finishPaquete, giveBackPaquete } from './central-queries.ts'
import { paquetePerdido } from './errors.ts'
import { findLectura } from './lectura-queries.ts'
import { packagePath } from './package-path.ts'
import { type MetadataPackage, type MetadataRead, readMetadataPackage } from './read-metadata-package.ts'

export interface ReadDeps {
  config: { filesPath: string }
  clock: Clock
  central: CentralDb
  queue: Queue
}

/**
 * Brings a downloaded package of metadata in: read to its end, then written down in the central database, and only then
 * is the file gone. A package that is damaged or not there is given back to be downloaded, or asked for, again.
 */
export async function readPackage(
  deps: ReadDeps,
  db: TenantDb,
  { solicitudId, paqueteId }: { solicitudId: string; paqueteId: string },
  job: Pick<MetadataPackage, 'signal' | 'log'>,
): Promise<object> {
  const one = { solicitudId, id: paqueteId }
  const zip = packagePath(deps.config.filesPath, db.tenantId, paqueteId)
  const paquete = await findPaquete(deps.central, { tenantId: db.tenantId, ...one })
  if (!paquete) return { cancelled: 'sat.paquete_desconocido' }
  // Somebody has read it already: all that is left to do is to take its file away, if he died before that.
  if (paquete.estado === 'importado') {
    await askForTurn(deps, db.tenantId)
    return done(zip, paquete.estado)
  }
  if (!WAITING.includes(paquete.estado)) return { cancelled: `sat.paquete_${paquete.estado}` }
  try {
    const read = await readOnce(deps, db, { paqueteId, solicitudId, zip, ...paquete, ...job })
    await cotejarLista(deps, db, solicitudId)
    const counts = { miembros: read.filas + read.ilegibles, leidos: read.filas, cuarentena: read.ilegibles }
    await finishPaquete(deps.central, { ...one, counts, now: deps.clock.now() })
    crashpoint('sat.lectura.finished')
    await askForTurn(deps, db.tenantId)
    return { ...(await done(zip, 'importado')), ...read }
  } catch (error) {
    if (!(error instanceof AppError) || !isOfThePackage(error)) throw error
    const si = error.code === 'sat.paquete_perdido' ? 'vencido' : 'ilegible'
    await rm(zip, { force: true })
    await giveBackPaquete(deps.central, { ...one, si, error, now: deps.clock.now() })
    job.log.warn({ err: error, ...one }, 'a package of metadata could not be read and is asked for again')
    await askForTurn(deps, db.tenantId)
    return { cancelled: error.code }
  }
}

const WAITING = ['descargado', 'importando']

const isOfThePackage = ({ code }: AppError) => code.startsWith('zip.') || code === 'sat.paquete_perdido'

async function readOnce(
  deps: ReadDeps,
  db: TenantDb,
  { direccion, ...paquete }: Omit<MetadataPackage, 'direccion'> & { direccion: 'emitidos' | 'recibidos' | 'folio' },
): Promise<MetadataRead> {
  const known = await findLectura(db, paquete.paqueteId)
  if (!known?.terminadaEn)
    await access(paquete.zip).catch((error: unknown) => {
      throw paquetePerdido(error)
    })
  return readMetadataPackage(deps, db, { ...paquete, direccion: direccion === 'recibidos' ? 'recibido' : 'emitido' })
}

/** Its request may be complete now. */
const askForTurn = ({ central, queue }: ReadDeps, tenantId: string) =>
  central.transaction().execute((trx) => queue.enqueue(trx, 'sat.sync', { tenantId }))

async function done(zip: string, estado: string): Promise<{ estado: string }> {
  await rm(zip, { force: true })
  return { estado }
}
