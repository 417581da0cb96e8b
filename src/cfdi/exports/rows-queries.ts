import { sql } from 'kysely'
import type { TenantDb, TenantTx } from '../../db/databases.ts'
import { PLANNED_ANEW } from '../../db/planned-anew.ts'
import { allOf, conditions } from '../find/filter-queries.ts'
import { orderOf } from '../find/order-queries.ts'
import { type Fila, MOST_CONCEPTS, SUMABLES, type Sumable } from './columns.ts'
import type { Consulta } from './consulta.ts'

/**
 * Runs `work` on the set as it is now, to its end: whatever is stored or cancelled meanwhile is not in it (ADR 0017).
 * The transaction reads only. Undefined when another worker has this export in its hands.
 */
export async function onSnapshot<T>(
  db: TenantDb,
  exportId: string,
  work: (trx: TenantTx) => Promise<T>,
): Promise<T | undefined> {
  const transaction = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return transaction.execute(async (trx) => {
    // Rows wait here while those before them are written; a disk that stalls for a while is no reason to begin anew.
    await sql`set local idle_in_transaction_session_timeout = '120s'`.execute(trx)
    const { rows } = await sql<{ mine: boolean }>`
      select pg_try_advisory_xact_lock(hashtextextended(${`exportacion ${exportId}`}, 0)) as mine`.execute(trx)
    return rows[0]?.mine ? work(trx) : undefined
  })
}

/**
 * Opens the set in its order. A cursor and not pages by key: the set is found once, by whatever plan is best for it,
 * and not again for every page.
 */
export async function openFilas(
  trx: TenantTx,
  { filtro, orden }: Consulta,
  columns: 'todas' | 'esenciales',
): Promise<void> {
  await sql`
    ${sql.raw(PLANNED_ANEW)}declare exportadas no scroll cursor for
    select (select row_to_json(d) from (select ${columns === 'todas' ? TODAS : ESENCIALES}) d)::text as fila
    from cfdis c where ${allOf(conditions(filtro))} order by ${orderOf(orden).by('c')}`.execute(trx)
}

/** The next of them; fewer than `limit` at the end. */
export async function fetchFilas<T extends FilaEsencial>(trx: TenantTx, limit: number): Promise<T[]> {
  const { rows } = await sql<{ fila: string }>`fetch ${sql.lit(limit)} from exportadas`.execute(trx)
  return rows.map(({ fila }) => JSON.parse(fila) as T)
}

/** What an archive says of each of its files. */
export type FilaEsencial = Pick<
  Fila,
  | 'uuid'
  | 'tipo'
  | 'direccion'
  | 'estado'
  | 'fechaEmision'
  | 'serie'
  | 'folio'
  | 'rfcEmisor'
  | 'nombreEmisor'
  | 'rfcReceptor'
  | 'nombreReceptor'
  | 'moneda'
  | 'total'
>

export async function findSizes(trx: TenantTx, uuids: readonly string[]): Promise<Map<string, number>> {
  const rows = await trx
    .selectFrom('cfdi_xml')
    .select(['uuid_fiscal', 'bytes'])
    .where(sql<boolean>`uuid_fiscal = any(${uuids}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [row.uuid_fiscal, row.bytes]))
}

export interface XmlGuardado {
  /** zstd. */
  readonly contenido: Buffer
  readonly sha256: Buffer
}

export async function findContents(trx: TenantTx, uuids: readonly string[]): Promise<Map<string, XmlGuardado>> {
  const columns = ['uuid_fiscal', 'contenido', 'sha256'] as const
  const rows = await trx
    .selectFrom('cfdi_xml')
    .select(columns)
    .where(sql<boolean>`uuid_fiscal = any(${uuids}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [row.uuid_fiscal, row]))
}

const money = (column: string) => `round(c.${column}, 2)::text`

// As sumCfdis has it, or the sums would not be those of the column.
const inPesos = (column: string) =>
  `round(case when c.moneda = 'MXN' or c.tipo_cambio is null then c.${column} else c.${column} * c.tipo_cambio end, 2)`

const COLUMN_OF: Readonly<Record<Sumable, string>> = {
  subtotal: 'subtotal',
  descuento: 'descuento',
  iva: 'iva',
  ieps: 'ieps',
  isrRetenido: 'isr_retenido',
  ivaRetenido: 'iva_retenido',
  total: 'total',
}

const ESENCIALES = sql.raw(`
  c.uuid_fiscal as uuid, c.tipo, c.direccion, c.estado, c.fecha_emision as "fechaEmision", c.serie, c.folio,
  c.rfc_emisor as "rfcEmisor", c.nombre_emisor as "nombreEmisor", c.rfc_receptor as "rfcReceptor",
  c.nombre_receptor as "nombreReceptor", c.moneda, ${money('total')} as total`)

const TODAS = sql`${ESENCIALES}, ${sql.raw(`
  c.version, c.cuenta_terceros as "cuentaTerceros", c.fecha_cancelacion as "fechaCancelacion",
  c.fecha_timbrado as "fechaTimbrado", c.regimen_emisor as "regimenEmisor", c.regimen_receptor as "regimenReceptor",
  c.uso_cfdi as "usoCfdi", c.metodo_pago as "metodoPago", c.forma_pago as "formaPago",
  c.condiciones_pago as "condicionesPago", c.lugar_expedicion as "lugarExpedicion", c.exportacion,
  trim_scale(c.tipo_cambio)::text as "tipoCambio", ${money('subtotal')} as subtotal, ${money('descuento')} as descuento,
  ${money('iva')} as iva, ${money('ieps')} as ieps, ${money('locales_trasladados')} as "localesTrasladados",
  ${money('isr_retenido')} as "isrRetenido", ${money('iva_retenido')} as "ivaRetenido",
  ${money('ieps_retenido')} as "iepsRetenido", ${money('locales_retenidos')} as "localesRetenidos",
  c.impuestos, c.n_conceptos as "nConceptos", c.complementos, c.avisos, c.reparaciones, c.source,
  ${SUMABLES.map((name) => `${inPesos(COLUMN_OF[name])}::text as "${name}Mxn"`).join(', ')},
  (select json_agg(json_build_object('tipo', r.tipo_relacion, 'uuid', r.uuid_relacionado) order by r.n)
    from cfdi_relaciones r where r.uuid_fiscal = c.uuid_fiscal) as relaciones,
  case c.tipo
    when 'P' then (select min(p.fecha_pago) from cfdi_pagos p where p.uuid_fiscal = c.uuid_fiscal)
    when 'N' then (select min(n.fecha_pago)::timestamp from cfdi_nominas n where n.uuid_fiscal = c.uuid_fiscal)
  end as "fechaPago",
  case c.tipo when 'P' then (select sum(round(q.monto * q.tipo_cambio, 2))::text
    from (select distinct on (p.pago) p.monto, p.tipo_cambio from cfdi_pagos p where p.uuid_fiscal = c.uuid_fiscal
      order by p.pago) q) end as "pagadoMxn",
  case c.tipo when 'P' then (select count(p.id_documento)::int from cfdi_pagos p
    where p.uuid_fiscal = c.uuid_fiscal) end as "documentosPagados",
  (select left(string_agg(left(k.descripcion, 1000), ' | ' order by k.n), 30000) from cfdi_conceptos k
    where k.uuid_fiscal = c.uuid_fiscal and k.n < ${MOST_CONCEPTS}) as conceptos`)}`
