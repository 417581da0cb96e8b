import { sql } from 'kysely'
import type { CentralSql, CentralTx } from '../db/databases.ts'

/** What of an e.firma is sealed, each on its own: columns of its row, and components of the envelope's context. */
export const COMPONENTS = ['certificate', 'private_key', 'password'] as const
export type Component = (typeof COMPONENTS)[number]
export type Sealed = Readonly<Record<Component, Buffer>>

export interface KidUse {
  kid: string
  credentials: number
}

/** How many living e.firmas each key wraps. */
export async function countByKid(central: CentralSql): Promise<KidUse[]> {
  const rows = await central
    .selectFrom('fiel_credentials')
    .select((eb) => ['kid', eb.fn.countAll<string>().as('n')])
    .where('ended_at', 'is', null)
    .groupBy('kid')
    .orderBy('kid')
    .execute()
  return rows.flatMap(({ kid, n }) => (kid === null ? [] : [{ kid, credentials: Number(n) }]))
}

export interface WrappedCertificate {
  id: string
  tenantId: string
  certificate: Buffer
}

/** The newest living e.firmas that a key wraps, of which the least secret part. */
export async function findWrappedBy(central: CentralSql, kid: string, limit: number): Promise<WrappedCertificate[]> {
  const rows = await central
    .selectFrom('fiel_credentials')
    .select(['id', 'tenant_id as tenantId', 'certificate'])
    .where('ended_at', 'is', null)
    .where('kid', '=', kid)
    .orderBy('created_at', 'desc')
    .limit(limit)
    .execute()
  return rows.flatMap(({ certificate, ...one }) => (certificate ? [{ ...one, certificate }] : []))
}

export interface SealedCredential {
  id: string
  tenantId: string
  rfc: string
  kid: string
  version: number
  sealed: Sealed
}

/** The next living e.firmas that another key than `kid` wraps, in the order of their ids. */
export async function findWrappedByOthers(
  central: CentralSql,
  { kid, after, limit }: { kid: string; after: string | undefined; limit: number },
): Promise<SealedCredential[]> {
  let query = central
    .selectFrom('fiel_credentials')
    .select(['id', 'tenant_id', 'rfc', 'kid', 'version', ...COMPONENTS])
    .where('ended_at', 'is', null)
    .where('kid', '<>', kid)
  if (after !== undefined) query = query.where('id', '>', after)
  return (await query.orderBy('id').limit(limit).execute()).flatMap(sealedOf)
}

/** The living e.firma of a company, sealed as it is. */
export async function findSealed(central: CentralSql, tenantId: string): Promise<SealedCredential | undefined> {
  const rows = await central
    .selectFrom('fiel_credentials')
    .select(['id', 'tenant_id', 'rfc', 'kid', 'version', ...COMPONENTS])
    .where('tenant_id', '=', tenantId)
    .where('ended_at', 'is', null)
    .execute()
  return rows.flatMap(sealedOf)[0]
}

type Row = { id: string; tenant_id: string; rfc: string; kid: string | null; version: number } & Record<
  Component,
  Uint8Array | null
>

/** None of an ended one: it keeps nothing sealed. */
function sealedOf({ id, tenant_id: tenantId, rfc, kid, version, certificate, private_key, password }: Row) {
  if (!kid || !certificate || !private_key || !password) return []
  const bytes = (part: Uint8Array) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)
  const sealed = { certificate: bytes(certificate), private_key: bytes(private_key), password: bytes(password) }
  return [{ id, tenantId, rfc, kid, version, sealed }]
}

