import { uuidv7 } from 'uuidv7'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import type { Origin } from '../http/client-address.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { deviceName } from './device-name.ts'
import { invalidRefresh, refreshReused } from './errors.ts'
import { hashToken, newToken, openSuccessor, sealSuccessor } from './refresh-token.ts'
import { findRefreshToken, revokeSession, rotateRefreshToken, type Transporte } from './session-queries.ts'

interface Deps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  sessions: { forgetSession(id: string): void }
}

/**
 * Exchanges a refresh token, which serves once, for its successor.
 *
 * Two tabs that refresh at once, or a client whose answer was lost, present the same token within seconds: they get
 * the same successor. Presented later, one of two holders is not the owner: the whole session ends and its owner is told.
 * @throws AppError unauthenticated `auth.invalid_refresh`, `auth.refresh_reused`
 */
export async function refreshSession(
  deps: Deps,
  presented: string,
  transporte: Transporte,
  origin: Origin,
  now: Date,
): Promise<{ sessionId: string; refreshToken: string }> {
  const { central } = deps
  const hash = hashToken(presented)
  const next = newToken()
  const until = new Date(now.getTime() + GRACE_MS)
  const successor = { id: uuidv7(), hash: hashToken(next), sealed: sealSuccessor(presented, next), until }
  const { ip, userAgent } = origin
  const sessionId = await rotateRefreshToken(central, {
    presented: hash,
    transporte,
    successor,
    ip,
    userAgent,
    at: now,
  })
  if (sessionId) return { sessionId, refreshToken: next }

  const token = await findRefreshToken(central, hash)
  if (!token || token.transporte !== transporte) throw invalidRefresh()
  // First of all: neither grace nor anything else brings an ended session back.
  if (token.revokedAt !== null || token.disabledAt !== null || token.expiresAt <= now || token.usedAt === null) {
    throw invalidRefresh()
  }
  const { successorSealed, successorUntil } = token
  if (successorSealed && successorUntil && now < successorUntil) {
    return { sessionId: token.sessionId, refreshToken: openSuccessor(presented, successorSealed) }
  }
  await endForReuse(deps, token, origin, now)
  throw refreshReused()
}

const GRACE_MS = 10_000

interface Reused {
  sessionId: string
  userId: string
  email: string
  nombre: string
}

async function endForReuse({ central, queue, sessions }: Deps, token: Reused, origin: Origin, now: Date) {
  const { sessionId, userId, email, nombre } = token
  const { ip, requestId, userAgent } = origin
  await central.transaction().execute(async (trx) => {
    if (!(await revokeSession(trx, { id: sessionId, userId }, 'reuso', now))) return // somebody else just did
    const deed = { at: now, action: 'sesion.reuso', actor: { userId, email }, tenantId: null }
    await writeAudit(trx, { ...deed, detail: { sesion: sessionId }, ip, requestId })
    await queueMail(trx, queue, {
      to: { email, nombre },
      template: 'sesion_cerrada',
      data: { nombre, cuando: now.toISOString(), ip, dispositivo: deviceName(userAgent) },
      dedupeKey: `sesion_cerrada:${sessionId}`,
    })
  })
  sessions.forgetSession(sessionId)
}
