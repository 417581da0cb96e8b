import { sql } from 'kysely'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import type { Archivo } from './archivos.ts'

export type Estado = 'recibida' | 'procesando' | 'terminada' | 'cancelada' | 'fallida'
export type EstadoResultado = 'nuevo' | 'repetido' | 'rechazado' | 'cuarentena'

/** How a load stands. */
export interface CargaRow {
  id: string
  estado: Estado
  total: number
  procesados: number
  nuevos: number
  repetidos: number
  rechazados: number
  cuarentena: number
  reintento: number | null
  /** A whole number: int8 stays text. */
  secuencia: string
  errorCodigo: string | null
  errorMensaje: string | null
  creadaPorEmail: string | null
  creadaEn: Date
  iniciadaEn: Date | null
  terminadaEn: Date | null
  archivosBorradosEn: Date | null
  fuente: Fuente
  /** Why it waits although it is open. */
  pausa: string | null
}

/** `sat`: a package that came by itself. */
export type Fuente = 'usuario' | 'sat'
/** There is no place for more in the plan: the files that are left wait. */
export type Pausa = 'limit_reached'

export interface Resultado {
  n: number
  archivo: string
  uuid: string | null
  estado: EstadoResultado
  codigo: string | null
  mensaje: string | null
}

export interface NewCarga {
  id: string
  huella: Buffer
  archivos: readonly Archivo[]
  total: number
  by: { userId: string; email: string } | null
  now: Date
  /** Of a load that is a package of the SAT. */
  paqueteId?: string
}

/** @returns whether it is new: the same files, or the same package, may have come before, or at this moment */
export async function insertCarga(trx: TenantTx, carga: NewCarga): Promise<boolean> {
  const { id, huella, archivos, total, by, now, paqueteId } = carga
  const { rows } = await sql`
    insert into cargas (id, huella, estado, archivos, total, creada_por, creada_por_email, creada_en, fuente, paquete_id)
    values (${id}, ${huella}, 'recibida', ${JSON.stringify(archivos)}::text::jsonb, ${total}, ${by?.userId ?? null},
            ${by?.email ?? null}, ${now}, ${paqueteId === undefined ? 'usuario' : 'sat'}, ${paqueteId ?? null})
    on conflict do nothing
    returning id`.execute(trx)
  return rows.length > 0
}

export async function findCargaByHuella(db: TenantSql, huella: Buffer): Promise<string | undefined> {
  const row = await db.selectFrom('cargas').select('id').where('huella', '=', huella).executeTakeFirst()
  return row?.id
}

export async function findCargaByPaquete(db: TenantSql, paqueteId: string): Promise<CargaRow | undefined> {
  return cargas(db).where('paquete_id', '=', paqueteId).executeTakeFirst()
}

export async function findCarga(db: TenantSql, id: string): Promise<CargaRow | undefined> {
  return cargas(db).where('id', '=', id).executeTakeFirst()
}

/** Holds the load until the commit: of two who work on it one goes on, and the other sees how far it got. */
export async function lockCarga(trx: TenantTx, id: string): Promise<CargaRow | undefined> {
  return cargas(trx).where('id', '=', id).forUpdate().executeTakeFirst()
}

/** Newest first, after the last one of the page before. */
export async function listCargas(
  db: TenantSql,
  {
    after,
    fuente,
    limit,
  }: { after: { creadaEn: Date; id: string } | undefined; fuente?: Fuente | undefined; limit: number },
): Promise<CargaRow[]> {
  let query = cargas(db).orderBy('creada_en', 'desc').orderBy('id', 'desc').limit(limit)
  if (fuente) query = query.where('fuente', '=', fuente)
  if (after) query = query.where(sql<boolean>`(creada_en, id) < (${after.creadaEn}, ${after.id}::uuid)`)
  return query.execute()
}

/** What was uploaded: the first `limit` files of it, and how many there are. */
export async function findArchivos(
  db: TenantSql,
  id: string,
  limit?: number,
): Promise<{ archivos: Archivo[]; count: number } | undefined> {
  const some =
    limit === undefined
      ? sql`archivos`
      : sql`jsonb_path_query_array(archivos, '$[0 to $n]', jsonb_build_object('n', ${limit - 1}::int))`
  const { rows } = await sql<{ archivos: Archivo[]; count: number }>`
    select ${some} as archivos, jsonb_array_length(archivos) as count from cargas where id = ${id}`.execute(db)
  return rows[0]
}

