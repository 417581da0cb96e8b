import { type RawBuilder, sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { limitsOf, type Periodo } from '../../fiscal/periodo.ts'

export interface CfdiFilter {
  periodo?: Periodo | undefined
  /** Days, both inside. */
  desde?: string | undefined
  hasta?: string | undefined
  tipo?: string | undefined
  direccion?: 'emitidos' | 'recibidos' | undefined
  rfc?: string | undefined
  metodo?: string | undefined
  forma?: string | undefined
  uso?: string | undefined
  moneda?: string | undefined
  estado?: string | undefined
  /** A folio fiscal, or part of a name. */
  q?: string | undefined
}

export interface Position {
  fecha: string
  uuid: string
}

/**
 * A page of the list, newest first, as JSON text: PostgreSQL writes it faster than it could be taken apart and put
 * together again here. `last` is the position of its last row when more follow.
 */
export async function listCfdis(
  db: TenantSql,
  filter: CfdiFilter,
  page: { after?: Position | undefined; limit: number },
) {
  // A row is a line: row_to_json escapes every line break inside of it. That takes the server, which a page is bound
  // by, half of what numbering the rows and building one array of them takes.
  const { rows } = await sql<{ lines: string | null; n: number }>`
    select string_agg(row_to_json(d)::text, ${ROW_END}) as lines, count(*)::int as n
    from (
      select ${RESUMEN} from cfdis c
      where ${sql.join([sql`true`, ...conditions(filter), ...before(page.after)], sql` and `)}
      order by c.fecha_emision desc, c.uuid_fiscal desc
      limit ${page.limit + 1}
    ) d`.execute(db)
  const { lines, n } = rows[0] ?? { lines: null, n: 0 }
  if (lines === null || n <= page.limit) return { datos: `[${lines ?? ''}]`, last: undefined }
  const shown = lines.slice(0, lines.lastIndexOf(ROW_END))
  const last = JSON.parse(shown.slice(shown.lastIndexOf('\n') + 1)) as { fechaEmision: string; uuid: string }
  return { datos: `[${shown}]`, last: { fecha: last.fechaEmision, uuid: last.uuid } }
}

/** One CFDI with everything it is linked to, as it goes out, but for its movements and `creadoEn`. */
export async function findCfdi(db: TenantSql, uuid: string) {
  const { rows } = await sql<{ cfdi: Record<string, unknown>; creado_en: Date }>`
    select c.creado_en, (select to_json(d) from (select ${RESUMEN},
      c.version, c.fecha_timbrado as "fechaTimbrado", c.regimen_emisor as "regimenEmisor",
      c.regimen_receptor as "regimenReceptor", c.lugar_expedicion as "lugarExpedicion", c.exportacion,
      ${money('ieps')} as ieps, ${money('ieps_retenido')} as "iepsRetenido",
      ${money('locales_trasladados')} as "localesTrasladados", ${money('locales_retenidos')} as "localesRetenidos",
      c.impuestos, c.avisos, c.source,
      coalesce((select json_agg(json_build_object('tipoRelacion', r.tipo_relacion, 'uuid', r.uuid_relacionado) order by r.n)
        from cfdi_relaciones r where r.uuid_fiscal = c.uuid_fiscal), '[]') as relaciones,
      coalesce((select json_agg(json_build_object('tipoRelacion', r.tipo_relacion, 'uuid', r.uuid_fiscal) order by r.uuid_fiscal)
        from cfdi_relaciones r where r.uuid_relacionado = c.uuid_fiscal), '[]') as "relacionadoPor",
      coalesce((select json_agg(json_build_object(
          'fechaPago', p.fecha_pago, 'formaPago', p.forma_pago, 'moneda', p.moneda,
          'tipoCambio', trim_scale(p.tipo_cambio)::text, 'monto', round(p.monto, 2)::text, 'documento', p.id_documento,
          'monedaDocumento', p.moneda_dr, 'equivalencia', trim_scale(p.equivalencia_dr)::text,
          'parcialidad', p.parcialidad, 'saldoAnterior', round(p.saldo_anterior, 2)::text,
          'pagado', round(p.pagado, 2)::text, 'saldoInsoluto', round(p.saldo_insoluto, 2)::text) order by p.n)
        from cfdi_pagos p where p.uuid_fiscal = c.uuid_fiscal), '[]') as pagos
    ) d) as cfdi
    from cfdis c where c.uuid_fiscal = ${uuid}`.execute(db)
  return rows[0]
}

/** The stored bytes of a CFDI, compressed. */
export async function findXml(db: TenantSql, uuid: string): Promise<Buffer | undefined> {
  const row = await db.selectFrom('cfdi_xml').select('contenido').where('uuid_fiscal', '=', uuid).executeTakeFirst()
  return row?.contenido
}

const ROW_END = ',\n'

const money = (column: string) => sql.raw(`round(c.${column}, 2)::text`)

const RESUMEN = sql.raw(`
  c.uuid_fiscal as uuid, c.tipo, c.direccion, c.serie, c.folio, c.fecha_emision as "fechaEmision",
  c.rfc_emisor as "rfcEmisor", c.nombre_emisor as "nombreEmisor",
  c.rfc_receptor as "rfcReceptor", c.nombre_receptor as "nombreReceptor",
  round(c.subtotal, 2)::text as subtotal, round(c.descuento, 2)::text as descuento, round(c.iva, 2)::text as iva,
  round(c.isr_retenido, 2)::text as "isrRetenido", round(c.iva_retenido, 2)::text as "ivaRetenido",
  round(c.total, 2)::text as total, c.moneda, trim_scale(c.tipo_cambio)::text as "tipoCambio",
  c.metodo_pago as "metodoPago", c.forma_pago as "formaPago", c.uso_cfdi as "usoCfdi", c.estado`)

function conditions(filter: CfdiFilter): RawBuilder<unknown>[] {
  const { periodo, desde, hasta, direccion, rfc, q } = filter
  const found: RawBuilder<unknown>[] = []
  if (periodo) {
    const month = limitsOf(periodo)
    found.push(sql`c.fecha_emision between ${month.desde}::timestamp and ${month.hasta}::timestamp`)
  }
  if (desde !== undefined) found.push(sql`c.fecha_emision >= ${desde}::timestamp`)
  if (hasta !== undefined) found.push(sql`c.fecha_emision < ${hasta}::timestamp + interval '1 day'`)
  if (direccion !== undefined) found.push(sql`c.direccion = ${direccion === 'emitidos' ? 'emitido' : 'recibido'}`)
  if (rfc !== undefined) found.push(counterpart(rfc, direccion))
  for (const [column, name] of EXACT) {
    const value = filter[name]
    if (value !== undefined) found.push(sql`${sql.ref(`c.${column}`)} = ${value}`)
  }
  if (q !== undefined) found.push(search(q))
  return found
}

const EXACT = [
  ['tipo', 'tipo'],
  ['metodo_pago', 'metodo'],
  ['forma_pago', 'forma'],
  ['uso_cfdi', 'uso'],
  ['moneda', 'moneda'],
  ['estado', 'estado'],
] as const satisfies readonly (readonly [string, keyof CfdiFilter])[]

// With the side known one column says it all, and its index gives the rows in order.
function counterpart(rfc: string, direccion: CfdiFilter['direccion']): RawBuilder<unknown> {
  if (direccion === 'emitidos') return sql`c.rfc_receptor = ${rfc}`
  if (direccion === 'recibidos') return sql`c.rfc_emisor = ${rfc}`
  return sql`(c.rfc_emisor = ${rfc} or c.rfc_receptor = ${rfc})`
}

function search(q: string): RawBuilder<unknown> {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(q)) return sql`c.uuid_fiscal = ${q}::uuid`
  const pattern = `%${q.replace(/[\\%_]/g, '\\$&')}%`
  return sql`(c.nombre_emisor ilike ${pattern} or c.nombre_receptor ilike ${pattern})`
}

const before = (after: Position | undefined): RawBuilder<unknown>[] =>
  after ? [sql`(c.fecha_emision, c.uuid_fiscal) < (${after.fecha}::timestamp, ${after.uuid}::uuid)`] : []
