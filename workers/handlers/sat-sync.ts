import { leaveNextTurn } from '../../src/sat/sync/next-turn.ts'
import { sweep } from '../../src/sat/sync/sweep.ts'
import { takeTurn } from '../../src/sat/sync/take-turn.ts'
import type { Handler } from '../handler.ts'

export const onSatSync: Handler<'sat.sync'> = async (deps, { tenantId }, { signal, log }) => {
  const done = await takeTurn({ ...deps, log }, tenantId, { signal })
  // However much one company has, the others have their turn.
  if ('more' in done) await leaveNextTurn(deps, tenantId, done)
  return done
}

export const onSatSyncSweep: Handler<'sat.sync.sweep'> = (deps) => sweep(deps)
