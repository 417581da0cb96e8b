import { uuidv7 } from 'uuidv7'
import type { PasswordHasher } from '../crypto/password-hash.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb } from '../db/databases.ts'
import type { Centavos } from '../fiscal/money.ts'
import type { Rol } from '../http/access.ts'
import type { Origin } from '../http/client-address.ts'
import type { Principal } from '../http/principal.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { tenantNotFound } from '../tenants/errors.ts'
import { lockTenant } from '../tenants/queries.ts'
import { logSeats } from '../tenants/seat-queries.ts'
import { temporaryPassword, temporaryPasswordHours } from '../tenants/temporary-password.ts'
import type { AuthDeps, Seats } from './auth.ts'
import { alreadyMember, userLimitReached } from './errors.ts'
import { findMember, insertMembership, type MemberRow } from './member-queries.ts'
import { findUser, findUserByEmail, insertUser } from './user-queries.ts'

interface Deps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  passwords: PasswordHasher
  sessions: { forgetUser(id: string): void }
  seats: AuthDeps['seats']
}

export interface Invitation {
  email: string
  nombre: string
  rol: Rol
}

export interface Invited extends MemberRow {
  /** What this person adds to every period of a plan that lets in more than it includes; null when nothing. */
  extraC: Centavos | null
}

/**
 * Gives a person a place in a company. Who has an account keeps it, name and password included; who has none gets one
 * with a temporary password, mailed to them and shown to nobody.
 *
 * Seats are counted under the lock of the company: two invitations at once cannot share the last one.
 * @throws AppError conflict `usuarios.already_member`, payment_required `limit_reached`
 */
export async function inviteUser(
  deps: Deps,
  tenantId: string,
  by: Principal,
  invitation: Invitation,
  origin: Origin,
  now: Date,
): Promise<Invited> {
  const { central, queue } = deps
  const { email, nombre, rol } = invitation
  const existing = await findUserByEmail(central, email)
  const access = existing ? null : await newAccess(deps.passwords, now)

  const member = await central.transaction().execute(async (trx) => {
    const company = await lockTenant(trx, tenantId)
    if (!company) throw tenantNotFound()
    const added = access && (await insertUser(trx, { id: uuidv7(), email, nombre, ...access, at: now }))
    const userId = added ?? (await findUserByEmail(trx, email))?.id
    if (!userId) throw new Error('the user of an invitation vanished')
    if (!(await insertMembership(trx, { userId, tenantId, rol, at: now }))) throw alreadyMember(email)
    // After the insert, which a refusal takes back: somebody who is a member already is told that, not this.
    const extraC = costBeyond(await deps.seats(trx, tenantId, now))
    await logSeats(trx, { tenantId, userId, at: now })

    const acceso =
      added && access ? { password: access.password, venceEl: access.passwordExpiresAt.toISOString() } : null
    const inviter = await findUser(trx, by.userId)
    const invitadoPor = inviter?.nombre ?? by.email
    const user = await findMember(trx, tenantId, userId)
    if (!user) throw new Error('the member of an invitation vanished')
    await queueMail(trx, queue, {
      to: user,
      template: 'invitacion',
      data: { nombre: user.nombre, empresa: company.nombre, rfc: company.rfc, rol, invitadoPor, email, acceso },
      dedupeKey: `invitacion:${uuidv7()}`,
      tenantId,
    })
    const deed = { at: now, action: 'usuario.invitado', actor: { userId: by.userId, email: by.email }, tenantId }
    const detail = { usuario: userId, rol }
    await writeAudit(trx, { ...deed, detail, ip: origin.ip, requestId: origin.requestId })
    return { ...user, extraC }
  })
  deps.sessions.forgetUser(member.id)
  return member
}

async function newAccess(passwords: PasswordHasher, now: Date) {
  const password = temporaryPassword()
  const passwordExpiresAt = new Date(now.getTime() + temporaryPasswordHours * 3_600_000)
  return { password, passwordHash: await passwords.hash(password), passwordExpiresAt }
}

/** What the last of these people costs per period. @throws AppError payment_required `limit_reached` */
function costBeyond({ used, max, mode, extraUserC }: Seats): Centavos | null {
  if (max < 0 || used <= max) return null
  if (mode === 'hard') throw userLimitReached(used - 1, max)
  return extraUserC
}
