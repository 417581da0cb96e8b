import { sqlState } from '../../db/failures.ts'
import { AppError } from '../../errors.ts'
import type { OperationError } from './operation.ts'

/** Whether trying again cannot help: the reason lies in what is there, not in the moment. */
export function isPermanent(error: unknown): boolean {
  return error instanceof AppError && error.kind !== 'unavailable' && error.kind !== 'no_space'
}

/** What is kept of a failure for the operator, who sees the step's name beside it. */
export function operationError(step: string, error: unknown): OperationError {
  if (error instanceof AppError) return { step, code: error.code, message: error.mensaje }
  const message = error instanceof Error ? error.message : String(error)
  return { step, code: sqlState(error) ?? 'unexpected', message: `Error inesperado: ${message.slice(0, 500)}` }
}
