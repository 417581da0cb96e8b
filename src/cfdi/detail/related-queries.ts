import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { CONOCIDO } from './known-queries.ts'
import type { Lista, PagoRecibido, Relacion } from './related.ts'

interface Bound {
  most: number
}

/** What a document names, in its order. */
export function findNombrados(db: TenantSql, uuid: string, { most }: Bound) {
  return list<Relacion>(
    db,
    sql`select count(*) from cfdi_relaciones r where r.uuid_fiscal = ${uuid}`,
    sql`select json_agg(json_build_object('tipoRelacion', r.tipo_relacion, 'uuid', r.uuid_relacionado, 'cfdi', ${CONOCIDO}) order by r.n)
      from (select * from cfdi_relaciones where uuid_fiscal = ${uuid} order by n limit ${most}) r
      left join cfdis k on k.uuid_fiscal = r.uuid_relacionado`,
  )
}

/** What names it, the oldest first. */
export function findQueNombran(db: TenantSql, uuid: string, { most }: Bound) {
  return list<Relacion>(
    db,
    sql`select count(*) from cfdi_relaciones r where r.uuid_relacionado = ${uuid}`,
    sql`select json_agg(json_build_object('tipoRelacion', k.tipo_relacion, 'uuid', k.uuid_fiscal, 'cfdi', ${CONOCIDO})
        order by k.fecha_emision, k.uuid_fiscal, k.n)
      from (
        select k.*, r.tipo_relacion, r.n from cfdi_relaciones r join cfdis k on k.uuid_fiscal = r.uuid_fiscal
        where r.uuid_relacionado = ${uuid} order by k.fecha_emision, k.uuid_fiscal, r.n limit ${most}
      ) k`,
  )
}

/** The payments of it, each with what it did to IVA and why: a receipt of somebody else or a cancelled one does nothing. */
export function findPagosDe(db: TenantSql, uuid: string, { most }: Bound) {
  return list<PagoRecibido>(
    db,
    sql`select count(*) from cfdi_pagos p where p.id_documento = ${uuid}`,
    sql`select json_agg(json_build_object(
        'uuid', p.uuid_fiscal, 'fechaPago', p.fecha_pago, 'formaPago', p.forma_pago, 'numOperacion', p.num_operacion,
        'parcialidad', p.parcialidad, 'moneda', p.moneda_dr, 'saldoAnterior', round(p.saldo_anterior, 2)::text,
        'pagado', round(p.pagado, 2)::text, 'saldoInsoluto', round(p.saldo_insoluto, 2)::text,
        'efecto', m.efecto, 'motivo', m.motivo, 'cfdi', ${CONOCIDO}) order by p.fecha_pago, p.uuid_fiscal, p.n)
      from (
        select * from cfdi_pagos where id_documento = ${uuid} order by fecha_pago, uuid_fiscal, n limit ${most}
      ) p
      join cfdis k on k.uuid_fiscal = p.uuid_fiscal
      left join movimientos m on m.uuid_fiscal = p.uuid_fiscal and m.n = p.n`,
  )
}

/**
 * Everything that a document replaces, directly or not (`arriba`), or that replaces it (`abajo`): relation 04. Each once,
 * whatever circles somebody made; of a chain without end the nearest ones.
 */
export async function findSustituciones(
  db: TenantSql,
  uuid: string,
  { sentido, most }: Bound & { sentido: 'arriba' | 'abajo' },
): Promise<Relacion[]> {
  const [from, to] = sentido === 'arriba' ? [NAMES, NAMED] : [NAMED, NAMES]
  const { rows } = await sql<{ uno: Relacion }>`
    with recursive cadena(id) as (
      select ${uuid}::uuid
      union
      select r.${to} from cadena a join cfdi_relaciones r on r.${from} = a.id and r.tipo_relacion = '04'
    ), cerca as (select id, row_number() over () as n from cadena limit ${most + 1})
    select json_build_object('tipoRelacion', '04', 'uuid', q.id, 'cfdi', ${CONOCIDO}) as uno
    from cerca q left join cfdis k on k.uuid_fiscal = q.id
    where q.id <> ${uuid}::uuid order by q.n`.execute(db)
  return rows.map(({ uno }) => uno)
}

/**
 * The documents of an advance: the advance, the invoices that name it with relation 07 and the credit notes that apply it
 * name those, so that everything tied by 07 belongs to it. With what each of them names.
 */
export async function findAnticipo(db: TenantSql, uuid: string, { most }: Bound) {
  const { rows } = await sql<{ uno: Relacion & { nombra: string[] } }>`
    with recursive cadena(id) as (
      select ${uuid}::uuid
      union
      select s.id from cadena a cross join lateral (
        select r.uuid_relacionado as id from cfdi_relaciones r where r.uuid_fiscal = a.id and r.tipo_relacion = '07'
        union all
        select r.uuid_fiscal from cfdi_relaciones r where r.uuid_relacionado = a.id and r.tipo_relacion = '07'
      ) s
    ), cerca as (select id from cadena limit ${most})
    select json_build_object('tipoRelacion', '07', 'uuid', q.id, 'cfdi', ${CONOCIDO},
      'nombra', array(select r.uuid_relacionado from cfdi_relaciones r
        where r.uuid_fiscal = q.id and r.tipo_relacion = '07' order by r.n limit ${most})) as uno
    from cerca q left join cfdis k on k.uuid_fiscal = q.id
    order by k.fecha_emision nulls first, q.id`.execute(db)
  return rows.map(({ uno }) => uno)
}

const NAMES = sql.raw('uuid_fiscal')
const NAMED = sql.raw('uuid_relacionado')

async function list<T>(db: TenantSql, count: ReturnType<typeof sql>, datos: ReturnType<typeof sql>): Promise<Lista<T>> {
  const { rows } = await sql<Lista<T>>`
    select (${count})::int as total, coalesce((${datos}), '[]') as datos`.execute(db)
  return rows[0] ?? { total: 0, datos: [] }
}