/** False when it is not as it was read any more: it was replaced, deleted or re-wrapped meanwhile, and that holds. */
export async function replaceWrapping(
  trx: CentralTx,
  { id, version }: Pick<SealedCredential, 'id' | 'version'>,
  { kid, sealed }: { kid: string; sealed: Sealed },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('fiel_credentials')
    .set({ ...sealed, kid, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** E.firmas whose files on disk are not what their rows say. */
export async function findBehindFiles(central: CentralSql, limit: number): Promise<string[]> {
  const rows = await central
    .selectFrom('fiel_credentials')
    .select('id')
    .where((eb) =>
      eb.or([
        eb.and([eb('ended_at', 'is', null), eb('files_version', '<>', eb.ref('version'))]),
        eb.and([eb('ended_at', 'is not', null), eb('files_version', '<>', -1)]),
      ]),
    )
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** The living e.firmas, in the order of their ids. */
export async function listLiving(central: CentralSql, after: string | undefined, limit: number): Promise<string[]> {
  let query = central.selectFrom('fiel_credentials').select('id').where('ended_at', 'is', null)
  if (after !== undefined) query = query.where('id', '>', after)
  return (await query.orderBy('id').limit(limit).execute()).map(({ id }) => id)
}

/** One at a time: two who would open the same e.firma wait for each other here. */
export async function lockCredential(trx: CentralTx, id: string): Promise<boolean> {
  const query = trx.selectFrom('fiel_credentials').select('id').where('id', '=', id).where('ended_at', 'is', null)
  return (await query.forUpdate().executeTakeFirst()) !== undefined
}

export interface NewRelease {
  id: string
  tenantId: string
  credentialId: string
  folder: string
  operator: string
  reason: string
  releasedAt: Date
  deleteAfter: Date
}

export async function insertRelease(trx: CentralTx, release: NewRelease): Promise<void> {
  const { tenantId, credentialId, releasedAt, deleteAfter, ...same } = release
  const row = { tenant_id: tenantId, credential_id: credentialId, released_at: releasedAt, delete_after: deleteAfter }
  await trx
    .insertInto('fiel_releases')
    .values({ ...same, ...row })
    .execute()
}

export type OpenRelease = Awaited<ReturnType<typeof findOpenReleases>>[number]

/** What was put on the disk and, as far as the rows know, is still there. The oldest first. */
export function findOpenReleases(central: CentralSql, of: { tenantId?: string; credentialId?: string } = {}) {
  let query = central
    .selectFrom('fiel_releases as r')
    .innerJoin('fiel_credentials as c', 'c.id', 'r.credential_id')
    .select(['r.id', 'r.tenant_id', 'r.folder', 'r.operator', 'r.reason', 'r.released_at', 'r.delete_after', 'c.rfc'])
    .where('r.deleted_at', 'is', null)
  if (of.tenantId) query = query.where('r.tenant_id', '=', of.tenantId)
  if (of.credentialId) query = query.where('r.credential_id', '=', of.credentialId)
  return query.orderBy('r.released_at').orderBy('r.id').execute()
}

/** Whatever of it was put on the disk has had its time. */
export async function hastenReleases(trx: CentralTx, credentialId: string, now: Date): Promise<void> {
  await trx
    .updateTable('fiel_releases')
    .set({ delete_after: sql`greatest(${now}, released_at + interval '1 millisecond')` })
    .where('credential_id', '=', credentialId)
    .where('deleted_at', 'is', null)
    .where('delete_after', '>', now)
    .execute()
}

export async function markReleaseDeleted(central: CentralSql, id: string, now: Date): Promise<void> {
  await central
    .updateTable('fiel_releases')
    .set({ deleted_at: now })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .execute()
}

export type ExpiringCredential = Awaited<ReturnType<typeof findExpiring>>[number]

/** Living e.firmas that end before an instant and whose company was not told of it on this day (Mexico City) yet. */
export function findExpiring(central: CentralSql, { before, today }: { before: Date; today: string }) {
  return central
    .selectFrom('fiel_credentials as c')
    .innerJoin('tenants as t', 't.id', 'c.tenant_id')
    .select(['c.id', 'c.tenant_id', 'c.rfc', 'c.serial', 'c.valid_to', 't.nombre as empresa'])
    .select('c.expiry_told_on')
    .where('c.ended_at', 'is', null)
    .where('c.valid_to', '<', before)
    .where('t.deleted_at', 'is', null)
    .where(sql<boolean>`c.expiry_told_on is distinct from ${today}::date`)
    .orderBy('c.valid_to')
    .orderBy('c.id')
    .execute()
}

/** Ended e.firmas of which their company still has an alert. */
export function findToldAndEnded(central: CentralSql) {
  return central
    .selectFrom('fiel_credentials as c')
    .innerJoin('tenants as t', 't.id', 'c.tenant_id')
    .select(['c.id', 'c.tenant_id'])
    .where('c.ended_at', 'is not', null)
    .where('c.expiry_told_on', 'is not', null)
    .where('t.deleted_at', 'is', null)
    .orderBy('c.id')
    .execute()
}

/** Null: its alert is over. */
export async function markExpiryTold(central: CentralSql, id: string, today: string | null): Promise<void> {
  await central.updateTable('fiel_credentials').set({ expiry_told_on: today }).where('id', '=', id).execute()
}
