import { type RawBuilder, sql } from 'kysely'
import { CONOCIDO } from './known-queries.ts'

interface Bound {
  most: number
}

// Each is one value of JSON: together they are one statement and one way to the database, instead of ten.

/** What a document names, in its order: `Lista<Relacion>`. */
export const nombrados = (uuid: string, { most }: Bound) =>
  list(
    sql`select count(*) from cfdi_relaciones r where r.uuid_fiscal = ${uuid}::uuid`,
    sql`select json_agg(json_build_object('tipoRelacion', r.tipo_relacion, 'uuid', r.uuid_relacionado, 'cfdi', ${CONOCIDO}) order by r.n)
      from (select * from cfdi_relaciones where uuid_fiscal = ${uuid}::uuid order by n limit ${most}::int) r
      left join cfdis k on k.uuid_fiscal = r.uuid_relacionado`,
  )

/** What names it, the oldest first: `Lista<Relacion>`. */
export const queNombran = (uuid: string, { most }: Bound) =>
  list(
    sql`select count(*) from cfdi_relaciones r where r.uuid_relacionado = ${uuid}::uuid`,
    sql`select json_agg(json_build_object('tipoRelacion', k.tipo_relacion, 'uuid', k.uuid_fiscal, 'cfdi', ${CONOCIDO})
        order by k.fecha_emision, k.uuid_fiscal, k.n)
      from (
        select k.*, r.tipo_relacion, r.n from cfdi_relaciones r join cfdis k on k.uuid_fiscal = r.uuid_fiscal
        where r.uuid_relacionado = ${uuid}::uuid order by k.fecha_emision, k.uuid_fiscal, r.n limit ${most}::int
      ) k`,
  )

/**
 * The payments of it, each with what it did to IVA and why: a receipt of somebody else or a cancelled one does nothing.
 * `Lista<PagoRecibido>`.
 */
export const pagosDe = (uuid: string, { most }: Bound) =>
  list(
    sql`select count(*) from cfdi_pagos p where p.id_documento = ${uuid}::text`,
    sql`select json_agg(json_build_object(
        'uuid', p.uuid_fiscal, 'fechaPago', p.fecha_pago, 'formaPago', p.forma_pago, 'numOperacion', p.num_operacion,
        'parcialidad', p.parcialidad, 'moneda', p.moneda_dr, 'saldoAnterior', round(p.saldo_anterior, 2)::text,
        'pagado', round(p.pagado, 2)::text, 'saldoInsoluto', round(p.saldo_insoluto, 2)::text,
        'efecto', m.efecto, 'motivo', m.motivo, 'cfdi', ${CONOCIDO}) order by p.fecha_pago, p.uuid_fiscal, p.n)
      from (
        select * from cfdi_pagos where id_documento = ${uuid}::text
        order by fecha_pago, uuid_fiscal, n limit ${most}::int
      ) p
      join cfdis k on k.uuid_fiscal = p.uuid_fiscal
      left join movimientos m on m.uuid_fiscal = p.uuid_fiscal and m.n = p.n`,
  )

/**
 * Everything that a document replaces, directly or not (`arriba`), or that replaces it (`abajo`): relation 04. Each once,
 * whatever circles somebody made; of a chain without end the nearest ones. `Relacion[]`.
 */
export function sustituciones(uuid: string, { sentido, most }: Bound & { sentido: 'arriba' | 'abajo' }) {
  const [from, to] = sentido === 'arriba' ? [NAMES, NAMED] : [NAMED, NAMES]
  return sql`coalesce((
    with recursive cadena(id) as (
      select ${uuid}::uuid
      union
      select r.${to} from cadena a join cfdi_relaciones r on r.${from} = a.id and r.tipo_relacion = '04'
    ), cerca as (select id, row_number() over () as n from cadena limit ${most + 1}::int)
    select json_agg(json_build_object('tipoRelacion', '04', 'uuid', q.id, 'cfdi', ${CONOCIDO}) order by q.n)
    from cerca q left join cfdis k on k.uuid_fiscal = q.id
    where q.id <> ${uuid}::uuid), '[]')`
}

/**
 * The documents of an advance: the advance, the invoices that name it with relation 07 and the credit notes that apply it
 * name those, so that everything tied by 07 belongs to it. With what each of them names: `EnCadena[]`.
 */
export const anticipo = (uuid: string, { most }: Bound) => sql`coalesce((
  with recursive cadena(id) as (
    select ${uuid}::uuid
    union
    select s.id from cadena a cross join lateral (
      select r.uuid_relacionado as id from cfdi_relaciones r where r.uuid_fiscal = a.id and r.tipo_relacion = '07'
      union all
      select r.uuid_fiscal from cfdi_relaciones r where r.uuid_relacionado = a.id and r.tipo_relacion = '07'
    ) s
  ), cerca as (select id from cadena limit ${most}::int)
  select json_agg(json_build_object('tipoRelacion', '07', 'uuid', q.id, 'cfdi', ${CONOCIDO},
    'nombra', array(select r.uuid_relacionado from cfdi_relaciones r
      where r.uuid_fiscal = q.id and r.tipo_relacion = '07' order by r.n limit ${most}::int))
    order by k.fecha_emision nulls first, q.id)
  from cerca q left join cfdis k on k.uuid_fiscal = q.id), '[]')`

const NAMES = sql.raw('uuid_fiscal')
const NAMED = sql.raw('uuid_relacionado')

const list = (count: RawBuilder<unknown>, datos: RawBuilder<unknown>) =>
  sql`json_build_object('total', (${count}), 'datos', coalesce((${datos}), '[]'))`
