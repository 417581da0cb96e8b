import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { AppError } from '../../errors.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import { sumCfdis } from '../find/totals-queries.ts'
import { type Consulta, textToConsulta } from './consulta.ts'
import { exportBusy, exportFailed, exportInterrupted, filterOutdated, noSpace } from './errors.ts'
import { type Attempt, beginAttempt, demandRoom, folderOf, isDiskFull } from './files.ts'
import { formats } from './formats.ts'
import type { Material } from './material.ts'
import { sha256Of } from './output.ts'
import {
  claimExport,
  expireExports,
  failExport,
  findRfc,
  finishExport,
  noteProgress,
  releaseExport,
} from './queries.ts'
import { onSnapshot } from './rows-queries.ts'

export interface RunDeps {
  clock: Clock
  config: { filesPath: string }
}

export interface Running {
  signal: AbortSignal
  log: Pick<Log, 'error' | 'warn'>
}

export type Outcome = 'lista' | 'fallida' | 'cancelada' | 'nada'

/**
 * Writes the file of an export, from a snapshot of the set (ADR 0017), and says so in its row when it is whole and on the
 * disk. Whoever dies on the way leaves a row that says `procesando` and a file without a name: the next one begins anew.
 *
 * @throws AppError unavailable when it is to be tried again
 */
export async function runExport(deps: RunDeps, db: TenantDb, exportId: string, job: Running): Promise<Outcome> {
  await using stack = new AsyncDisposableStack()
  try {
    const written = await onSnapshot(db, exportId, (trx) => write(deps, { db, trx, exportId, job, stack }))
    if (!written) throw exportBusy()
    return written === 'nada' ? 'nada' : await keep(deps, db, exportId, written)
  } catch (error) {
    return await afterFailure(deps, db, exportId, error)
  }
}

/** As often as a worker may die of one export before it is the export's fault. */
const MOST_ATTEMPTS = 8
const KEPT_MS = 24 * 3_600_000
/** Beyond it the oldest go early: nobody fills the disk by asking again and again. */
export const MOST_KEPT = 20

interface Task {
  db: TenantDb
  trx: TenantTx
  exportId: string
  job: Running
  /** What is left of the attempt goes with it, however it ends. */
  stack: AsyncDisposableStack
}

interface Written {
  attempt: Attempt
  total: number
}

async function write(deps: RunDeps, { db, trx, exportId, job, stack }: Task): Promise<Written | 'nada'> {
  const { clock, config } = deps
  const corte = clock.now()
  const claimed = await claimExport(db, exportId, corte)
  if (!claimed) return 'nada'
  if (claimed.intentos > MOST_ATTEMPTS) throw exportFailed()
  const format = formats[claimed.formato]
  const consulta = readConsulta(claimed.filtro)
  const grupos = await sumCfdis(trx, consulta.filtro)
  const total = grupos.reduce((count, { cfdis }) => count + cfdis, 0)
  const folder = folderOf(config.filesPath, db.tenantId)
  const attempt = stack.use(await beginAttempt(folder, exportId, format.extension))
  await demandRoom(folder, total * format.bytesPerRow)

  const teller = createTeller(deps, { db, exportId, total, corte, log: job.log })
  await teller.tell(0)
  let procesados = 0
  const material: Material = {
    trx,
    consulta,
    grupos,
    rfc: await findRfc(trx),
    corte: civil(corte),
    log: job.log,
    scratch: () => attempt.scratch(),
    async advance(n) {
      procesados += n
      crashpoint('export.page')
      if (job.signal.aborted) throw exportInterrupted()
      if (teller.isTime()) {
        await teller.tell(procesados)
        // Others fill the disk too.
        await demandRoom(folder, 0)
      }
      // Nothing here waits while the buffers have room, and other jobs want their turn of the loop.
      await nextTurn()
    },
  }
  await format.write(attempt.output, material)
  if (procesados !== total) throw new Error(`an export of ${total} CFDI wrote ${procesados}`)
  return { attempt, total }
}

/** Says how far it is, about every second, on a session of its own: the snapshot reads only. */
function createTeller(
  { clock }: RunDeps,
  about: { db: TenantDb; exportId: string; total: number; corte: Date; log: Running['log'] },
) {
  const { db, exportId, total, corte, log } = about
  let told = 0
  return {
    isTime: () => performance.now() - told >= 1_000,
    async tell(procesados: number) {
      told = performance.now()
      try {
        if (await noteProgress(db, exportId, { procesados, total, corte }, clock.now())) return
      } catch (error) {
        if (!(error instanceof AppError && error.kind === 'unavailable')) throw error
        // Its sessions are all taken: the file goes on, and whoever looks sees it a second later.
        log.warn({ err: error }, 'an export could not say how far it is')
        return
      }
      throw new Cancelled()
    },
  }
}

/** After the snapshot has ended: one session is enough, and a set that nobody reads any more holds up no vacuum. */
async function keep({ clock }: RunDeps, db: TenantDb, exportId: string, written: Written): Promise<Outcome> {
  const { attempt, total } = written
  const sha256 = await sha256Of(attempt.output)
  const bytes = attempt.output.position
  crashpoint('export.written')
  const archivo = await attempt.keep()
  crashpoint('export.named')
  const now = clock.now()
  const file = { archivo, bytes, sha256, total, venceEn: new Date(now.getTime() + KEPT_MS) }
  const finished = await db.transaction().execute(async (trx) => {
    const whole = await finishExport(trx, exportId, file, now)
    if (whole) await expireExports(trx, now, MOST_KEPT)
    return whole
  })
  crashpoint('export.told')
  if (finished) return 'lista'
  await attempt.discard()
  return 'cancelada'
}

/** Its row says so already. */
class Cancelled extends Error {}

async function afterFailure({ clock }: RunDeps, db: TenantDb, exportId: string, error: unknown): Promise<Outcome> {
  if (error instanceof Cancelled) return 'cancelada'
  const failure = isDiskFull(error) ? noSpace(error) : error
  const again = !(failure instanceof AppError) || (failure.kind === 'unavailable' && failure.code !== GIVEN_UP)
  if (!again) {
    await failExport(db, exportId, failure, clock.now())
    return 'fallida'
  }
  if (failure instanceof AppError && failure.code === exportInterrupted().code)
    await releaseExport(db, exportId, clock.now())
  throw failure
}

const GIVEN_UP = exportFailed().code

function readConsulta(filtro: string): Consulta {
  try {
    return textToConsulta(filtro)
  } catch {
    throw filterOutdated()
  }
}

const civil = (instant: Date) => CIVIL.format(instant).replace(' ', 'T')
const CIVIL = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'America/Mexico_City',
  dateStyle: 'short',
  timeStyle: 'medium',
})
