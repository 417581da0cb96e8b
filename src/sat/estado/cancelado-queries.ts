import { sql } from 'kysely'
import type { TenantTx } from '../../db/databases.ts'
import { parseCentavos } from '../../fiscal/money.ts'
import type { Acreditado, Recibido } from './cancelado-recibido.ts'

/** What months credit because of these CFDI: their own movements, and those of payments and notes of theirs. */
export async function findAcreditados(trx: TenantTx, uuids: readonly string[]): Promise<Acreditado[]> {
  if (uuids.length === 0) return []
  const { rows } = await sql<AcreditadoRow>`
    select u.uuid::text as uuid, m.ejercicio, m.mes, (m.iva16 + m.iva8 + m.iva_otra)::text as iva,
      m.destino_iva as "destinoIva", m.porcentaje_deducible::text as porcentaje, i.proporcion::text as proporcion
    from unnest(${uuids}::uuid[]) as u(uuid)
    cross join lateral (
      select * from movimientos m where m.uuid_fiscal = u.uuid
      union
      select * from movimientos m where m.documento = u.uuid::text
    ) m
    left join iva_mensual i on i.ejercicio = m.ejercicio and i.mes = m.mes
    where m.direccion = 'recibido' and m.efecto = 'cuenta'`.execute(trx)
  return rows.map(({ uuid, ejercicio, mes, iva, destinoIva, porcentaje, proporcion }) => ({
    uuid,
    periodo: { ejercicio, mes },
    iva: parseCentavos(iva),
    destinoIva,
    porcentajeDeducible: parseCentavos(porcentaje),
    // numeric(5,4): always four decimals.
    proporcion: proporcion === null ? null : BigInt(proporcion.replace('.', '')),
  }))
}

interface AcreditadoRow extends Pick<Acreditado, 'uuid' | 'destinoIva'> {
  ejercicio: number
  mes: number
  iva: string
  porcentaje: string
  proporcion: string | null
}

export async function findRecibidos(trx: TenantTx, uuids: readonly string[]): Promise<Recibido[]> {
  const { rows } = await sql<Recibido>`
    select uuid_fiscal::text as uuid, tipo, rfc_emisor as "rfcEmisor", nombre_emisor as "nombreEmisor",
      total::text as total, moneda, to_char(fecha_emision, 'YYYY-MM-DD') as "fechaEmision",
      to_char(fecha_cancelacion, 'YYYY-MM-DD') as "fechaCancelacion"
    from cfdis where uuid_fiscal = any(${uuids}::uuid[]) and direccion = 'recibido'`.execute(trx)
  return rows
}
