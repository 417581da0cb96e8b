import type { Config } from '../../src/config.ts'
import { toAppError } from '../../src/db/failures.ts'
import { type LedgerState, MigrationError } from '../../src/db/ledger.ts'
import { CENTRAL_MIGRATIONS, readLedger, readMigrations } from '../../src/db/migrate.ts'
import { migrateCentral, openCentralOwner } from '../../src/db/migrate-central.ts'
import { withSession } from '../../src/db/owner-session.ts'
import { ensureQueues } from '../../src/queue/queue.ts'
import { EXIT } from '../exit-codes.ts'
import { line, numbered } from './text.ts'
import type { Voice } from './voice.ts'

/**
 * Migrates the central database. What went wrong is said here and returned as the exit code; `text` is for the line
 * that tells about it.
 * @throws AppError unavailable when it cannot be reached.
 */
export async function bringUpCentral(config: Config, voice: Voice): Promise<{ exit: number; text: string }> {
  try {
    const started = performance.now()
    const applied = await migrateCentral(config, ensureQueues)
    if (applied.state === 'locked') {
      voice.say({ event: 'refused', reason: 'locked' }, 'refused: another process is migrating the central database')
      return { exit: EXIT.refused, text: '' }
    }
    const { from, to, files } = applied
    const durationMs = Math.round(performance.now() - started)
    voice.say({ event: 'central', from: from.version, to: to.version, files, durationMs })
    const change = files.length > 0 ? `${numbered(from.version)} → ` : ''
    return { exit: EXIT.ok, text: `${change}${numbered(to.version)} ok` }
  } catch (error) {
    if (!(error instanceof MigrationError)) throw toAppError(error)
    const { refused, message } = error
    voice.say(
      { event: refused ? 'refused' : 'failed', stage: 'central', error: message },
      line(refused ? 'refused' : 'FAILED', `central  ${message}`),
    )
    return { exit: refused ? EXIT.refused : EXIT.failed, text: '' }
  }
}

/** What a migration of the central database would do. @throws MigrationError; AppError unavailable. */
export async function planCentral(config: Config): Promise<LedgerState> {
  const migrations = readMigrations(CENTRAL_MIGRATIONS)
  try {
    const open = () => openCentralOwner(config)
    return await withSession(open, (session) => readLedger(session, migrations), { retries: 1 })
  } catch (error) {
    throw toAppError(error)
  }
}
