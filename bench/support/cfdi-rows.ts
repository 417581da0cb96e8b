import type { OwnerConnection } from '../../src/db/client.ts'

/**
 * Fills a tenant database with `count` CFDI as wide as real ones: names of 25 to 45 letters, 300 bytes of tax lines,
 * three years of dates, one in five received, one in fifty cancelled. The same every time.
 *
 * Straight into the table: what is measured reads them, and 100,000 uploads would take longer than all measurements.
 */
export async function fillCfdis(owner: OwnerConnection, count: number): Promise<void> {
  await owner.query(INSERT, [count])
  await owner.query('update usage set n = (select count(*) from cfdis) where kind = $1', ['cfdi'])
  // Vacuum for the visibility map as well: after a night every real table has one.
  await owner.query('vacuum (analyze) cfdis')
}

const INSERT = `
insert into cfdis (uuid_fiscal, version, tipo, direccion, serie, folio, fecha_emision, fecha_timbrado, rfc_emisor,
  nombre_emisor, regimen_emisor, rfc_receptor, nombre_receptor, regimen_receptor, subtotal, iva, ieps, isr_retenido,
  iva_retenido, ieps_retenido, total, moneda, metodo_pago, forma_pago, uso_cfdi, lugar_expedicion, exportacion,
  impuestos, base_no_objeto, combustible, rfc_pac, estado, fecha_cancelacion, cancelacion_conocida_en, source)
select
  md5('cfdi ' || n)::uuid, '4.0', case n % 10 when 7 then 'E' when 8 then 'P' else 'I' end,
  case when emitido then 'emitido' else 'recibido' end, 'F' || n % 7, n::text, fecha, fecha + interval '3 minutes',
  case when emitido then propio else ajeno end,
  case when emitido then 'COMERCIALIZADORA DEL CENTRO' else nombre end, '601',
  case when emitido then ajeno else propio end,
  case when emitido then nombre else 'COMERCIALIZADORA DEL CENTRO' end, '601',
  subtotal, round(subtotal * 0.16, 2), 0, 0, 0, 0, subtotal + round(subtotal * 0.16, 2), 'MXN',
  case when n % 3 = 0 then 'PPD' else 'PUE' end, case when n % 3 = 0 then '99' else '03' end, 'G03', '06600', '01',
  jsonb_build_array(jsonb_build_object('clase', 'traslado', 'impuesto', '002', 'factor', 'Tasa', 'tasa', '0.160000',
    'base', subtotal::text, 'importe', round(subtotal * 0.16, 2)::text)),
  0, false, 'SPR190613I52', case when cancelado then 'cancelado' else 'vigente' end,
  case when cancelado then fecha + interval '2 days' end, case when cancelado then now() end, 'upload'
from (
  select n, n % 5 <> 0 as emitido, n % 50 = 0 as cancelado, 'EKU9003173C9' as propio,
    timestamp '2023-01-01' + n * interval '1 second' * (94608000.0 / $1::int) as fecha,
    'CLI' || lpad((n * 7919::bigint % 900 + 100)::text, 3, '0') || '0101' || lpad((n % 89 + 10)::text, 2, '0') || 'A' as ajeno,
    'DISTRIBUIDORA ' || initcap(md5((n * 7919::bigint % 900)::text)) as nombre,
    round((n * 7919::bigint % 9000000) / 100.0 + 50, 2) as subtotal
  from generate_series(1, $1::int) n
) as datos`
