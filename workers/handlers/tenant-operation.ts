import { AppError } from '../../src/errors.ts'
import { runOperation } from '../../src/tenants/operations/run-operation.ts'
import type { Handler } from '../handler.ts'

export const onTenantOperation: Handler<'tenant.operation'> = async (deps, { operationId }, { signal, log }) => {
  const outcome = await runOperation({ ...deps, log }, operationId, { signal })
  // Somebody else is at it, or was when he died: looked at again until it is settled.
  if (outcome === 'busy') throw new AppError('unavailable', 'operation.busy', 'Otra operación está en curso.')
  return { outcome }
}
