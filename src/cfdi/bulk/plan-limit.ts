import type { TenantDb } from '../../db/databases.ts'
import { type CfdiLimit, hasPlace } from '../limit/cfdi-limit.ts'
import { type CargaRow, countStored, hasArrived } from './queries.ts'
import type { ReadFile } from './results.ts'

/**
 * Whether a load that waits for a place in the plan would find none, and still needs it: asked before its archive is opened, because the
 * sweep lets it try every ten minutes for as long as it takes.
 */
export async function stillWaits(db: TenantDb, { id, pausa }: CargaRow, limit: CfdiLimit): Promise<boolean> {
  if (pausa !== 'limit_reached' || hasPlace(limit, await countStored(db))) return false
  return !(await hasArrived(db, id))
}

/** What a package of the SAT stores of a batch: all files before the first one that the plan has no place for, in order. */
export function filesThatFit(files: readonly ReadFile[], beyond: readonly string[]): readonly ReadFile[] {
  const left = new Set(beyond)
  const first = files.findIndex(({ document }) => document && left.has(document.uuid))
  return first < 0 ? files : files.slice(0, first)
}
