import type { Queue } from '../queue/queue.ts'
import type { Log } from '../tenants/operations/saga.ts'
import { endPurgedFieles } from './files-queries.ts'
import { findBehindFiles } from './operation-queries.ts'
import { type SweepReleasesDeps, sweepReleases } from './sweep-releases.ts'
import { type TellExpiryDeps, tellExpiry } from './tell-expiry.ts'

export interface SweepVaultDeps extends SweepReleasesDeps, TellExpiryDeps {
  queue: Pick<Queue, 'enqueue' | 'enqueueAll'>
}

export interface VaultSwept {
  deleted: number
  purged: number
  filesAgain: number
  told: number
  over: number
}

/**
 * What must not depend on whoever began it: opened e.firmas go, files that a job lost are written, ends are told. Each part is
 * done whatever becomes of the others.
 * @throws AggregateError with what failed, after everything was tried
 */
export async function sweepVault(deps: SweepVaultDeps, log: Pick<Log, 'warn' | 'error'>): Promise<VaultSwept> {
  const failures: unknown[] = []
  const part = <T>(work: () => Promise<T>, otherwise: T) =>
    work().catch((error: unknown) => {
      failures.push(error)
      return otherwise
    })
  const { deleted, failed } = await part(() => sweepReleases(deps), { deleted: 0, failed: [] })
  for (const { folder, error } of failed) {
    log.error({ err: error, folder, alarm: 'fiel_left_open' }, 'an opened e.firma could not be deleted')
    failures.push(error)
  }
  const purged = await part(() => forgetPurged(deps), 0)
  const filesAgain = await part(() => writeFilesAgain(deps), 0)
  const { told, over } = await part(() => tellExpiry(deps, log), { told: 0, over: 0 })
  if (failures.length > 0) throw new AggregateError(failures, `the vault could not be swept: ${failures.join('; ')}`)
  return { deleted, purged, filesAgain, told, over }
}

/** Of a company that was purged nothing is kept; its files go with the others that are behind. */
const forgetPurged = ({ central, clock }: SweepVaultDeps): Promise<number> =>
  central.transaction().execute(async (trx) => (await endPurgedFieles(trx, clock.now())).length)

/** A job that is there already is not left twice: it has the e.firma as its key. */
async function writeFilesAgain({ central, queue }: SweepVaultDeps): Promise<number> {
  const ids = await findBehindFiles(central, MOST)
  if (ids.length === 0) return 0
  const payloads = ids.map((credentialId) => ({ credentialId }))
  await central.transaction().execute((trx) => queue.enqueueAll(trx, 'fiel.files', payloads))
  return ids.length
}

const MOST = 500
