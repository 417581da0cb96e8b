import { uuidv7 } from 'uuidv7'
import { hashPassword } from '../crypto/password-hash.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import { findUserByEmail, insertStaff, makeStaff } from './user-queries.ts'

export interface Staff {
  /** Lower case. */
  email: string
  nombre: string
  password: string
  /** Until when it only opens the routes that replace it; null for a password of the person's own. */
  temporaryUntil: Date | null
}

/**
 * Makes somebody staff of the platform. A person who exists keeps their password and only gains the flag.
 * @returns what happened; `unchanged` when they were staff already.
 */
export async function ensureStaff(
  central: CentralDb,
  staff: Staff,
  now: Date,
): Promise<'created' | 'promoted' | 'unchanged'> {
  const existing = await findUserByEmail(central, staff.email)
  if (existing?.esPlataforma) return 'unchanged'
  const passwordHash = existing ? undefined : await hashPassword(staff.password)
  return central.transaction().execute(async (trx) => {
    const done = passwordHash
      ? await insertStaff(trx, { id: uuidv7(), passwordHash, ...staff, at: now })
      : await makeStaff(trx, staff.email, now)
    if (!done) return 'unchanged' as const // somebody did the same a moment ago
    const outcome = passwordHash ? ('created' as const) : ('promoted' as const)
    await writeAudit(trx, {
      at: now,
      action: `staff.${outcome}`,
      actor: null,
      tenantId: null,
      detail: { email: staff.email },
      ip: null,
      requestId: null,
    })
    return outcome
  })
}
