import { sql } from 'kysely'

/** What is known of a document that another names, `k` of `cfdis`: null when it is not here. */
export const CONOCIDO = sql.raw(`case when k.uuid_fiscal is not null then json_build_object(
  'tipo', k.tipo, 'direccion', k.direccion, 'serie', k.serie, 'folio', k.folio, 'fechaEmision', k.fecha_emision,
  'rfcEmisor', k.rfc_emisor, 'rfcReceptor', k.rfc_receptor, 'total', round(k.total, 2)::text, 'moneda', k.moneda,
  'metodoPago', k.metodo_pago, 'estado', k.estado) end`)

/** Pagos 1.0 may name a paper folio: only what looks like a folio fiscal can be found. */
export const UUID_TEXT = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
