import type { OwnerConnection } from '../../src/db/client.ts'

/**
 * Fills a tenant database with `count` CFDI of three years that differ in everything the list filters by, each value
 * both common and rare, with their movements and what is searched of them. The same every time.
 *
 * Straight into the tables: what is asked afterwards reads them, and so many uploads would take hours.
 */
export async function fillManyCfdis(owner: OwnerConnection, count: number): Promise<void> {
  // Built at the end the trigram index takes a tenth of what it takes row by row.
  const [index] = await owner.query<{ made: string }>(`select pg_get_indexdef('cfdi_busqueda_texto'::regclass) as made`)
  await owner.query('drop index cfdi_busqueda_texto')
  for (const statement of [CFDIS, BUSQUEDA, MOVIMIENTOS]) await owner.query(statement, [count])
  await owner.query(`set maintenance_work_mem = '256MB'`)
  await owner.query(index?.made ?? '')
  await owner.query('update usage set n = $1 where kind = $2', [count, 'cfdi'])
  // Vacuum for the visibility map as well: after a night every real table has one.
  for (const table of ['cfdis', 'cfdi_busqueda', 'movimientos']) await owner.query(`vacuum (analyze) ${table}`)
}

/** Of a company `EKU9003173C9`. What is said to be rare is one row in 5,000 or 10,000, what is common a tenth and more. */
export const MANY = {
  propio: 'EKU9003173C9',
  cliente: 'CLI010101AAA',
  clienteRaro: 'RAR010101AAA',
  carga: '11111111-0000-7000-8000-000000000000',
  cargaRara: '22222222-0000-7000-8000-000000000000',
} as const

const CFDIS = `
insert into cfdis (uuid_fiscal, version, tipo, direccion, serie, folio, fecha_emision, fecha_timbrado, rfc_emisor,
  nombre_emisor, regimen_emisor, rfc_receptor, nombre_receptor, regimen_receptor, subtotal, iva, ieps, isr_retenido,
  iva_retenido, ieps_retenido, total, moneda, tipo_cambio, metodo_pago, forma_pago, uso_cfdi, lugar_expedicion,
  exportacion, impuestos, base_no_objeto, combustible, rfc_pac, estado, fecha_cancelacion, cancelacion_conocida_en,
  source, avisos, n_conceptos, complementos, carga_id)
select
  md5('cfdi ' || n)::uuid, '4.0', tipo, case when emitido then 'emitido' else 'recibido' end,
  case when n % 5000 = 11 then 'RARA' else 'F' || n % 7 end, n::text, fecha, fecha + interval '3 minutes',
  case when emitido then propio else ajeno end, case when emitido then 'ESCUELA KEMPER URGATE' else nombre end, '601',
  case when emitido then ajeno else propio end, case when emitido then nombre else 'ESCUELA KEMPER URGATE' end, '601',
  subtotal, round(subtotal * 0.16, 2), 0, 0, 0, 0, subtotal + round(subtotal * 0.16, 2), moneda,
  case when moneda <> 'MXN' then 17.5 end, case when tipo in ('I', 'E') then metodo end,
  case when n % 10000 = 17 then '31' when metodo = 'PPD' then '99' else '03' end,
  case when n % 10000 = 19 then 'D08' else 'G03' end, '06600', '01',
  jsonb_build_array(jsonb_build_object('clase', 'traslado', 'impuesto', '002', 'factor', 'Tasa', 'tasa', '0.160000',
    'base', subtotal::text, 'importe', round(subtotal * 0.16, 2)::text)),
  0, false, 'SPR190613I52', case when cancelado then 'cancelado' else 'vigente' end,
  case when cancelado then fecha + interval '2 days' end, case when cancelado then now() end, 'bulk',
  case when n % 10000 = 23 then '{cfdi.rfc_digito}' when n % 10 = 3 then '{cfdi.total_mismatch}' else '{}' end::text[], 1,
  case when n % 10000 = 29 then '{cartaporte31}' when tipo = 'P' then '{pagos20}' else '{}' end::text[],
  case when n % 10000 = 31 then '${MANY.cargaRara}' when n % 2 = 0 then '${MANY.carga}' end::uuid
from (
  select n, n % 5 <> 0 as emitido, n % 50 = 0 as cancelado, '${MANY.propio}' as propio,
    case when n % 10000 = 7 then 'N' when n % 10 = 7 then 'E' when n % 10 = 8 then 'P' else 'I' end as tipo,
    case when n % 3 = 0 then 'PPD' else 'PUE' end as metodo,
    case when n % 10000 = 13 then 'JPY' when n % 20 = 1 then 'USD' else 'MXN' end as moneda,
    timestamp '2023-01-01' + n * interval '1 second' * (94608000.0 / $1::int) as fecha,
    case when n % 10000 = 37 then '${MANY.clienteRaro}' when n % 6 = 1 then '${MANY.cliente}'
      else 'PRO' || lpad((n * 7919 % 900 + 100)::text, 3, '0') || '0101' || lpad((n % 89 + 10)::text, 2, '0') || 'A' end as ajeno,
    case when n % 10000 = 37 then 'Ñandú Xochipilli' when n % 6 = 1 then 'GRUPO COMERCIAL'
      else 'DISTRIBUIDORA ' || initcap(md5((n * 7919 % 900)::text)) end as nombre,
    case when n % 10000 = 41 then 9000000 else round((n * 7919 % 900000) / 100.0 + 50, 2) end as subtotal
  from generate_series(1, $1::bigint) n
) as datos`

const BUSQUEDA = `
insert into cfdi_busqueda (uuid_fiscal, nombres, texto)
select uuid_fiscal, nombres, replace(uuid_fiscal::text, '-', '') || e'\\n' || lower(serie) || folio || e'\\n' || lower(serie) || ' ' || folio
  || e'\\n' || lower(rfc_emisor) || e'\\n' || lower(rfc_receptor) || e'\\n' || nombres || e'\\nservicio de '
  || substr(md5((folio::int % 3000)::text), 1, 8) || ' ' || substr(md5((folio::int % 700)::text), 1, 6)
  || case when folio::int % 10000 = 43 then e'\\nturbina kaplan' else '' end
from (
  select *, lower(translate(nombre_emisor || e'\\n' || nombre_receptor, 'Ññúé', 'Nnue')) as nombres
  from cfdis where folio::int <= $1::int
) c`

const MOVIMIENTOS = `
insert into movimientos (uuid_fiscal, n, documento, clase, direccion, fecha, ejercicio, mes, contraparte, total, base16,
  iva16, base8, iva8, base0, base_exenta, base_no_objeto, base_otra, iva_otra, iva_retenido, isr_retenido, forma_pago,
  uso_cfdi, efecto, motivo)
select uuid_fiscal, 0, uuid_fiscal::text, metodo_pago, direccion, fecha_emision, extract(year from fecha_emision)::int,
  extract(month from fecha_emision)::int, case direccion when 'emitido' then rfc_receptor else rfc_emisor end, total,
  subtotal, iva, 0, 0, 0, 0, 0, 0, 0, 0, 0, forma_pago, uso_cfdi,
  case when metodo_pago = 'PPD' then 'sin_efecto' else 'cuenta' end,
  case when metodo_pago = 'PPD' then case when folio::int % 30 = 3 then 'ppd_sin_pago' else 'ppd_por_pagos' end end
from cfdis where tipo = 'I' and folio::int <= $1::int`
