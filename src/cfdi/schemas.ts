import { z } from 'zod'
import { importe, instante, uuidFiscal } from '../http/zod.ts'
import { fechaCfdi, MovimientoIva } from '../taxes/schemas.ts'
import { resumen } from './find/schemas.ts'

export const CfdiUpload = z.instanceof(Buffer)

/** What does not fit in a CFDI that was stored all the same. Left out when there is nothing to say. */
const avisos = z.array(z.strictObject({ code: z.string(), mensaje: z.string() })).optional()

export const CfdiStored = z
  .strictObject({ stored: z.array(z.guid()), repeated: z.array(z.guid()), avisos })
  .meta({ id: 'CfdiGuardado' })

export const CfdiUuid = z.strictObject({ uuid: uuidFiscal.toLowerCase() })

const tipoDeCambio = z.string().regex(/^\d+(\.\d+)?$/)
const codigo = z.string().nullable()

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
    source: z.enum(['upload', 'bulk', 'sat']),
    creadoEn: instante,
  })
  .meta({ id: 'Cfdi' })
