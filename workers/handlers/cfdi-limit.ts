import { reviewLimit, sweepLimits } from '../../src/cfdi/limit/review-limit.ts'
import { AppError } from '../../src/errors.ts'
import type { Handler } from '../handler.ts'
import { tenantHandler } from '../tenant-handler.ts'

/** It does not ask the gate: a company that may do nothing now is told of its plan when it looks again. */
const review = tenantHandler<'cfdi.limit'>((deps, db) => reviewLimit(deps, db), { swept: true })

/**
 * The sweep leaves it again in a minute: tried again meanwhile, all companies of a server that is down or full, or of an upgrade
 * that takes long, would fill the dead letters minute by minute.
 */
export const onCfdiLimit: Handler<'cfdi.limit'> = async (...job) => {
  try {
    return await review(...job)
  } catch (error) {
    if (!(error instanceof AppError && PASSING.has(error.kind))) throw error
    return { cancelled: error.code }
  }
}

const PASSING: ReadonlySet<string> = new Set(['unavailable', 'no_space'])

export const onCfdiLimitSweep: Handler<'cfdi.limit-sweep'> = (deps) => sweepLimits(deps)
