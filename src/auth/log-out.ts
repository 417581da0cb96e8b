import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import type { Origin } from '../http/client-address.ts'
import { revokeSession, revokeSessions } from './session-queries.ts'

interface Deps {
  central: CentralDb
  sessions: { forgetSession(id: string): void; forgetUser(id: string): void }
}

interface Person {
  userId: string
  email: string
}

/** Ends one session of a person. @returns whether it was theirs and alive */
export async function endSession(
  deps: Deps,
  who: Person,
  sessionId: string,
  origin: Origin,
  now: Date,
): Promise<boolean> {
  const ended = await deps.central.transaction().execute(async (trx) => {
    if (!(await revokeSession(trx, { id: sessionId, userId: who.userId }, 'terminada', now))) return false
    await writeEnd(trx, who, { sesion: sessionId }, origin, now)
    return true
  })
  deps.sessions.forgetSession(sessionId)
  return ended
}

/** Ends all of them, this one too. @returns how many were alive */
export async function endSessions(deps: Deps, who: Person, origin: Origin, now: Date): Promise<number> {
  const ended = await deps.central.transaction().execute(async (trx) => {
    const count = await revokeSessions(trx, who.userId, 'terminadas', now)
    await writeEnd(trx, who, { sesionesTerminadas: count }, origin, now)
    return count
  })
  deps.sessions.forgetUser(who.userId)
  return ended
}

async function writeEnd(trx: CentralDb, { userId, email }: Person, detail: object, origin: Origin, now: Date) {
  const { ip, requestId } = origin
  const deed = { at: now, action: 'sesion.terminada', actor: { userId, email }, tenantId: null, detail }
  await writeAudit(trx, { ...deed, ip, requestId })
}
