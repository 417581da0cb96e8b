import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'
import { COMPONENTS, type Sealed } from './operation-queries.ts'

/** An e.firma without its bytes: what people may see. */
export interface FielRow {
  id: string
  rfc: string
  nombre: string
  rfcRepresentante: string | null
  serial: string
  validFrom: Date
  validTo: Date
  /** Null once it has ended: nothing sealed is left. */
  kid: string | null
  uploadedByEmail: string | null
  createdAt: Date
  endedAt: Date | null
  endedHow: 'replaced' | 'deleted' | null
  endedByEmail: string | null
  problemCode: string | null
  problemMessage: string | null
  problemAt: Date | null
  lastUsedAt: Date | null
}

/** What is in its row when it is new. */
export interface NewFiel {
  id: string
  tenantId: string
  rfc: string
  nombre: string
  rfcRepresentante: string | null
  serial: string
  validFrom: Date
  validTo: Date
  /** SHA-256 of the certificate. */
  fingerprint: Buffer
  sealed: Sealed
  kid: string
  by: Who
  now: Date
}

interface Who {
  userId: string
  email: string
}

/** The living one of a company. */
export async function findFiel(db: CentralSql, tenantId: string): Promise<FielRow | undefined> {
  return fieles(db).where('tenant_id', '=', tenantId).where('ended_at', 'is', null).executeTakeFirst()
}

/** All that a company ever had, the newest first. */
export async function listFieles(db: CentralSql, tenantId: string, limit: number): Promise<FielRow[]> {
  return fieles(db)
    .where('tenant_id', '=', tenantId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** The living one with its bytes, to be opened. */
export async function findSealedFiel(
  db: CentralSql,
  tenantId: string,
): Promise<(FielRow & { sealed: Sealed }) | undefined> {
  const row = await fieles(db)
    .select(COMPONENTS)
    .where('tenant_id', '=', tenantId)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (!row) return undefined
  const { certificate, private_key, password, ...fiel } = row
  // The table promises it of a living row.
  if (!certificate || !private_key || !password) throw new Error(`e.firma ${row.id} has lost its bytes`)
  return { ...fiel, sealed: { certificate, private_key, password } }
}

export async function insertFiel(trx: CentralTx, fiel: NewFiel): Promise<void> {
  await trx
    .insertInto('fiel_credentials')
    .values({
      id: fiel.id,
      tenant_id: fiel.tenantId,
      rfc: fiel.rfc,
      serial: fiel.serial,
      nombre: fiel.nombre,
      rfc_representante: fiel.rfcRepresentante,
      valid_from: fiel.validFrom,
      valid_to: fiel.validTo,
      fingerprint: fiel.fingerprint,
      ...fiel.sealed,
      kid: fiel.kid,
      uploaded_by: fiel.by.userId,
      uploaded_by_email: fiel.by.email,
      created_at: fiel.now,
    })
    .execute()
}

/** Ends the living one, if there is one: from the commit on, nothing sealed of it is left here. */
export async function endFiel(
  trx: CentralTx,
  tenantId: string,
  { how, by, now }: { how: 'replaced' | 'deleted'; by: Who; now: Date },
): Promise<{ id: string; serial: string } | undefined> {
  return trx
    .updateTable('fiel_credentials')
    .set({
      ended_at: now,
      ended_how: how,
      ended_by: by.userId,
      ended_by_email: by.email,
      certificate: null,
      private_key: null,
      password: null,
      kid: null,
      version: sql`version + 1`,
    })
    .where('tenant_id', '=', tenantId)
    .where('ended_at', 'is', null)
    .returning(['id', 'serial'])
    .executeTakeFirst()
}

/** @returns whether it is news: a living one that had no such problem */
export async function setFielProblem(
  db: CentralSql,
  id: string,
  { code, message }: { code: string; message: string },
  now: Date,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('fiel_credentials')
    .set({ problem_code: code, problem_message: message, problem_at: now })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .where('problem_code', 'is distinct from', code)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Once a day is enough to see which are used. */
export async function touchFiel(db: CentralSql, id: string, now: Date): Promise<void> {
  await db.updateTable('fiel_credentials').set({ last_used_at: now }).where('id', '=', id).execute()
}

/**
 * The company's standing order to synchronise: made with its first e.firma. A new one lifts whatever kept it from being
 * carried out, and it is due now.
 */
export async function orderSync(
  trx: CentralTx,
  tenantId: string,
  { historyFrom, now }: { historyFrom: string; now: Date },
): Promise<void> {
  const due = {
    next_run_at: now,
    paused_code: null,
    paused_message: null,
    paused_at: null,
    look_again_at: null,
    updated_at: now,
  }
  await trx
    .insertInto('sat_sync_settings')
    .values({ tenant_id: tenantId, history_from: historyFrom, created_at: now, ...due })
    .onConflict((oc) => oc.column('tenant_id').doUpdateSet(due))
    .execute()
}

const fieles = (db: CentralSql) =>
  db
    .selectFrom('fiel_credentials')
    .select(['id', 'rfc', 'nombre', 'rfc_representante as rfcRepresentante', 'serial', 'kid'])
    .select(['valid_from as validFrom', 'valid_to as validTo', 'last_used_at as lastUsedAt'])
    .select(['uploaded_by_email as uploadedByEmail', 'created_at as createdAt'])
    .select(['ended_at as endedAt', 'ended_how as endedHow', 'ended_by_email as endedByEmail'])
    .select(['problem_code as problemCode', 'problem_message as problemMessage', 'problem_at as problemAt'])
