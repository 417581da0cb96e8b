import { uuidv7 } from 'uuidv7'
import type { PasswordHasher } from '../crypto/password-hash.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import type { Origin } from '../http/client-address.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { linkInvalid } from './errors.ts'
import { hashToken, newToken } from './refresh-token.ts'
import { hashAcceptable, replacePassword } from './set-password.ts'
import * as queries from './user-queries.ts'

interface Deps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  passwords: PasswordHasher
  sessions: { forgetUser(id: string): void }
}

/**
 * Mails a link that sets a new password, if `email` has an account; the caller learns nothing either way, and the route
 * answers after the same time. At most three links an hour, or anybody could fill a mailbox.
 */
export async function sendResetLink({ central, queue }: Deps, email: string, origin: Origin, now: Date): Promise<void> {
  const found = await queries.findUserByEmail(central, email)
  if (!found || found.disabledAt !== null) return
  await central.transaction().execute(async (trx) => {
    const user = await queries.lockUser(trx, found.id)
    const anHourAgo = new Date(now.getTime() - 3_600_000)
    if (!user || (await queries.countPasswordTokens(trx, user.id, anHourAgo)) >= LINKS_AN_HOUR) return
    const token = newToken()
    const id = uuidv7()
    const expiresAt = new Date(now.getTime() + LINK_MINUTES * 60_000)
    await queries.insertPasswordToken(trx, { id, userId: user.id, hash: hashToken(token), at: now, expiresAt })
    const actor = { userId: user.id, email: user.email }
    const { ip, requestId } = origin
    await writeAudit(trx, { at: now, action: 'password.enlace', actor, tenantId: null, ip, requestId })
    await queueMail(trx, queue, {
      to: user,
      template: 'restablecer',
      data: { nombre: user.nombre, token, venceEl: expiresAt.toISOString() },
      dedupeKey: `restablecer:${id}`,
    })
  })
}

const LINKS_AN_HOUR = 3
const LINK_MINUTES = 15

/**
 * Sets the password of whoever holds the link. It serves once; a password that is refused does not use it up.
 * @throws AppError gone `auth.link_invalid`, rejected `auth.password_rejected`
 */
export async function resetPassword(
  deps: Deps,
  { token, password }: { token: string; password: string },
  origin: Origin,
  now: Date,
): Promise<void> {
  const { central, queue } = deps
  const hash = hashToken(token)
  const userId = await queries.findPasswordToken(central, hash, now)
  const user = userId === undefined ? undefined : await queries.findUser(central, userId)
  if (!user || user.disabledAt !== null) throw linkInvalid()
  const passwordHash = await hashAcceptable(deps, user, password, 'password')
  await central.transaction().execute(async (trx) => {
    await queries.lockUser(trx, user.id)
    if ((await queries.spendPasswordToken(trx, hash, now)) === undefined) throw linkInvalid()
    const key = hash.toString('base64url')
    await replacePassword(trx, queue, { user, hash: passwordHash, action: 'password.restablecida', key, origin, now })
  })
  deps.sessions.forgetUser(user.id)
}
