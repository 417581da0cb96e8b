import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import type { Motivo } from './metadata.ts'

/** How far a metadata package was read. */
export interface LecturaRow {
  filas: number
  ilegibles: number
  cancelados: number
  faltantes: number
  difieren: number
  leidaHasta: number
  terminadaEn: Date | null
}

export async function insertLectura(db: TenantSql, paqueteId: string, solicitudId: string): Promise<void> {
  await db
    .insertInto('sat_lecturas')
    .values({ paquete_id: paqueteId, solicitud_id: solicitudId })
    .onConflict((conflict) => conflict.column('paquete_id').doNothing())
    .execute()
}

export async function findLectura(db: TenantSql, paqueteId: string): Promise<LecturaRow | undefined> {
  return lecturas(db, paqueteId).executeTakeFirst()
}

export async function lockLectura(trx: TenantTx, paqueteId: string): Promise<LecturaRow> {
  return lecturas(trx, paqueteId).forUpdate().executeTakeFirstOrThrow()
}

export interface LecturaAdvance {
  filas: number
  ilegibles: number
  cancelados: number
  faltantes: number
  difieren: number
}

/** Counts rows that were just written, in the same commit. */
export async function advanceLectura(trx: TenantTx, paqueteId: string, by: LecturaAdvance): Promise<void> {
  await sql`
    update sat_lecturas set
      filas = filas + ${by.filas}::int, ilegibles = ilegibles + ${by.ilegibles}::int,
      cancelados = cancelados + ${by.cancelados}::int, faltantes = faltantes + ${by.faltantes}::int,
      difieren = difieren + ${by.difieren}::int, leida_hasta = leida_hasta + ${by.filas + by.ilegibles}::int
    where paquete_id = ${paqueteId}`.execute(trx)
}

export async function endLectura(db: TenantSql, paqueteId: string, now: Date): Promise<void> {
  await db
    .updateTable('sat_lecturas')
    .set({ terminada_en: now })
    .where('paquete_id', '=', paqueteId)
    .where('terminada_en', 'is', null)
    .execute()
}

/** The n-th row of a package, which was not kept as what it says. */
export interface IlegibleRow {
  n: number
  texto: string
  motivo: Motivo | 'ajeno'
  /** Null when it does not say whose it is. */
  uuid: string | null
}

export async function putIlegibles(trx: TenantTx, paqueteId: string, rows: readonly IlegibleRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into sat_filas_ilegibles (paquete_id, n, texto, motivo, uuid_fiscal)
    select ${paqueteId}::text, n, texto, motivo, uuid
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(n int, texto text, motivo text, uuid uuid)
    on conflict do nothing`.execute(trx)
}

const lecturas = (db: TenantSql, paqueteId: string) =>
  db
    .selectFrom('sat_lecturas')
    .select(['filas', 'ilegibles', 'cancelados', 'faltantes', 'difieren'])
    .select(['leida_hasta as leidaHasta', 'terminada_en as terminadaEn'])
    .where('paquete_id', '=', paqueteId)