export interface Advance {
  nuevos: number
  repetidos: number
  rechazados: number
  cuarentena: number
}

/** Counts results that were just written, in the same commit. */
export async function advanceCarga(
  trx: TenantTx,
  id: string,
  by: Advance,
  { now, reintento, pausa = null }: { now: Date; reintento?: number | null; pausa?: Pausa | null },
): Promise<void> {
  const procesados = by.nuevos + by.repetidos + by.rechazados + by.cuarentena
  await sql`
    update cargas set
      procesados = procesados + ${procesados}::int,
      nuevos = nuevos + ${by.nuevos}::int, repetidos = repetidos + ${by.repetidos}::int,
      rechazados = rechazados + ${by.rechazados}::int, cuarentena = cuarentena + ${by.cuarentena}::int,
      reintento = ${reintento ?? null}::int, pausa = ${pausa}::text,
      estado = case when procesados + ${procesados}::int = total and ${reintento ?? null}::int is null
        then 'terminada' else 'procesando' end,
      iniciada_en = coalesce(iniciada_en, ${now}),
      terminada_en = case when procesados + ${procesados}::int = total and ${reintento ?? null}::int is null
        then ${now}::timestamptz end,
      secuencia = secuencia + 1
    where id = ${id}`.execute(trx)
}

/** Ends it, or begins it again. */
export async function setEstado(
  trx: TenantTx,
  id: string,
  change: {
    estado: Estado
    reintento?: number | null
    error?: { codigo: string; mensaje: string }
    terminadaEn?: Date
    filesAreBack?: boolean
  },
): Promise<void> {
  await sql`
    update cargas set
      estado = ${change.estado}, reintento = ${change.reintento ?? null}::int,
      error_codigo = ${change.error?.codigo ?? null}, error_mensaje = ${change.error?.mensaje ?? null},
      terminada_en = ${change.terminadaEn ?? null}::timestamptz,
      pausa = null,
      archivos_borrados_en = case when ${change.filesAreBack ?? false} then null else archivos_borrados_en end,
      secuencia = secuencia + 1
    where id = ${id}`.execute(trx)
}

/** `espera`: the CFDI that has no place. */
export async function setPausa(
  trx: TenantTx,
  id: string,
  { pausa, espera }: { pausa: Pausa; espera: string | null },
): Promise<void> {
  await sql`
    update cargas set pausa = ${pausa}, espera = ${espera}::uuid, secuencia = secuencia + 1
    where id = ${id} and (pausa, espera) is distinct from (${pausa}::text, ${espera}::uuid)`.execute(trx)
}

/** Whether the CFDI that a load waits with has come another way. */
export async function hasArrived(db: TenantSql, id: string): Promise<boolean> {
  const { rows } = await sql`
    select from cargas k join cfdis c on c.uuid_fiscal = k.espera where k.id = ${id}`.execute(db)
  return rows.length > 0
}

/** How many CFDI the company has, by the counter that limits are held against. */
export async function countStored(db: TenantSql): Promise<number> {
  const row = await db.selectFrom('usage').select('n').where('kind', '=', 'cfdi').executeTakeFirst()
  return Number(row?.n ?? 0)
}

export async function markFilesDeleted(trx: TenantTx, id: string, now: Date): Promise<void> {
  await trx.updateTable('cargas').set({ archivos_borrados_en: now }).where('id', '=', id).execute()
}

/** Writes results; those of a retry take the place of the first ones. */
export async function putResultados(trx: TenantTx, cargaId: string, results: readonly Resultado[]): Promise<void> {
  await sql`
    insert into carga_resultados (carga_id, n, archivo, uuid, estado, codigo, mensaje)
    select ${cargaId}::uuid, n, archivo, uuid, estado, codigo, mensaje
    from jsonb_to_recordset(${JSON.stringify(results)}::text::jsonb)
      as r(n int, archivo text, uuid uuid, estado text, codigo text, mensaje text)
    on conflict (carga_id, n) do update
      set uuid = excluded.uuid, estado = excluded.estado, codigo = excluded.codigo, mensaje = excluded.mensaje`.execute(
    trx,
  )
}

