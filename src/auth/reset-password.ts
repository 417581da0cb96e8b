import { uuidv7 } from 'uuidv7'
import type { PasswordHasher } from '../crypto/password-hash.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import { AppError } from '../errors.ts'
import { networkOf, type Origin } from '../http/client-address.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { linkInvalid } from './errors.ts'
import { linkCounters, reserveTry } from './login-tries.ts'
import { deviceIdOf, hashToken, newToken } from './refresh-token.ts'
import { findFamiliarity } from './session-queries.ts'
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
 * answers after the same time. At most three links an hour, or anybody could fill a mailbox; strangers who use theirs up
 * leave those of the person's own devices and networks.
 */
export async function sendResetLink({ central, queue }: Deps, email: string, client: Asking, now: Date): Promise<void> {
  const found = await queries.findUserByEmail(central, email)
  if (!found || found.disabledAt !== null) return
  if (!(await hasLinkLeft(central, found, client, now))) return
  await central.transaction().execute(async (trx) => {
    const user = await queries.lockUser(trx, found.id)
    if (!user || user.disabledAt !== null) return
    const token = newToken()
    const id = uuidv7()
    const expiresAt = new Date(now.getTime() + LINK_MINUTES * 60_000)
    await queries.insertPasswordToken(trx, { id, userId: user.id, hash: hashToken(token), at: now, expiresAt })
    const actor = { userId: user.id, email: user.email }
    const { ip, requestId } = client
    await writeAudit(trx, { at: now, action: 'password.enlace', actor, tenantId: null, ip, requestId })
    await queueMail(trx, queue, {
      to: user,
      template: 'restablecer',
      data: { nombre: user.nombre, token, venceEl: expiresAt.toISOString() },
      dedupeKey: `restablecer:${id}`,
    })
  })
}

/** Who asks for a link, as far as they can be known. */
export type Asking = Origin & { deviceToken: string | null }

/** Counted before the link is made: of four who ask at once the fourth gets none. */
async function hasLinkLeft(central: CentralDb, user: queries.UserRow, client: Asking, now: Date): Promise<boolean> {
  const device = client.deviceToken === null ? null : deviceIdOf(client.deviceToken)
  const network = networkOf(client.ip ?? '')
  const known = await findFamiliarity(central, user.id, device, network)
  const source = { email: user.email, network, knownDevice: known.device ? device : null, knownNetwork: known.network }
  try {
    await reserveTry(central, linkCounters(source), now)
    return true
  } catch (error) {
    if (error instanceof AppError && error.kind === 'too_many') return false
    throw error
  }
}

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
