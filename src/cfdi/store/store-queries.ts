import { sql } from 'kysely'
import type { TenantTx } from '../../db/databases.ts'
import { formatCentavos, ONE, parseDecimal } from '../../fiscal/money.ts'
import type { Periodo } from '../../fiscal/periodo.ts'
import { COLUMNS } from '../../taxes/month-row.ts'
import { IMPORTES, type Movimiento } from '../../taxes/movimiento.ts'
import { findAnotaciones } from '../annotations/queries.ts'
import { type Anotaciones, SIN_ANOTACIONES } from '../flow/anotaciones.ts'
import type { Egreso, Expediente, Factura, PagoAplicado } from '../flow/expediente.ts'
import { corregidosPor, type Nombrado } from '../flow/sustitucion.ts'
import { fromJson } from './cfdi-rows.ts'
import { arrayLiteral } from './literals.ts'

/** Where a derivation starts: invoices by id (known or not), and credit notes. */
export interface Semillas {
  readonly documentos: readonly string[]
  readonly egresos: readonly string[]
}

/** Where the derivation of stored CFDI starts. */
export async function findSemillas(trx: TenantTx, uuids: readonly string[]): Promise<Semillas> {
  const { rows } = await sql<{ nota: boolean; id: string }>`
    select distinct c.tipo = 'E' as nota, coalesce(p.id_documento, c.uuid_fiscal::text) as id
    from cfdis c left join cfdi_pagos p on p.uuid_fiscal = c.uuid_fiscal and c.tipo = 'P'
    where c.uuid_fiscal = any(${uuids}::uuid[]) and c.tipo in ('I', 'E', 'P')
      and (c.tipo <> 'P' or p.id_documento is not null)`.execute(trx)
  const ids = (nota: boolean) => rows.filter((row) => row.nota === nota).map(({ id }) => id)
  return { documentos: ids(false), egresos: ids(true) }
}

export interface Alcance extends Expediente {
  /** Ids of every document whose payments are in it. */
  readonly documentos: readonly string[]
}

/**
 * Everything that can bear on these documents: credit notes tie the invoices they name together, because what one note
 * takes of a balance the next does not find. Payments tie nothing: each belongs to one invoice.
 */
export async function findExpediente(trx: TenantTx, { documentos, egresos }: Semillas): Promise<Alcance> {
  // From documents to the notes that name them and from notes to what they name, each once: a note over thousands of
  // invoices (a rebate of the year) leads to them once and not once for each of them. Most documents are tied to nothing:
  // only what is goes into the recursion, whose steps cost each row a look of its own.
  const { rows: reached } = await sql<{ nota: boolean; id: string }>`
    with recursive alcance(nota, id) as (
      select true, unnest(${egresos}::uuid[])
      union
      select true, d.id from unnest(${documentos.filter(isUuid)}::uuid[]) as d(id)
      where (select e.tipo from cfdis e where e.uuid_fiscal = d.id) = 'E'
      union
      select false, r.uuid_relacionado from cfdi_relaciones r where r.uuid_relacionado = any(${documentos.filter(isUuid)}::uuid[])
      union
      select not a.nota, s.id
      from alcance a cross join lateral (
        select r.uuid_relacionado as id from cfdi_relaciones r where r.uuid_fiscal = case when a.nota then a.id end
        union all
        -- Types are asked for by id and not joined: where nothing is known of the tables yet, in the first import of a
        -- company, a join looks through all of its notes for every document.
        select r.uuid_fiscal from cfdi_relaciones r
        where r.uuid_relacionado = case when not a.nota then a.id end
          and (select e.tipo from cfdis e where e.uuid_fiscal = r.uuid_fiscal) = 'E'
        union all
        -- A note that takes the place of another names it as it would name an invoice: each is found from the other.
        select a.id where a.nota or (select e.tipo from cfdis e where e.uuid_fiscal = a.id) = 'E'
      ) s
    )
    select nota, id::text from alcance`.execute(trx)
  const reachedIds = (nota: boolean) => reached.filter((row) => row.nota === nota).map(({ id }) => id)
  const ids = [...new Set([...documentos, ...reachedIds(false)])]
  const uuids = ids.filter(isUuid)
  const notes = [...new Set([...egresos, ...reachedIds(true)])]
  const facturas = await documentRows(trx)
    .where('c.tipo', '=', 'I')
    .where(sql<boolean>`c.uuid_fiscal = any(${uuids}::uuid[])`)
    .execute()
  const notas = await documentRows(trx)
    .select(
      sql<Nombrado[]>`coalesce((
        select json_agg(json_build_object('tipo', r.tipo_relacion, 'uuid', r.uuid_relacionado) order by r.n)
        from cfdi_relaciones r where r.uuid_fiscal = c.uuid_fiscal), '[]')`.as('nombrados'),
    )
    .where('c.tipo', '=', 'E')
    .where(sql<boolean>`c.uuid_fiscal = any(${notes}::uuid[])`)
    .execute()
  const pagos = await trx
    .selectFrom('cfdi_pagos as p')
    .innerJoin('cfdis as c', 'c.uuid_fiscal', 'p.uuid_fiscal')
    .selectAll('p')
    .select(['c.direccion', 'c.estado', 'c.rfc_emisor', 'c.rfc_receptor', EMISOR_69B])
    .where(sql<boolean>`p.id_documento = any(${ids}::text[])`)
    .execute()
  const noted = await findAnotaciones(trx, [
    ...new Set([...facturas, ...notas, ...pagos].map((row) => row.uuid_fiscal)),
  ])
  const nombrados = new Map(notas.map((nota) => [nota.uuid_fiscal, nota.nombrados]))
  const anotacionesDe = ({ uuid_fiscal }: { uuid_fiscal: string }) => noted.get(uuid_fiscal) ?? SIN_ANOTACIONES
  return {
    documentos: ids,
    facturas: facturas.map((factura) => toFactura(factura, anotacionesDe(factura))),
    egresos: notas.map(
      (nota) =>
        ({
          ...toFactura(nota, anotacionesDe(nota)),
          relacionados: corregidosPor(nota.uuid_fiscal, nombrados),
        }) satisfies Egreso,
    ),
    pagos: pagos.map((pago) => toPago(pago, anotacionesDe(pago))),
  }
}