export interface Quarantined {
  n: number
  /** zstd. */
  contenido: Buffer
  bytes: number
  sha256: Buffer
}

export async function putQuarantined(trx: TenantTx, cargaId: string, rows: readonly Quarantined[]): Promise<void> {
  // One by one: few, and perhaps large.
  for (const row of rows)
    await trx
      .insertInto('carga_cuarentena')
      .values({ carga_id: cargaId, ...row })
      .onConflict((conflict) => conflict.columns(['carga_id', 'n']).doNothing())
      .execute()
}

export async function dropQuarantined(trx: TenantTx, cargaId: string, places: readonly number[]): Promise<void> {
  if (places.length === 0) return
  await sql`delete from carga_cuarentena where carga_id = ${cargaId} and n = any(${places}::int[])`.execute(trx)
}

export async function findQuarantined(
  db: TenantSql,
  cargaId: string,
  n: number,
): Promise<{ archivo: string; contenido: Buffer } | undefined> {
  return db
    .selectFrom('carga_cuarentena as q')
    .innerJoin('carga_resultados as r', (join) => join.onRef('r.carga_id', '=', 'q.carga_id').onRef('r.n', '=', 'q.n'))
    .select(['r.archivo', 'q.contenido'])
    .where('q.carga_id', '=', cargaId)
    .where('q.n', '=', n)
    .executeTakeFirst()
}

export async function findQuarantinedPlaces(
  db: TenantSql,
  cargaId: string,
  places: readonly number[],
): Promise<number[]> {
  const { rows } = await sql<{ n: number }>`
    select n from carga_cuarentena where carga_id = ${cargaId} and n = any(${places}::int[])`.execute(db)
  return rows.map(({ n }) => n)
}

export async function listResultados(
  db: TenantSql,
  cargaId: string,
  { estado, from, limit }: { estado?: EstadoResultado | undefined; from: number; limit: number },
): Promise<Resultado[]> {
  let query = db
    .selectFrom('carga_resultados')
    .select(['n', 'archivo', 'uuid', 'estado', 'codigo', 'mensaje'])
    .where('carga_id', '=', cargaId)
    .where('n', '>=', from)
    .orderBy('n')
    .limit(limit)
  if (estado) query = query.where('estado', '=', estado)
  return query.execute()
}

/** What trying again may help: it was kept because it could not be read, or it was refused and its files are there. */
export async function findRetryable(
  db: TenantSql,
  cargaId: string,
  { from, limit, onDisk }: { from: number; limit: number; onDisk: boolean },
): Promise<Resultado[]> {
  return db
    .selectFrom('carga_resultados')
    .select(['n', 'archivo', 'uuid', 'estado', 'codigo', 'mensaje'])
    .where('carga_id', '=', cargaId)
    .where('n', '>=', from)
    .where(
      sql<boolean>`(estado = 'cuarentena' or estado = 'rechazado' and (${onDisk}::boolean
        or exists (select from carga_cuarentena q where q.carga_id = carga_resultados.carga_id and q.n = carga_resultados.n)))`,
    )
    .orderBy('n')
    .limit(limit)
    .execute()
}

/** Whether files of it are still wanted: the plan had no place for them. */
export async function hasBeyondLimit(db: TenantSql, cargaId: string): Promise<boolean> {
  const row = await db
    .selectFrom('carga_resultados')
    .select('n')
    .where('carga_id', '=', cargaId)
    .where('estado', '=', 'rechazado')
    .where('codigo', '=', BEYOND)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Code of a result that the plan had no place for. */
export const BEYOND = 'limit_reached'

const cargas = (db: TenantSql) =>
  db
    .selectFrom('cargas')
    .select(['id', 'estado', 'total', 'procesados', 'nuevos', 'repetidos', 'rechazados', 'cuarentena', 'reintento'])
    .select([
      'secuencia',
      'error_codigo as errorCodigo',
      'error_mensaje as errorMensaje',
      'creada_por_email as creadaPorEmail',
    ])
    .select(['creada_en as creadaEn', 'iniciada_en as iniciadaEn', 'terminada_en as terminadaEn'])
    .select(['archivos_borrados_en as archivosBorradosEn', 'fuente', 'pausa'])
