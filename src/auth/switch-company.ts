import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import { normalizeRfc } from '../fiscal/rfc.ts'
import type { Origin } from '../http/client-address.ts'
import type { Principal } from '../http/principal.ts'
import { notMember } from './errors.ts'
import { setSessionTenant } from './session-queries.ts'
import { findMembership } from './user-queries.ts'

interface Deps {
  central: CentralDb
  sessions: { forgetSession(id: string): void }
}

/**
 * Lets a session work on another company of its person. Tokens that name the former one stop working with it.
 * @throws AppError forbidden `auth.not_member`, whether the company exists or not
 */
export async function switchCompany(
  deps: Deps,
  user: Principal,
  named: string,
  origin: Origin,
  now: Date,
): Promise<void> {
  const { userId, email, sessionId } = user
  const { ip, requestId } = origin
  await deps.central.transaction().execute(async (trx) => {
    const company = await findMembership(trx, userId, normalizeRfc(named), named.toLowerCase())
    if (!company) throw notMember()
    await setSessionTenant(trx, sessionId, company.id)
    const deed = { at: now, action: 'sesion.empresa', actor: { userId, email }, tenantId: company.id }
    await writeAudit(trx, { ...deed, detail: { sesion: sessionId }, ip, requestId })
  })
  deps.sessions.forgetSession(sessionId)
}
