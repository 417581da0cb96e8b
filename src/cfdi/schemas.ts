import { z } from 'zod'
import { isFecha, parsePeriodo } from '../fiscal/periodo.ts'
import { isRfc, normalizeRfc } from '../fiscal/rfc.ts'
import { cursor, importe, instante, limite, pagina, texto, uuidFiscal } from '../http/zod.ts'
import { fechaCfdi, MovimientoIva } from '../taxes/schemas.ts'

export const CfdiUpload = z.instanceof(Buffer)

/** What does not fit in a CFDI that was stored all the same. Left out when there is nothing to say. */
const avisos = z.array(z.strictObject({ code: z.string(), mensaje: z.string() })).optional()

export const CfdiStored = z
  .strictObject({ stored: z.array(z.guid()), repeated: z.array(z.guid()), avisos })
  .meta({ id: 'CfdiGuardado' })

export const CfdiUuid = z.strictObject({ uuid: uuidFiscal.toLowerCase() })

const dia = z
  .string()
  .refine((text) => isFecha(`${text}T00:00:00`), 'Se esperaba una fecha como 2026-03-31.')
  .meta({ pattern: '^20\\d\\d-\\d\\d-\\d\\d$', examples: ['2026-03-31'] })

const periodo = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'Se esperaba un mes como 2026-03.')
  .transform(parsePeriodo)

const rfc = texto(20).transform(normalizeRfc).refine(isRfc, 'No es un RFC.')

const clave = (max: number) =>
  z.string().regex(new RegExp(`^[A-Z0-9]{1,${max}}$`), 'No es una clave del catálogo del SAT.')

export const CfdiFilter = z.strictObject({
  limite,
  cursor: cursor.optional(),
  periodo: periodo.optional(),
  desde: dia.optional(),
  hasta: dia.optional(),
  tipo: z.enum(['I', 'E', 'P', 'N', 'T']).optional(),
  direccion: z.enum(['emitidos', 'recibidos']).optional(),
  rfc: rfc.optional(),
  metodo: z.enum(['PUE', 'PPD']).optional(),
  forma: clave(2).optional(),
  uso: clave(4).optional(),
  moneda: clave(3).optional(),
  estado: z.enum(['vigente', 'cancelado']).optional(),
  q: texto(100).pipe(z.string().min(3, 'Escribe al menos tres letras.')).optional(),
})

const tipoDeCambio = z.string().regex(/^\d+(\.\d+)?$/)
const codigo = z.string().nullable()

const resumen = {
  uuid: z.guid(),
  tipo: z.enum(['I', 'E', 'P', 'N', 'T']),
  direccion: z.enum(['emitido', 'recibido']),
  serie: codigo,
  folio: codigo,
  fechaEmision: fechaCfdi,
  rfcEmisor: z.string(),
  nombreEmisor: codigo,
  rfcReceptor: z.string(),
  nombreReceptor: codigo,
  subtotal: importe,
  descuento: importe.nullable(),
  iva: importe,
  isrRetenido: importe,
  ivaRetenido: importe,
  total: importe,
  moneda: z.string(),
  tipoCambio: tipoDeCambio.nullable(),
  metodoPago: z.enum(['PUE', 'PPD']).nullable(),
  formaPago: codigo,
  usoCfdi: codigo,
  estado: z.enum(['vigente', 'cancelado']),
}

export const CfdiResumen = z.strictObject(resumen).meta({ id: 'CfdiResumen' })

export const CfdiPagina = pagina(CfdiResumen)

/** Text of a decimal with as many places as the document has. */
const exacto = z.string().regex(/^-?\d+(\.\d+)?$/)

const impuesto = z.strictObject({
  clase: z.enum(['traslado', 'retencion']),
  impuesto: z.string(),
  factor: z.enum(['Tasa', 'Cuota', 'Exento']).nullable(),
  tasa: exacto.nullable(),
  base: exacto.nullable(),
  importe: exacto,
})

const pago = z.strictObject({
  fechaPago: fechaCfdi,
  formaPago: codigo,
  moneda: z.string(),
  tipoCambio: tipoDeCambio,
  monto: importe,
  documento: codigo,
  monedaDocumento: codigo,
  equivalencia: tipoDeCambio.nullable(),
  parcialidad: codigo,
  saldoAnterior: importe.nullable(),
  pagado: importe.nullable(),
  saldoInsoluto: importe.nullable(),
})

export const CfdiDetalle = z
  .strictObject({
    ...resumen,
    version: z.enum(['3.3', '4.0']),
    fechaTimbrado: fechaCfdi,
    regimenEmisor: codigo,
    regimenReceptor: codigo,
    lugarExpedicion: codigo,
    exportacion: codigo,
    ieps: importe,
    iepsRetenido: importe,
    localesTrasladados: importe,
    localesRetenidos: importe,
    impuestos: z.array(impuesto),
    relaciones: z.array(z.strictObject({ tipoRelacion: z.string(), uuid: z.guid() })),
    /** CFDI that name this one. */
    relacionadoPor: z.array(z.strictObject({ tipoRelacion: z.string(), uuid: z.guid() })),
    /** Of a payment receipt: what it pays. */
    pagos: z.array(pago),
    movimientos: z.array(MovimientoIva),
    avisos: z.array(z.string()),
    source: z.enum(['upload', 'bulk', 'sat']),
    creadoEn: instante,
  })
  .meta({ id: 'Cfdi' })
