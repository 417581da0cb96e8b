import type { PasswordHasher } from '../crypto/password-hash.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb, CentralTx } from '../db/databases.ts'
import type { Origin } from '../http/client-address.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { deleteCountersOf } from './counter-queries.ts'
import { deviceName } from './device-name.ts'
import { passwordRejected } from './errors.ts'
import { accountKey } from './login-tries.ts'
import { passwordProblem } from './password-policy.ts'
import { revokeSessions } from './session-queries.ts'
import { listCompanies, setPassword, spendPasswordTokensOf, type UserRow } from './user-queries.ts'

/** The hash of a password that may be used. @throws AppError rejected `auth.password_rejected` naming `field` */
export async function hashAcceptable(
  deps: { central: CentralDb; passwords: PasswordHasher },
  user: UserRow,
  password: string,
  field: string,
): Promise<string> {
  const empresas = await listCompanies(deps.central, user.id)
  const problem = passwordProblem(password, { email: user.email, nombre: user.nombre, empresas })
  if (problem) throw passwordRejected(problem, field)
  return deps.passwords.hash(password)
}

/**
 * Puts a new password in place: every session ends, every link that would set another is spent, what was counted
 * against the account is forgotten, and its owner is told, because it may not have been them.
 */
export async function replacePassword(
  trx: CentralTx,
  queue: Pick<Queue, 'enqueue'>,
  change: {
    user: UserRow
    hash: string
    action: 'password.cambiada' | 'password.restablecida'
    key: string
    origin: Origin
    now: Date
  },
): Promise<void> {
  const { user, hash, action, key, origin, now } = change
  const { ip, requestId, userAgent } = origin
  await setPassword(trx, user.id, hash, now)
  const ended = await revokeSessions(trx, user.id, action, now)
  await spendPasswordTokensOf(trx, user.id, now)
  await deleteCountersOf(trx, accountKey(user.email))
  const actor = { userId: user.id, email: user.email }
  await writeAudit(trx, {
    at: now,
    action,
    actor,
    tenantId: null,
    detail: { sesionesTerminadas: ended },
    ip,
    requestId,
  })
  await queueMail(trx, queue, {
    to: user,
    template: 'password_cambiada',
    data: { nombre: user.nombre, cuando: now.toISOString(), ip, dispositivo: deviceName(userAgent) },
    dedupeKey: `password_cambiada:${key}`,
  })
}
