import { uuidv7 } from 'uuidv7'
import { writeAudit } from '../db/audit.ts'
import type { CentralTx } from '../db/databases.ts'
import type { Origin } from '../http/client-address.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { deviceName } from './device-name.ts'
import { deviceIdOf, hashToken, newToken } from './refresh-token.ts'
import { insertRefreshToken, insertSession, type Transporte } from './session-queries.ts'

/** Where a session is opened from: its origin, and the device if it said which. */
export interface Client extends Origin {
  /** The token of the device cookie; null on a device that has none yet, or keeps no cookies. */
  deviceToken: string | null
  transporte: Transporte
}

/** What the client keeps. The database only has their hashes. */
export interface OpenedSession {
  sessionId: string
  refreshToken: string
  deviceToken: string
  expiresAt: Date
  transporte: Transporte
}

interface Opening {
  user: { id: string; email: string; nombre: string }
  tenantId: string | null
  client: Client
  days: number
  /** Why, in the audit log: `sesion.iniciada`, `password.cambiada`. */
  action: string
  /** Tell the person, who has not been seen on this device before. */
  notify: boolean
  now: Date
}

/** A session with its first refresh token, written down, and told to its owner if the device is new. */
export async function openSession(
  trx: CentralTx,
  queue: Pick<Queue, 'enqueue'>,
  opening: Opening,
): Promise<OpenedSession> {
  const { user, tenantId, client, days, action, notify, now } = opening
  const { ip, userAgent, requestId, transporte } = client
  const sessionId = uuidv7()
  const refreshToken = newToken()
  const deviceToken = client.deviceToken ?? newToken()
  const expiresAt = new Date(now.getTime() + days * 86_400_000)
  const deviceId = deviceIdOf(deviceToken)
  const session = { id: sessionId, userId: user.id, tenantId, transporte, deviceId, userAgent, ip, at: now, expiresAt }
  await insertSession(trx, session)
  await insertRefreshToken(trx, { id: uuidv7(), sessionId, hash: hashToken(refreshToken), at: now, expiresAt })
  const actor = { userId: user.id, email: user.email }
  await writeAudit(trx, { at: now, action, actor, tenantId, detail: { sesion: sessionId }, ip, requestId })
  if (notify) {
    await queueMail(trx, queue, {
      to: user,
      template: 'sesion_nueva',
      data: { nombre: user.nombre, cuando: now.toISOString(), ip, dispositivo: deviceName(userAgent) },
      dedupeKey: `sesion_nueva:${sessionId}`,
    })
  }
  return { sessionId, refreshToken, deviceToken, expiresAt, transporte }
}
