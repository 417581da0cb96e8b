import { reviewLimit, sweepLimits } from '../../src/cfdi/limit/review-limit.ts'
import type { Handler } from '../handler.ts'
import { tenantHandler } from '../tenant-handler.ts'

/** It does not ask the gate: a company that may do nothing now is told of its plan when it looks again. */
export const onCfdiLimit = tenantHandler<'cfdi.limit'>((deps, db) => reviewLimit(deps, db), { swept: true })

export const onCfdiLimitSweep: Handler<'cfdi.limit-sweep'> = (deps) => sweepLimits(deps)
