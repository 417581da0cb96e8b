import type { CentralSql, TenantSql } from './databases.ts'

/** A deed on the platform. `detail` holds ids and names of things, never a secret. */
export interface Deed {
  at: Date
  action: string
  actor: { userId: string; email: string } | null
  tenantId: string | null
  detail?: object
  ip: string | null
  requestId: string | null
}

/** Writes a line of the platform's audit log. In the transaction of the deed, so that neither exists alone. */
export async function writeAudit(central: CentralSql, deed: Deed): Promise<void> {
  const { at, action, actor, tenantId, detail = {}, ip, requestId } = deed
  const who = { actor_id: actor?.userId ?? null, actor_email: actor?.email ?? null }
  const row = { at, action, ...who, tenant_id: tenantId, detail, ip, request_id: requestId }
  await central.insertInto('audit_log').values(row).execute()
}

/** What happened in a company, for its own eyes. */
export interface Suceso {
  ocurrioEn: Date
  usuario: { userId: string; email: string } | null
  esPlataforma: boolean
  accion: string
  motivo: string | null
  detalle?: object
  requestId: string | null
}

/** Writes a line of the company's own audit log. */
export async function writeAuditoria(db: TenantSql, suceso: Suceso): Promise<void> {
  const { ocurrioEn, usuario, esPlataforma, accion, motivo, detalle = {}, requestId } = suceso
  const quien = { usuario_id: usuario?.userId ?? null, usuario_email: usuario?.email ?? null }
  const row = { ocurrio_en: ocurrioEn, ...quien, es_plataforma: esPlataforma, accion, motivo, detalle }
  await db
    .insertInto('auditoria')
    .values({ ...row, request_id: requestId })
    .execute()
}
