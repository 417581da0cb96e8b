import { uuidv7 } from 'uuidv7'
import type { PasswordHasher } from '../crypto/password-hash.ts'
import { writeAudit } from '../db/audit.ts'
import type { CentralDb, CentralTx } from '../db/databases.ts'
import type { Rol } from '../http/access.ts'
import type { Origin } from '../http/client-address.ts'
import type { Principal } from '../http/principal.ts'
import { queueMail } from '../mail/outbox.ts'
import type { Queue } from '../queue/queue.ts'
import { tenantNotFound } from '../tenants/errors.ts'
import { lockTenant } from '../tenants/queries.ts'
import { temporaryPassword, temporaryPasswordHours } from '../tenants/temporary-password.ts'
import { alreadyMember, userLimitReached } from './errors.ts'
import { countSeats, findMember, insertMembership, type MemberRow } from './member-queries.ts'
import { findUser, findUserByEmail, insertUser } from './user-queries.ts'

interface Deps {
  central: CentralDb
  queue: Pick<Queue, 'enqueue'>
  passwords: PasswordHasher
  sessions: { forgetUser(id: string): void }
}

export interface Invitation {
  email: string
  nombre: string
  rol: Rol
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
): Promise<MemberRow> {
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
    await refuseBeyondSeats(trx, tenantId)

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
    return user
  })
  deps.sessions.forgetUser(member.id)
  return member
}

async function newAccess(passwords: PasswordHasher, now: Date) {
  const password = temporaryPassword()
  const passwordExpiresAt = new Date(now.getTime() + temporaryPasswordHours * 3_600_000)
  return { password, passwordHash: await passwords.hash(password), passwordExpiresAt }
}

/** After the insert, which the failure takes back: somebody who is a member already is told that, not this. */
async function refuseBeyondSeats(trx: CentralTx, tenantId: string): Promise<void> {
  const { used, limit } = await countSeats(trx, tenantId)
  if (limit >= 0 && used > limit) throw userLimitReached(limit)
}