/** Puts the movements of an expediente where its old ones were, and returns the months whose sums that changes. */
export async function replaceMovimientos(
  trx: TenantTx,
  alcance: Alcance,
  movimientos: readonly Movimiento[],
): Promise<Periodo[]> {
  const propios = [...alcance.facturas, ...alcance.egresos].map(({ uuid }) => uuid)
  const { rows: stored } = await sql<MovimientoRow>`
    select ${MOVIMIENTO_TEXTS} from movimientos m
    where m.uuid_fiscal = any(${propios}::uuid[]) or (m.clase = 'REP' and m.documento = any(${alcance.documentos}::text[]))`.execute(
    trx,
  )
  const now = movimientos.map(toRow)
  const before = new Map(stored.map((row) => [keyOf(row), row]))
  const after = new Map(now.map((row) => [keyOf(row), row]))
  const gone = stored.filter((row) => !isSame(row, after.get(keyOf(row))))
  const made = now.filter((row) => !isSame(row, before.get(keyOf(row))))
  if (gone.length > 0) {
    await sql`
      delete from movimientos m using jsonb_to_recordset(${JSON.stringify(gone)}::text::jsonb) as g(uuid_fiscal uuid, n int)
      where m.uuid_fiscal = g.uuid_fiscal and m.n = g.n`.execute(trx)
  }
  if (made.length > 0) {
    const lists = Object.entries(MOVIMIENTO).map(
      ([column, type]) => sql`${arrayLiteral(made.map((row) => row[column] ?? null))}::${sql.raw(type)}[]`,
    )
    await sql`
      insert into movimientos (${MOVIMIENTO_NAMES})
      select * from unnest(${sql.join(lists)})`.execute(trx)
  }
  return [...gone, ...made]
    .filter((row) => row['efecto'] !== 'sin_efecto')
    .map((row) => ({ ejercicio: Number(row['ejercicio']), mes: Number(row['mes']) }))
}

/** Pagos 1.0 may name a paper folio. */
const isUuid = (id: string): boolean => UUID.test(id)

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

type MovimientoRow = Record<string, string | null>

const MOVIMIENTO: Readonly<Record<string, string>> = {
  uuid_fiscal: 'uuid',
  n: 'int',
  documento: 'text',
  clase: 'text',
  direccion: 'text',
  fecha: 'timestamp',
  ejercicio: 'int',
  mes: 'int',
  contraparte: 'text',
  total: 'numeric',
  ...Object.fromEntries(Object.values(COLUMNS).map((column) => [column, 'numeric'])),
  forma_pago: 'text',
  uso_cfdi: 'text',
  efecto: 'text',
  motivo: 'text',
  revisar: 'text',
  requiere_complementaria: 'boolean',
  destino_iva: 'text',
  porcentaje_deducible: 'numeric',
}
const MOVIMIENTO_COLUMNS = Object.keys(MOVIMIENTO)
const MOVIMIENTO_NAMES = sql.raw(MOVIMIENTO_COLUMNS.join(', '))
const MOVIMIENTO_TEXTS = sql.raw(MOVIMIENTO_COLUMNS.map((column) => `m.${column}::text`).join(', '))

const keyOf = (row: MovimientoRow): string => `${row['uuid_fiscal']} ${row['n']}`

const isSame = (a: MovimientoRow, b: MovimientoRow | undefined): boolean =>
  b !== undefined && MOVIMIENTO_COLUMNS.every((column) => a[column] === b[column])

