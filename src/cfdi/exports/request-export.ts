import { mkdir } from 'node:fs/promises'
import type { Logger } from 'pino'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../../clock.ts'
import { writeAuditoria } from '../../db/audit.ts'
import type { CentralDb, TenantDb } from '../../db/databases.ts'
import type { Principal } from '../../http/principal.ts'
import { leaveInOutbox, publishOutbox } from '../../queue/outbox.ts'
import type { Queue } from '../../queue/queue.ts'
import { queryOf } from '../find/address.ts'
import type { Consulta } from './consulta.ts'
import { noSpace, tooManyOpen } from './errors.ts'
import { demandRoom, folderOf, isDiskFull } from './files.ts'
import { countOpen, type Exportacion, type Formato, insertExport } from './queries.ts'

export interface RequestDeps {
  central: CentralDb
  queue: Queue
  clock: Clock
  config: { filesPath: string }
}

export interface RequestedExport {
  formato: Formato
  filtro: Consulta
}

/** Who asks, and for the audit log how. */
export interface Asking {
  user: Principal
  requestId: string
  log: Pick<Logger, 'warn'>
}

/** Exports of a company that wait or run at once. */
export const MOST_OPEN = 3

/**
 * Writes down what is wanted, and leaves the job. Always a job, however small the set: one way to take data out is one
 * that is tried, and a small one is ready before anybody has asked twice.
 *
 * @throws AppError too_many `exportacion.demasiadas`, no_space `exportacion.sin_espacio`
 */
export async function requestExport(
  deps: RequestDeps,
  db: TenantDb,
  { formato, filtro: consulta }: RequestedExport,
  { user, requestId, log }: Asking,
): Promise<Exportacion> {
  await prepareFolder(folderOf(deps.config.filesPath, db.tenantId))
  const now = deps.clock.now()
  const id = uuidv7()
  const filtro = queryOf(consulta.filtro, consulta.orden)
  const row = await db.transaction().execute(async (trx) => {
    if ((await countOpen(trx)) >= MOST_OPEN) throw tooManyOpen(MOST_OPEN)
    const inserted = await insertExport(trx, { id, formato, filtro, autor: user }, now)
    await leaveInOutbox(trx, 'cfdi.export', { tenantId: db.tenantId, exportId: id })
    await writeAuditoria(trx, {
      ocurrioEn: now,
      usuario: user,
      esPlataforma: user.vista !== null,
      accion: 'cfdi.exportacion',
      motivo: user.vista?.motivo ?? null,
      detalle: { exportacion: id, formato, filtro },
      requestId,
    })
    return inserted
  })
  await publishOutbox(deps, db).catch((err: unknown) =>
    log.warn({ err }, 'an export waits for the sweep of the outbox'),
  )
  return row
}

/** The folder also tells the sweep which companies have something. */
async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw isDiskFull(error) ? noSpace(error) : error
  }
  await demandRoom(folder, 0)
}
