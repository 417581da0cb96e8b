import type { TenantDb } from '../../db/databases.ts'
import { applyKnownStates } from './apply-metadata.ts'
import { clearFaltas } from './faltantes-queries.ts'

/**
 * Takes what came meanwhile out of what is missing, and gives it the state that lists know of it. To be called before it is
 * told, or asked for again, what is missing; running it twice is harmless.
 *
 * Missing is what can be had: any CFDI in force, and what the company issued itself. A received CFDI that is cancelled is
 * listed and its XML never given (sat.md 0.2). What is here and in no list of its period is not looked for.
 */
export async function tidyFaltantes(db: TenantDb, now: Date): Promise<{ vinieron: number; cambiaron: number }> {
  const vinieron = await clearFaltas(db)
  return { vinieron, cambiaron: await applyKnownStates(db, now) }
}
