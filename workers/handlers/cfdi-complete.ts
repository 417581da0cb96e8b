import { completeCfdis } from '../../src/cfdi/store/complete-cfdis.ts'
import { AppError } from '../../src/errors.ts'
import { tenantHandler } from '../tenant-handler.ts'

/** Upkeep: it asks no plan. */
export const onCfdiComplete = tenantHandler<'cfdi.complete'>(async (_deps, db, _payload, { signal, log }) => {
  const { completed, unreadable } = await completeCfdis(db, { signal })
  if (unreadable.length > 0) log.error({ unreadable }, 'stored CFDI that cannot be read any more')
  if (signal.aborted) throw new AppError('unavailable', 'cfdi.complete_paused', 'Se detuvo entre dos lotes.')
  return { completed, unreadable: unreadable.length }
})
