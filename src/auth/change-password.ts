import { uuidv7 } from 'uuidv7'
import type { PasswordHasher } from '../crypto/password-hash.ts'
import type { CentralDb } from '../db/databases.ts'
import type { Principal } from '../http/principal.ts'
import type { Queue } from '../queue/queue.ts'
import { passwordRejected, sessionEnded } from './errors.ts'
import { type Client, type OpenedSession, openSession } from './open-session.ts'
import { reauthenticate } from './reauthenticate.ts'
import { findSession } from './session-queries.ts'
import { hashAcceptable, replacePassword } from './set-password.ts'
import { lockUser } from './user-queries.ts'

interface Deps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  passwords: PasswordHasher
  sessions: { forgetUser(id: string): void }
  config: { refreshTokenDays: number }
}

/**
 * Replaces the password of who is logged in and knows it. All sessions end, this one too; a new one takes its place on
 * this device, so that whatever was stolen before opens nothing afterwards.
 */
export async function changePassword(
  deps: Deps,
  { userId, sessionId }: Principal,
  { passwordActual, passwordNueva }: { passwordActual: string; passwordNueva: string },
  client: Omit<Client, 'transporte'>,
  now: Date,
): Promise<OpenedSession> {
  const { central, queue } = deps
  const user = await reauthenticate(deps, userId, passwordActual, now)
  if (passwordActual.normalize('NFC') === passwordNueva.normalize('NFC')) {
    throw passwordRejected('La contraseña nueva debe ser distinta de la actual.', 'passwordNueva')
  }
  const hash = await hashAcceptable(deps, user, passwordNueva, 'passwordNueva')

  const opened = await central.transaction().execute(async (trx) => {
    // Of two changes at once, the second was proven with a password that is none any more.
    const current = await lockUser(trx, userId)
    const session = await findSession(trx, sessionId)
    if (!current || !session || current.passwordHash !== user.passwordHash || session.revokedAt !== null)
      throw sessionEnded()
    const change = { user, hash, action: 'password.cambiada', key: uuidv7(), origin: client, now } as const
    await replacePassword(trx, queue, change)
    return openSession(trx, queue, {
      user,
      tenantId: session.tenantId,
      client: { ...client, transporte: session.transporte },
      days: deps.config.refreshTokenDays,
      action: 'sesion.iniciada',
      notify: false,
      now,
    })
  })
  deps.sessions.forgetUser(userId)
  return opened
}
