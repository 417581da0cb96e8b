import { uuidv7 } from 'uuidv7'
import type { PasswordHasher } from '../crypto/password-hash.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import { networkOf } from '../http/client-address.ts'
import type { Queue } from '../queue/queue.ts'
import { invalidCredentials, temporaryPasswordExpired } from './errors.ts'
import { accountKey, giveBackTry, loginCounters, type ReservedTry, reserveTry } from './login-tries.ts'
import { type Client, type OpenedSession, openSession } from './open-session.ts'
import { deviceIdOf } from './refresh-token.ts'
import { findFamiliarity } from './session-queries.ts'
import { chooseCompany, findUser, findUserByEmail, lockUser, renewPasswordHash, type UserRow } from './user-queries.ts'

interface Deps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  passwords: PasswordHasher
  config: { refreshTokenDays: number }
}

/**
 * Opens a session for who knows the password of `email`.
 *
 * An unknown e-mail takes the same queries, counters and hash as a known one, and gets the same answer.
 * @throws AppError `auth.invalid_credentials`, `auth.delayed`, `auth.busy`; `auth.temporary_password_expired` only to
 *   who knew that password
 */
export async function logIn(
  deps: Deps,
  { email, password }: { email: string; password: string },
  client: Client,
  now: Date,
): Promise<OpenedSession> {
  const { central } = deps
  const user = await findUserByEmail(central, email)
  const device = client.deviceToken === null ? null : deviceIdOf(client.deviceToken)
  const network = networkOf(client.ip ?? '')
  const known = await findFamiliarity(central, user?.id ?? uuidv7(), device, network)
  const source = { email, network, knownDevice: known.device ? device : null, knownNetwork: known.network }
  const tried = await reserveTry(central, loginCounters(source), now)

  const right = await verified(deps, user, password, tried, now)
  if (!right || !user || user.disabledAt !== null) {
    await writeFailure(central, user, email, client, now)
    throw invalidCredentials()
  }
  await giveBackTry(central, tried, true, now)
  if (user.passwordTemporal && user.passwordExpiresAt !== null && user.passwordExpiresAt <= now) {
    throw temporaryPasswordExpired()
  }
  const proven = await withTodaysCost(deps, user, password)
  const tenantId = await chooseCompany(central, user.id)
  // Clients without cookies cannot show their device: there the network stands for it.
  const notify = known.any && (client.transporte === 'cookie' ? !known.device : !known.network)
  return central.transaction().execute(async (trx) => {
    // While we hashed, somebody may have set another password, which ended all sessions: this must not begin a new one.
    const current = await lockUser(trx, user.id)
    if (proven === null || current?.passwordHash !== proven || current.disabledAt !== null) throw invalidCredentials()
    const opening = {
      user,
      tenantId,
      client,
      days: deps.config.refreshTokenDays,
      action: 'sesion.iniciada',
      notify,
      now,
    }
    return openSession(trx, deps.queue, opening)
  })
}

/** The hash as it is stored now: made again while the password is at hand, if it was made with less. */
async function withTodaysCost({ central, passwords }: Deps, user: UserRow, password: string): Promise<string | null> {
  const { id, passwordHash } = user
  if (passwordHash === null || !passwords.isOutdated(passwordHash)) return passwordHash
  const renewed = await passwords.hash(password)
  if (await renewPasswordHash(central, id, passwordHash, renewed)) return renewed
  // Another login of theirs was first, or the password was changed: only the new hash can tell which.
  const stored = (await findUser(central, id))?.passwordHash ?? null
  return (await passwords.verify(stored, password)) ? stored : null
}

async function verified(deps: Deps, user: UserRow | undefined, password: string, tried: ReservedTry, now: Date) {
  try {
    return await deps.passwords.verify(user?.passwordHash ?? null, password)
  } catch (error) {
    await giveBackTry(deps.central, tried, false, now) // never compared: the machine was busy
    throw error
  }
}

/** People type their password into the field of the e-mail: an e-mail nobody has is not written down. */
async function writeFailure(central: CentralDb, user: UserRow | undefined, email: string, client: Client, now: Date) {
  const actor = user ? { userId: user.id, email: user.email } : null
  const detail = { cuenta: accountKey(email), ...(user?.disabledAt && { inactivo: true }) }
  const { ip, requestId } = client
  await writeAudit(central, { at: now, action: 'sesion.rechazada', actor, tenantId: null, detail, ip, requestId })
}
