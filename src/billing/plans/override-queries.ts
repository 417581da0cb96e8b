import { type Selectable, sql } from 'kysely'
import { z } from 'zod'
import type { CentralSql, CentralTx } from '../../db/databases.ts'
import type { CentralTenantOverrides } from '../../db/tables.ts'
import { features } from './features.ts'
import { limitKeys, type Override, type OverrideTerms, priceKeys } from './override.ts'

/** What a company has beyond or below its plan at `now`, the last made last: of two about one thing that one counts. */
export async function findOverrides(db: CentralSql, tenantId: string, now: Date): Promise<Override[]> {
  const rows = await overrides(db, tenantId)
    .where('revoked_at', 'is', null)
    .where('valid_from', '<=', now)
    .where((eb) => eb.or([eb('valid_to', 'is', null), eb('valid_to', '>', now)]))
    .orderBy('id')
    .execute()
  return rows.flatMap(toOverride)
}

/** When the answer of `findOverrides` next changes by itself; null when it does not. */
export async function findOverrideChange(db: CentralSql, tenantId: string, now: Date): Promise<Date | null> {
  const row = await db
    .selectFrom('tenant_overrides')
    .select(
      sql<Date | null>`least(min(valid_from) filter (where valid_from > ${now}), min(valid_to) filter (where valid_to > ${now}))`.as(
        'at',
      ),
    )
    .where('tenant_id', '=', tenantId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return row?.at ?? null
}

/** An override and how it came to be. */
export interface OverrideRecord {
  override: Override
  reason: string
  createdBy: { id: string; email: string } | null
  createdAt: Date
  revokedAt: Date | null
}

/** All there ever were, the newest first. */
export async function listOverrides(
  db: CentralSql,
  tenantId: string,
  { before, limit }: { before?: string | undefined; limit: number },
): Promise<OverrideRecord[]> {
  let query = records(db, tenantId)
  if (before) query = query.where('o.id', '<', before)
  const rows = await query.orderBy('o.id', 'desc').limit(limit).execute()
  return rows.flatMap(toRecord)
}

export async function findOverride(db: CentralSql, tenantId: string, id: string): Promise<OverrideRecord | undefined> {
  const row = await records(db, tenantId).where('o.id', '=', id).executeTakeFirst()
  return row && toRecord(row)[0]
}

export async function insertOverride(
  trx: CentralTx,
  row: { tenantId: string; override: Override; reason: string; createdBy: string | null; createdAt: Date },
): Promise<void> {
  const { id, validFrom, validTo } = row.override
  await trx
    .insertInto('tenant_overrides')
    .values({
      id,
      tenant_id: row.tenantId,
      ...columnsOf(row.override),
      valid_from: validFrom,
      valid_to: validTo,
      reason: row.reason,
      created_by: row.createdBy,
      created_at: row.createdAt,
    })
    .execute()
}

/** True when it was in force or to come; false when it was revoked before or is not this company's. */
export async function revokeOverrideRow(trx: CentralTx, tenantId: string, id: string, at: Date): Promise<boolean> {
  const row = await trx
    .updateTable('tenant_overrides')
    .set({ revoked_at: at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

const overrides = (db: CentralSql, tenantId: string) =>
  db.selectFrom('tenant_overrides').selectAll().where('tenant_id', '=', tenantId)

const records = (db: CentralSql, tenantId: string) =>
  db
    .selectFrom('tenant_overrides as o')
    .leftJoin('users as u', 'u.id', 'o.created_by')
    .selectAll('o')
    .select(['u.id as userId', 'u.email as userEmail'])
    .where('o.tenant_id', '=', tenantId)

function columnsOf(terms: OverrideTerms) {
  switch (terms.kind) {
    case 'feature':
      return { kind: terms.kind, key: terms.key, enabled: terms.enabled, amount: null }
    case 'limit':
      return { kind: terms.kind, key: terms.key, enabled: null, amount: terms.limit }
    case 'price':
      return { kind: terms.kind, key: terms.key, enabled: null, amount: terms.priceC }
  }
}

type Row = Selectable<CentralTenantOverrides>

/** None for a feature that this release does not know: a later one, beside which it still runs, put it there. */
function toOverride(row: Row): Override[] {
  const terms = Terms.safeParse(row)
  return terms.success ? [{ id: row.id, validFrom: row.valid_from, validTo: row.valid_to, ...terms.data }] : []
}

function toRecord(row: Row & { userId: string | null; userEmail: string | null }): OverrideRecord[] {
  const { userId, userEmail } = row
  const createdBy = userId === null || userEmail === null ? null : { id: userId, email: userEmail }
  return toOverride(row).map((override) => ({
    override,
    reason: row.reason,
    createdBy,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }))
}

const Terms = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('feature'), key: z.enum(features), enabled: z.boolean() }),
  z
    .object({ kind: z.literal('limit'), key: z.enum(limitKeys), amount: z.coerce.number().int() })
    .transform(({ amount, ...rest }) => ({ ...rest, limit: amount })),
  z
    .object({ kind: z.literal('price'), key: z.enum(priceKeys), amount: z.coerce.bigint() })
    .transform(({ amount, ...rest }) => ({ ...rest, priceC: amount })),
])
