import { sql } from 'kysely'
import type { CentralSql, CentralTx, TenantTx } from '../db/databases.ts'
import { COMPONENTS, type Sealed } from './operation-queries.ts'

/** Whose e.firma it is, and the folder's two names. Also of one that has ended. */
export interface FilesOwner {
  tenantId: string
  rfc: string
  number: string
}

/** What an e.firma had happen to it that the files do not show yet. */
export interface PendingFiel {
  id: string
  serial: string
  filesVersion: number
  by: { userId: string; email: string } | null
  createdAt: Date
  endedAt: Date | null
  endedHow: 'replaced' | 'deleted' | null
  endedBy: { userId: string; email: string } | null
}

export interface LivingFiel {
  id: string
  version: number
  rfc: string
  nombre: string
  rfcRepresentante: string | null
  serial: string
  validFrom: Date
  validTo: Date
  createdAt: Date
  sealed: Sealed
}

export async function findFilesOwner(db: CentralSql, credentialId: string): Promise<FilesOwner | undefined> {
  return db
    .selectFrom('fiel_credentials as c')
    .innerJoin('tenants as t', 't.id', 'c.tenant_id')
    .select(['t.id as tenantId', 'c.rfc', 't.number'])
    .where('c.id', '=', credentialId)
    .executeTakeFirst()
}

/** Held until the transaction ends: one folder has one writer, and what it reads then is the newest there is. */
export async function lockFielFiles(trx: CentralTx, tenantId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`fiel.files:${tenantId}`}, 0))`.execute(trx)
}

export async function findLivingFiel(trx: CentralTx, tenantId: string): Promise<LivingFiel | undefined> {
  const row = await trx
    .selectFrom('fiel_credentials')
    .select(['id', 'version', 'rfc', 'nombre', 'rfc_representante as rfcRepresentante', 'serial'])
    .select(['valid_from as validFrom', 'valid_to as validTo', 'created_at as createdAt', ...COMPONENTS])
    .where('tenant_id', '=', tenantId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (!row) return undefined
  const { certificate, private_key, password, ...fiel } = row
  if (!certificate || !private_key || !password) throw new Error(`e.firma ${row.id} has lost its bytes`)
  return { ...fiel, sealed: { certificate, private_key, password } }
}

/** Those of a company that are new, have changed or have ended since their files were written. */
export async function findPendingFieles(trx: CentralTx, tenantId: string): Promise<PendingFiel[]> {
  const rows = await trx
    .selectFrom('fiel_credentials')
    .select(['id', 'serial', 'files_version', 'created_at', 'ended_at', 'ended_how'])
    .select(['uploaded_by', 'uploaded_by_email', 'ended_by', 'ended_by_email'])
    .where('tenant_id', '=', tenantId)
    .where((eb) =>
      eb.or([
        eb.and([eb('ended_at', 'is', null), eb('files_version', '<>', eb.ref('version'))]),
        eb.and([eb('ended_at', 'is not', null), eb('files_version', '<>', -1)]),
      ]),
    )
    .orderBy('created_at')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    serial: row.serial,
    filesVersion: row.files_version,
    by: who(row.uploaded_by, row.uploaded_by_email),
    createdAt: row.created_at,
    endedAt: row.ended_at,
    endedHow: row.ended_how,
    endedBy: who(row.ended_by, row.ended_by_email),
  }))
}

const who = (userId: string | null, email: string | null) => (userId && email ? { userId, email } : null)

/** The files show this version now, and nothing of those that had ended. What has changed meanwhile stays as it is. */
export async function markFielFiles(
  db: CentralSql,
  { living, ended }: { living: { id: string; version: number } | undefined; ended: readonly string[] },
): Promise<void> {
  if (living)
    await db
      .updateTable('fiel_credentials')
      .set({ files_version: living.version })
      .where('id', '=', living.id)
      .where('version', '=', living.version)
      .where('ended_at', 'is', null)
      .execute()
  if (ended.length > 0)
    await db.updateTable('fiel_credentials').set({ files_version: -1 }).where('id', 'in', ended).execute()
}

/**
 * Ends the e.firmas of companies that were purged: nothing of theirs is kept, and nobody of theirs is left to ask for it.
 * @returns their ids
 */
export async function endPurgedFieles(trx: CentralTx, now: Date): Promise<string[]> {
  const purged = trx
    .selectFrom('tenants as t')
    .leftJoin('tenant_databases as d', 'd.tenant_id', 't.id')
    .select('t.id')
    .where('t.deleted_at', 'is not', null)
    .where((eb) => eb.or([eb('d.state', '=', 'purged'), eb('d.state', 'is', null)]))
  const sealed = { certificate: null, private_key: null, password: null, kid: null }
  const rows = await trx
    .updateTable('fiel_credentials')
    .set({ ended_at: now, ended_how: 'deleted', ...sealed, version: sql`version + 1` })
    .where('ended_at', 'is', null)
    .where('tenant_id', 'in', purged)
    .returning('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** What the company's own log says already: `<action> <credential>`. Held against another who would write the same. */
export async function findNoted(trx: TenantTx, ids: readonly string[]): Promise<Set<string>> {
  await sql`select pg_advisory_xact_lock(hashtextextended('fiel.auditoria', 0))`.execute(trx)
  const rows = await trx
    .selectFrom('auditoria')
    .select(['accion', sql<string>`detalle->>'credencial'`.as('credencial')])
    .where('accion', 'in', ['fiel.subida', 'fiel.reemplazada', 'fiel.eliminada'])
    .where(sql<string>`detalle->>'credencial'`, 'in', ids)
    .execute()
  return new Set(rows.map(({ accion, credencial }) => `${accion} ${credencial}`))
}
