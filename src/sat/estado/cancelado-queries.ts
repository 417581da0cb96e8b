import { sql } from 'kysely'
import { findExpediente, findSemillas } from '../../cfdi/store/store-queries.ts'
import type { TenantSql, TenantTx } from '../../db/databases.ts'
import { parseCentavos } from '../../fiscal/money.ts'
import type { Acreditado, Nombra, Recibido } from './cancelado-recibido.ts'
import type { Declarable } from './complementaria.ts'

/** The documents that bear on what these CFDI do to months: those that are derived anew when one of them changes. */
export async function findAlcance(trx: TenantTx, uuids: readonly string[]): Promise<Alcance> {
  const { facturas, egresos, documentos } = await findExpediente(trx, await findSemillas(trx, uuids))
  const { rows: nombrados } = await sql<Nombra>`
    select uuid_fiscal::text as uuid, documento from movimientos
    where uuid_fiscal = any(${uuids}::uuid[]) and documento is not null
    union
    select uuid_fiscal::text, uuid_relacionado::text from cfdi_relaciones where uuid_fiscal = any(${uuids}::uuid[])
    order by 1, 2`.execute(trx)
  return { uuids: [...facturas, ...egresos].map(({ uuid }) => uuid), documentos, nombrados }
}

interface Alcance {
  /** Of invoices and credit notes. */
  readonly uuids: readonly string[]
  /** Those whose payments are among them. */
  readonly documentos: readonly string[]
  /** Which documents those name that it starts from. */
  readonly nombrados: readonly Nombra[]
}

/** What months credit because of these documents. */
export async function findAcreditados(trx: TenantTx, { uuids, documentos }: Alcance): Promise<Acreditado[]> {
  const { rows } = await sql<AcreditadoRow>`
    select m.uuid_fiscal::text as uuid, m.n, m.documento, m.ejercicio, m.mes,
      (m.iva16 + m.iva8 + m.iva_otra - m.iva_retenido)::text as pagado, m.iva_retenido::text as retenido,
      m.destino_iva as "destinoIva", m.porcentaje_deducible::text as porcentaje, i.proporcion::text as proporcion
    from movimientos m
    left join iva_mensual i on i.ejercicio = m.ejercicio and i.mes = m.mes
    where m.direccion = 'recibido' and m.efecto = 'cuenta'
      and (m.uuid_fiscal = any(${uuids}::uuid[]) or (m.clase = 'REP' and m.documento = any(${documentos}::text[])))
    order by m.uuid_fiscal, m.n`.execute(trx)
  return rows.map(({ uuid, n, documento, ejercicio, mes, pagado, retenido, destinoIva, porcentaje, proporcion }) => ({
    uuid,
    n,
    documento,
    periodo: { ejercicio, mes },
    pagado: parseCentavos(pagado),
    retenido: parseCentavos(retenido),
    destinoIva,
    porcentajeDeducible: parseCentavos(porcentaje),
    // numeric(5,4): always four decimals.
    proporcion: proporcion === null ? null : BigInt(proporcion.replace('.', '')),
  }))
}

interface AcreditadoRow extends Pick<Acreditado, 'uuid' | 'n' | 'documento' | 'destinoIva'> {
  ejercicio: number
  mes: number
  pagado: string
  retenido: string
  porcentaje: string
  proporcion: string | null
}

/** What the return of each month says of its IVA. */
export async function findDeclarables(trx: TenantTx): Promise<Declarable[]> {
  const rows = await trx
    .selectFrom('iva_mensual')
    .select(['ejercicio', 'mes', 'iva_acreditable', 'saldo_a_favor_anterior', 'a_cargo', 'a_favor'])
    .execute()
  return rows.map(({ ejercicio, mes, ...row }) => ({
    periodo: { ejercicio, mes },
    acreditable: parseCentavos(row.iva_acreditable),
    saldoAnterior: parseCentavos(row.saldo_a_favor_anterior),
    aCargo: parseCentavos(row.a_cargo),
    aFavor: parseCentavos(row.a_favor),
  }))
}

export async function findRecibidos(trx: TenantTx, uuids: readonly string[]): Promise<Recibido[]> {
  const { rows } = await sql<Recibido>`
    select uuid_fiscal::text as uuid, tipo, rfc_emisor as "rfcEmisor", nombre_emisor as "nombreEmisor",
      total::text as total, moneda, to_char(fecha_emision, 'YYYY-MM-DD') as "fechaEmision",
      to_char(fecha_cancelacion, 'YYYY-MM-DD') as "fechaCancelacion", (${SUSTITUTO}) as "sustituidoPor"
    from cfdis c where uuid_fiscal = any(${uuids}::uuid[]) and direccion = 'recibido'`.execute(trx)
  return rows
}

/** A CFDI in force of the same issuer that is here and says that it takes the place of `c`. */
const SUSTITUTO = sql<string | null>`
  select s.uuid_fiscal::text from cfdi_relaciones r join cfdis s on s.uuid_fiscal = r.uuid_fiscal
  where r.uuid_relacionado = c.uuid_fiscal and r.tipo_relacion = '04'
    and s.estado = 'vigente' and s.rfc_emisor = c.rfc_emisor
  order by s.fecha_emision desc, s.uuid_fiscal limit 1`

/**
 * Writes into open alerts of cancelled CFDI which one took their place, where that came after the alert: `pedir` of what is to
 * be done, that asks for it, becomes what is told of it, with its folio for `#`. @returns how many
 */
export async function putSustitutos(
  db: TenantSql,
  { pedir, dicho, now }: { pedir: string; dicho: string; now: Date },
): Promise<number> {
  const { numAffectedRows } = await sql`
    update alertas a set accion = replace(a.accion, ${pedir}, replace(${dicho}, '#', f.sustituto)),
      detalle = a.detalle || jsonb_build_object('sustituidoPor', f.sustituto), actualizada_en = ${now}
    from (
      select o.id, (${SUSTITUTO}) as sustituto
      from alertas o join cfdis c on c.uuid_fiscal = o.uuid_fiscal
      where o.tipo = 'CFDI_RECIBIDO_CANCELADO' and o.resuelta_en is null and o.detalle ->> 'sustituidoPor' is null
      order by o.clave for no key update of o
    ) f
    where a.id = f.id and f.sustituto is not null`.execute(db)
  return Number(numAffectedRows ?? 0n)
}
