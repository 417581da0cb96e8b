import { sql } from 'kysely'
import type { TenantSql } from '../../db/databases.ts'
import { RESUMEN } from './list-queries.ts'

/** One CFDI with everything it is linked to, as it goes out, but for its movements and `creadoEn`. */
export async function findCfdi(db: TenantSql, uuid: string) {
  const { rows } = await sql<{ cfdi: Record<string, unknown>; creado_en: Date }>`
    select c.creado_en, (select to_json(d) from (select ${RESUMEN},
      c.fecha_timbrado as "fechaTimbrado", c.regimen_emisor as "regimenEmisor",
      c.regimen_receptor as "regimenReceptor", c.lugar_expedicion as "lugarExpedicion", c.exportacion,
      ${money('ieps')} as ieps, ${money('ieps_retenido')} as "iepsRetenido",
      ${money('locales_trasladados')} as "localesTrasladados", ${money('locales_retenidos')} as "localesRetenidos",
      c.impuestos, c.source,
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

const money = (column: string) => sql.raw(`round(c.${column}, 2)::text`)