/** A movement in the texts PostgreSQL has for it, so that equal ones are seen to be equal. */
function toRow(movimiento: Movimiento): MovimientoRow {
  const { periodo } = movimiento
  return {
    uuid_fiscal: movimiento.uuid,
    n: `${movimiento.n}`,
    documento: movimiento.documento,
    clase: movimiento.clase,
    direccion: movimiento.direccion,
    fecha: movimiento.fecha.replace('T', ' '),
    ejercicio: `${periodo.ejercicio}`,
    mes: `${periodo.mes}`,
    contraparte: movimiento.contraparte,
    total: formatCentavos(movimiento.total),
    ...Object.fromEntries(IMPORTES.map((key) => [COLUMNS[key], formatCentavos(movimiento[key])])),
    forma_pago: movimiento.formaPago,
    uso_cfdi: movimiento.usoCfdi,
    efecto: movimiento.efecto,
    motivo: movimiento.motivo,
    revisar: movimiento.revisar,
    requiere_complementaria: `${movimiento.requiereComplementaria}`,
    destino_iva: movimiento.destinoIva,
    porcentaje_deducible: formatCentavos(movimiento.porcentajeDeducible),
  }
}

/** As the warning that the last answer of the SAT left (src/sat/estado/). */
const EMISOR_69B = sql<boolean>`'sat.emisor_69b' = any(c.avisos)`.as('emisor69b')

const documentRows = (trx: TenantTx) =>
  trx
    .selectFrom('cfdis as c')
    .select(['c.uuid_fiscal', 'c.direccion', 'c.estado', 'c.rfc_emisor', 'c.rfc_receptor', 'c.fecha_emision'])
    .select(['c.metodo_pago', 'c.forma_pago', 'c.uso_cfdi', 'c.total', 'c.moneda', 'c.tipo_cambio'])
    .select(['c.impuestos', 'c.base_no_objeto', 'c.combustible', 'c.cuenta_terceros', EMISOR_69B])

type DocumentRow = Awaited<ReturnType<ReturnType<typeof documentRows>['executeTakeFirstOrThrow']>>

function toFactura(row: DocumentRow, anotaciones: Anotaciones): Factura {
  const base = row.base_no_objeto
  const magnitude = parseDecimal(base.replace('-', ''))
  return {
    uuid: row.uuid_fiscal,
    direccion: row.direccion,
    vigente: row.estado === 'vigente',
    rfcEmisor: row.rfc_emisor,
    contraparte: row.direccion === 'emitido' ? row.rfc_receptor : row.rfc_emisor,
    fecha: row.fecha_emision.replace(' ', 'T'),
    metodoPago: row.metodo_pago,
    formaPago: row.forma_pago,
    usoCfdi: row.uso_cfdi,
    total: parseDecimal(row.total),
    moneda: row.moneda,
    tipoCambio: row.moneda === 'MXN' || row.tipo_cambio === null ? ONE : parseDecimal(row.tipo_cambio),
    impuestos: fromJson(row.impuestos),
    // A discount above the amount of its concept makes it negative.
    baseNoObjeto: base.startsWith('-') ? { ...magnitude, units: -magnitude.units } : magnitude,
    combustible: row.combustible,
    cuentaTerceros: row.cuenta_terceros,
    emisor69b: row.emisor69b,
    anotaciones,
  }
}

interface PagoRow {
  uuid_fiscal: string
  n: number
  direccion: 'emitido' | 'recibido'
  estado: string
  rfc_emisor: string
  rfc_receptor: string
  version: '1.0' | '2.0'
  fecha_pago: string
  forma_pago: string | null
  tipo_cambio: string
  monto: string
  id_documento: string | null
  moneda_dr: string | null
  equivalencia_dr: string | null
  pagado: string | null
  objeto_imp: string | null
  impuestos: unknown
  emisor69b: boolean
}

function toPago(row: PagoRow, anotaciones: Anotaciones): PagoAplicado {
  return {
    uuid: row.uuid_fiscal,
    n: row.n,
    direccion: row.direccion,
    vigente: row.estado === 'vigente',
    rfcEmisor: row.rfc_emisor,
    contraparte: row.direccion === 'emitido' ? row.rfc_receptor : row.rfc_emisor,
    version: row.version,
    fecha: row.fecha_pago.replace(' ', 'T'),
    formaPago: row.forma_pago,
    tipoCambio: parseDecimal(row.tipo_cambio),
    monto: parseDecimal(row.monto),
    idDocumento: row.id_documento ?? '',
    moneda: row.moneda_dr ?? '',
    equivalencia: parseDecimal(row.equivalencia_dr ?? '1', { places: 10 }),
    pagado: parseDecimal(row.pagado ?? '0', { places: 12 }),
    objetoImp: row.objeto_imp,
    impuestos: fromJson(row.impuestos),
    emisor69b: row.emisor69b,
    anotaciones,
  }
}
