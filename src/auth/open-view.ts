import { uuidv7 } from 'uuidv7'
import { writeAudit, writeAuditoria } from '../db/audit.ts'
import type { CentralDb, TenantDb } from '../db/databases.ts'
import { normalizeRfc } from '../fiscal/rfc.ts'
import type { Origin } from '../http/client-address.ts'
import type { Principal } from '../http/principal.ts'
import { tenantNotFound } from '../tenants/errors.ts'
import { findTenant, findTenantByRfc } from '../tenants/queries.ts'
import * as queries from './view-queries.ts'

interface Deps {
  central: CentralDb
  tenants: { use<T>(tenantId: string, work: (db: TenantDb) => Promise<T>): Promise<T> }
  sessions: { forgetSession(id: string): void }
}

const MINUTES = 15
const LONGEST_MINUTES = 60

/**
 * Opens a company to platform staff for 15 minutes, or prolongs the vista that is open, up to 60 minutes from its
 * beginning. A session looks into one company at a time. Raising a vista to writing is a new vista with the old limit.
 *
 * The company's own log is written first: a database that cannot be told about the vista is not opened.
 */
export async function openView(
  deps: Deps,
  user: Principal,
  { tenant, motivo, escritura }: { tenant: string; motivo: string; escritura: boolean },
  origin: Origin,
  now: Date,
): Promise<void> {
  const { central } = deps
  const { userId, email, sessionId } = user
  const { ip, requestId } = origin
  const company = await resolveCompany(central, tenant)
  await deps.tenants.use(company.id, (db) =>
    writeAuditoria(db, {
      ocurrioEn: now,
      usuario: { userId, email },
      esPlataforma: true,
      accion: 'vista.abierta',
      motivo,
      detalle: { escritura },
      requestId,
    }),
  )
  await central.transaction().execute(async (trx) => {
    await queries.lockSession(trx, sessionId)
    const open = await queries.findOpenView(trx, sessionId)
    const continues = open !== undefined && open.tenantId === company.id && open.expiresAt > now
    const limitAt = continues ? open.limitAt : minutesAfter(now, LONGEST_MINUTES)
    const expiresAt = earlier(minutesAfter(now, MINUTES), limitAt)
    let id = open?.id ?? ''
    if (continues && open.escritura === escritura) {
      await queries.extendView(trx, open.id, motivo, expiresAt)
    } else {
      if (open) await queries.endView(trx, open.id, earlier(now, open.expiresAt))
      id = uuidv7()
      await queries.insertView(trx, {
        id,
        userId,
        sessionId,
        tenantId: company.id,
        motivo,
        escritura,
        at: now,
        expiresAt,
        limitAt,
      })
    }
    const detail = { vista: id, motivo, escritura, venceEn: expiresAt }
    const deed = { at: now, action: 'vista.abierta', actor: { userId, email }, tenantId: company.id }
    await writeAudit(trx, { ...deed, detail, ip, requestId })
  })
  deps.sessions.forgetSession(sessionId)
}

/** Ends the vista of a session, if it has one. */
export async function endView(deps: Deps, user: Principal, origin: Origin, now: Date): Promise<void> {
  const { userId, email, sessionId } = user
  const { ip, requestId } = origin
  await deps.central.transaction().execute(async (trx) => {
    await queries.lockSession(trx, sessionId)
    const open = await queries.findOpenView(trx, sessionId)
    if (!open) return
    await queries.endView(trx, open.id, earlier(now, open.expiresAt))
    const deed = { at: now, action: 'vista.cerrada', actor: { userId, email }, tenantId: open.tenantId }
    await writeAudit(trx, { ...deed, detail: { vista: open.id }, ip, requestId })
  })
  deps.sessions.forgetSession(sessionId)
}

/** @throws AppError not_found: deleted companies too, their databases are not to be looked into */
async function resolveCompany(central: CentralDb, named: string) {
  const company = UUID.test(named)
    ? await findTenant(central, named.toLowerCase())
    : await findTenantByRfc(central, normalizeRfc(named))
  if (!company || company.deletedAt !== null) throw tenantNotFound()
  return company
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

const minutesAfter = (at: Date, minutes: number) => new Date(at.getTime() + minutes * 60_000)
const earlier = (a: Date, b: Date) => (a < b ? a : b)
