import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'

/** Whether a package of the SAT waits for a place in the plan. */
export async function isWaitingForPlan(db: TenantSql): Promise<boolean> {
  const row = await db
    .selectFrom('cargas')
    .select('id')
    .where('fuente', '=', 'sat')
    .where('pausa', 'is not', null)
    .where('estado', 'in', ['recibida', 'procesando'])
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * XML in force, issued since `desde`, that was asked for as often as it is, and is missing still. What the company issued and cancelled is missing
 * too, but changes no month, and the SAT may never give it (5012): no reason to warn anybody for ever.
 */
export async function countGivenUp(db: TenantSql, asked: number, desde: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from sat_metadata m
    where m.falta and m.estatus = 'vigente' and m.pedidos >= ${asked}::int and m.fecha_emision >= ${desde}::timestamp
      and not exists (select from cfdis c where c.uuid_fiscal = m.uuid_fiscal)`.execute(db)
  return rows[0]?.n ?? 0
}

export async function isAlertOpen(db: TenantSql, clave: string): Promise<boolean> {
  const row = await db
    .selectFrom('alertas')
    .select('id')
    .where('clave', '=', clave)
    .where('resuelta_en', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}
