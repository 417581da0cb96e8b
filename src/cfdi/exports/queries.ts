import { type Selectable, sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import type { TenantExportaciones } from '../../db/tables.ts'

export type Exportacion = Selectable<TenantExportaciones>
export type Formato = Exportacion['formato']

export interface NewExport {
  id: string
  formato: Formato
  filtro: string
  autor: { userId: string; email: string }
}

/** How many are waiting or running. Nobody adds one until this transaction has ended: two at once count the other. */
export async function countOpen(trx: TenantTx): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended('exportaciones', 0))`.execute(trx)
  const { n } = await trx
    .selectFrom('exportaciones')
    .select((eb) => eb.fn.countAll<string>().as('n'))
    .where('estado', 'in', OPEN)
    .executeTakeFirstOrThrow()
  return Number(n)
}

export async function insertExport(trx: TenantTx, { id, formato, filtro, autor }: NewExport, now: Date) {
  const row = { id, formato, filtro, estado: 'pendiente' as const, creada_en: now, actualizada_en: now }
  return trx
    .insertInto('exportaciones')
    .values({ ...row, creada_por: autor.userId, creada_por_email: autor.email })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function findExport(db: TenantSql, id: string): Promise<Exportacion | undefined> {
  return db.selectFrom('exportaciones').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Newest first. */
export async function listExports(db: TenantSql, after: { creadaEn: string; id: string } | undefined, limit: number) {
  return db
    .selectFrom('exportaciones')
    .selectAll()
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(creada_en, id) < (${after?.creadaEn}::timestamptz, ${after?.id}::uuid)`),
    )
    .orderBy('creada_en', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** Begins it, or begins it anew; undefined when there is nothing to do any more. */
export async function claimExport(db: TenantSql, id: string, now: Date) {
  return db
    .updateTable('exportaciones')
    .set((eb) => ({
      ...changed(now),
      estado: 'procesando' as const,
      procesados: 0,
      total: null,
      intentos: eb('intentos', '+', 1),
    }))
    .where('id', '=', id)
    .where('estado', 'in', OPEN)
    .returning(['formato', 'filtro', 'intentos'])
    .executeTakeFirst()
}

/** False when it is not to go on: somebody cancelled it. */
export async function noteProgress(
  db: TenantSql,
  id: string,
  progress: { procesados: number; total: number; corte: Date },
  now: Date,
): Promise<boolean> {
  const { procesados, total, corte } = progress
  return isChanged(
    db
      .updateTable('exportaciones')
      .set({ ...changed(now), procesados, total, corte_en: corte })
      .where('id', '=', id)
      .where('estado', '=', 'procesando')
      .returning('id'),
  )
}

/** False when it was cancelled meanwhile: then its file is nobody's. */
export async function finishExport(
  trx: TenantTx,
  id: string,
  file: { archivo: string; bytes: number; sha256: Buffer; total: number; venceEn: Date },
  now: Date,
): Promise<boolean> {
  const { archivo, bytes, sha256, total, venceEn } = file
  return isChanged(
    trx
      .updateTable('exportaciones')
      .set({ ...changed(now), estado: 'lista', archivo, bytes, sha256, total, procesados: total })
      .set({ terminada_en: now, vence_en: venceEn })
      .where('id', '=', id)
      .where('estado', '=', 'procesando')
      .returning('id'),
  )
}

export async function failExport(
  db: TenantSql,
  id: string,
  { code, mensaje }: { code: string; mensaje: string },
  now: Date,
): Promise<void> {
  await db
    .updateTable('exportaciones')
    .set({ ...changed(now), estado: 'fallida', error_codigo: code, error_mensaje: mensaje, terminada_en: now })
    .where('id', '=', id)
    .where('estado', 'in', OPEN)
    .execute()
}

/** Handed back in order: the next worker begins it as if this one had not. */
export async function releaseExport(db: TenantSql, id: string, now: Date): Promise<void> {
  await db
    .updateTable('exportaciones')
    .set((eb) => ({ ...changed(now), estado: 'pendiente', procesados: 0, intentos: eb('intentos', '-', 1) }))
    .where('id', '=', id)
    .where('estado', '=', 'procesando')
    .execute()
}

/** Undefined when it had ended before. */
export async function cancelExport(db: TenantSql, id: string, now: Date): Promise<Exportacion | undefined> {
  return db
    .updateTable('exportaciones')
    .set({ ...changed(now), estado: 'cancelada', terminada_en: now })
    .where('id', '=', id)
    .where('estado', 'in', OPEN)
    .returningAll()
    .executeTakeFirst()
}

/** Those whose time is up, and the oldest of more than `most`: from here on nobody is sent to their files. */
export async function expireExports(db: TenantSql, now: Date, most: number): Promise<number> {
  const expired = await db
    .updateTable('exportaciones')
    .set({ ...changed(now), estado: 'vencida' })
    .where('estado', '=', 'lista')
    .where((eb) =>
      eb.or([
        eb('vence_en', '<=', now),
        eb('id', 'in', (query) =>
          query
            .selectFrom('exportaciones')
            .select('id')
            .where('estado', '=', 'lista')
            .orderBy('terminada_en', 'desc')
            .orderBy('id', 'desc')
            .offset(most),
        ),
      ]),
    )
    .returning('id')
    .execute()
  return expired.length
}

/** What has ended long ago; the audit log keeps who took what out. */
export async function forgetExports(db: TenantSql, before: Date): Promise<void> {
  await db
    .deleteFrom('exportaciones')
    .where('creada_en', '<', before)
    .where('estado', 'not in', [...OPEN, 'lista'])
    .execute()
}

/** Files that somebody may still be sent to. */
export async function findFiles(db: TenantSql): Promise<Set<string>> {
  const rows = await db.selectFrom('exportaciones').select('archivo').where('estado', '=', 'lista').execute()
  return new Set(rows.flatMap(({ archivo }) => archivo ?? []))
}

/** Open, and nothing has happened to them since `before`. */
export async function findStuck(db: TenantSql, before: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('exportaciones')
    .select('id')
    .where('estado', 'in', OPEN)
    .where('actualizada_en', '<', before)
    .execute()
  return rows.map(({ id }) => id)
}

/** Whether the sweep has anything to come back for but rows to forget. */
export async function hasKept(db: TenantSql): Promise<boolean> {
  const row = await db
    .selectFrom('exportaciones')
    .select('id')
    .where('estado', 'in', [...OPEN, 'lista'])
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export interface NewLink {
  hash: Buffer
  exportacionId: string
  autor: { userId: string; email: string }
}

/** A further link to it; the oldest beyond `most` stop working. */
export async function insertLink(trx: TenantTx, { hash, exportacionId, autor }: NewLink, most: number, now: Date) {
  await trx
    .insertInto('exportacion_enlaces')
    .values({
      hash,
      exportacion_id: exportacionId,
      creado_en: now,
      creado_por: autor.userId,
      creado_por_email: autor.email,
    })
    .execute()
  await trx
    .deleteFrom('exportacion_enlaces')
    .where('hash', 'in', (query) =>
      query
        .selectFrom('exportacion_enlaces')
        .select('hash')
        .where('exportacion_id', '=', exportacionId)
        .orderBy('creado_en', 'desc')
        .orderBy('hash')
        .offset(most),
    )
    .execute()
}

export async function findByLink(db: TenantSql, exportacionId: string, hash: Buffer) {
  return db
    .selectFrom('exportacion_enlaces as l')
    .innerJoin('exportaciones as e', 'e.id', 'l.exportacion_id')
    .select(['l.hash', 'e.formato', 'e.estado', 'e.archivo', 'e.bytes', 'e.sha256', 'e.vence_en', 'e.corte_en'])
    .where('l.hash', '=', hash)
    .where('e.id', '=', exportacionId)
    .executeTakeFirst()
}

/** Whose books these are. */
export async function findRfc(db: TenantSql): Promise<string> {
  return (await db.selectFrom('_tenant').select('rfc').executeTakeFirstOrThrow()).rfc
}

const OPEN = ['pendiente', 'procesando'] as const

/** Every change is an event of its own. */
const changed = (now: Date) => ({ secuencia: sql<string>`secuencia + 1`, actualizada_en: now })

const isChanged = async (query: { executeTakeFirst(): Promise<object | undefined> }): Promise<boolean> =>
  (await query.executeTakeFirst()) !== undefined
