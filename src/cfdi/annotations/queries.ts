import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import { type Anotaciones, anotacionesOf, type Campo } from '../flow/anotaciones.ts'

/** What holds of these documents today: the newest line of each field. Most documents have none and are not in it. */
export async function findVigentes(db: TenantSql, uuids: readonly string[]): Promise<ReadonlyMap<string, Vigentes>> {
  const { rows } = await sql<Vigente & { uuid: string; campo: Campo }>`
    select distinct on (a.uuid_fiscal, a.campo)
      a.uuid_fiscal::text as uuid, a.campo, a.valor, a.motivo, a.autor_email as autor, a.creada_en
    from cfdi_anotaciones a
    where a.uuid_fiscal = any(${uuids}::uuid[])
    order by a.uuid_fiscal, a.campo, a.id desc`.execute(db)
  const found = new Map<string, Vigentes>()
  for (const { uuid, campo, ...vigente } of rows) found.set(uuid, { ...found.get(uuid), [campo]: vigente })
  return found
}

export type Vigentes = Partial<Record<Campo, Vigente>>

export interface Vigente {
  valor: string | null
  motivo: string
  autor: string
  creada_en: Date
}

/** What these documents are annotated with, as movements are derived with it. */
export async function findAnotaciones(
  db: TenantSql,
  uuids: readonly string[],
): Promise<ReadonlyMap<string, Anotaciones>> {
  const valores = ([campo, vigente]: [string, Vigente]) => [campo, vigente.valor]
  return new Map(
    [...(await findVigentes(db, uuids))].map(([uuid, vigentes]) => [
      uuid,
      anotacionesOf(Object.fromEntries(Object.entries(vigentes).map(valores))),
    ]),
  )
}

/** What annotating a document depends on. */
export async function findAnotable(db: TenantSql, uuid: string) {
  return db
    .selectFrom('cfdis as c')
    .select(['c.tipo', 'c.direccion', 'c.cuenta_terceros', 'c.metodo_pago', 'c.fecha_emision'])
    .where('c.uuid_fiscal', '=', uuid)
    .executeTakeFirst()
}

export interface NuevaAnotacion {
  uuid: string
  campo: Campo
  valor: string | null
  motivo: string
  autor: { userId: string; email: string; esPlataforma: boolean }
  creadaEn: Date
}

export async function insertAnotaciones(trx: TenantTx, anotaciones: readonly NuevaAnotacion[]): Promise<void> {
  const values = anotaciones.map(({ uuid, campo, valor, motivo, autor, creadaEn }) => ({
    uuid_fiscal: uuid,
    campo,
    valor,
    motivo,
    autor_id: autor.userId,
    autor_email: autor.email,
    es_plataforma: autor.esPlataforma,
    creada_en: creadaEn,
  }))
  await trx.insertInto('cfdi_anotaciones').values(values).execute()
}

/** Everything that was ever noted of a document, newest first. */
export function listAnotaciones(db: TenantSql, uuid: string, page: { after?: string | undefined; limit: number }) {
  let query = db
    .selectFrom('cfdi_anotaciones as a')
    .select(['a.id', 'a.campo', 'a.valor', 'a.motivo', 'a.autor_email', 'a.es_plataforma', 'a.creada_en'])
    .where('a.uuid_fiscal', '=', uuid)
  if (page.after !== undefined) query = query.where('a.id', '<', page.after)
  return query.orderBy('a.id', 'desc').limit(page.limit).execute()
}
