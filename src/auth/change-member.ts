import { writeAudit } from '../db/audit.ts'
import type { CentralDb, CentralTx } from '../db/databases.ts'
import type { Rol } from '../http/access.ts'
import type { Origin } from '../http/client-address.ts'
import type { Principal } from '../http/principal.ts'
import { tenantNotFound } from '../tenants/errors.ts'
import { lockTenant } from '../tenants/queries.ts'
import { logSeats } from '../tenants/seat-queries.ts'
import { lastAdmin, userNotFound } from './errors.ts'
import { countOtherAdmins, deleteMembership, findMember, type MemberRow, setRole } from './member-queries.ts'

interface Deps {
  central: CentralDb
  sessions: { forgetUser(id: string): void }
}

interface Change {
  tenantId: string
  userId: string
  by: Principal
  origin: Origin
  now: Date
}

/** Gives a member another role, at once in all their sessions. @throws AppError `usuarios.not_found`, `usuarios.last_admin` */
export async function changeRole(deps: Deps, change: Change, rol: Rol): Promise<MemberRow> {
  const { tenantId, userId } = change
  const member = await deps.central.transaction().execute(async (trx) => {
    const before = await lockMember(trx, tenantId, userId)
    if (before.rol === rol) return before
    if (before.rol === 'admin') await keepAnAdmin(trx, tenantId, userId)
    await setRole(trx, tenantId, userId, rol)
    await writeChange(trx, change, 'usuario.papel', { usuario: userId, antes: before.rol, rol })
    return { ...before, rol }
  })
  deps.sessions.forgetUser(userId)
  return member
}

/** Takes a person out of a company; their account and other companies stay. @throws like `changeRole` */
export async function removeMember(deps: Deps, change: Change): Promise<void> {
  const { tenantId, userId } = change
  await deps.central.transaction().execute(async (trx) => {
    const member = await lockMember(trx, tenantId, userId)
    if (member.rol === 'admin') await keepAnAdmin(trx, tenantId, userId)
    await deleteMembership(trx, tenantId, userId)
    await logSeats(trx, { tenantId, userId, at: change.now })
    await writeChange(trx, change, 'usuario.retirado', { usuario: userId, rol: member.rol })
  })
  deps.sessions.forgetUser(userId)
}

/** Under the lock of the company: two admins who remove each other at once would leave none. */
async function lockMember(trx: CentralTx, tenantId: string, userId: string): Promise<MemberRow> {
  if (!(await lockTenant(trx, tenantId))) throw tenantNotFound()
  const member = await findMember(trx, tenantId, userId)
  if (!member) throw userNotFound()
  return member
}

async function keepAnAdmin(trx: CentralTx, tenantId: string, userId: string): Promise<void> {
  if ((await countOtherAdmins(trx, tenantId, userId)) === 0) throw lastAdmin()
}

async function writeChange(trx: CentralTx, change: Change, action: string, detail: object): Promise<void> {
  const { tenantId, by, origin, now } = change
  const actor = { userId: by.userId, email: by.email }
  await writeAudit(trx, { at: now, action, actor, tenantId, detail, ip: origin.ip, requestId: origin.requestId })
}
