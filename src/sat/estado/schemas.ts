import { z } from 'zod'
import { cursor, instante, limite, uuidFiscal } from '../../http/zod.ts'
import { fechaCfdi } from '../../taxes/schemas.ts'

export const CfdiUuid = z.strictObject({ uuid: uuidFiscal.toLowerCase() })

const dicho = z.enum(['vigente', 'cancelado', 'no_encontrado'])
const efos = z.enum(['listado', 'no_listado', 'desconocido'])
const estatusCancelacion = z
  .enum(['en_proceso', 'solicitud_rechazada', 'sin_aceptacion', 'con_aceptacion', 'plazo_vencido'])
  .nullable()

/** The last that the SAT was asked for a CFDI. `estado` is what it said, which need not be what counts. */
const consulta = z
  .strictObject({
    estado: dicho.nullable(),
    codigo: z.string().nullable(),
    esCancelable: z.enum(['no_cancelable', 'sin_aceptacion', 'con_aceptacion']).nullable(),
    estatusCancelacion,
    efos,
    consultadoEn: instante.nullable(),
    siguienteEn: instante.nullable(),
    ausencias: z.int(),
    error: z.string().nullable(),
  })
  .nullable()

const estado = {
  uuid: z.guid(),
  estado: z.enum(['vigente', 'cancelado']),
  fechaCancelacion: fechaCfdi.nullable(),
  cancelacionConocidaEn: instante.nullable(),
  recibidoEn: instante,
  consulta,
}

export const CfdiEstado = z.strictObject(estado).meta({ id: 'CfdiEstado' })

export const HistorialFilter = z.strictObject({ limite, cursor: cursor.optional() })

export const CfdiHistorial = z
  .strictObject({
    ...estado,
    datos: z.array(
      z.strictObject({
        estado: dicho,
        ocurrioEn: fechaCfdi.nullable(),
        conocidoEn: instante,
        fuente: z.enum(['consulta', 'metadata', 'manual']),
        estatusCancelacion,
        efos,
      }),
    ),
    siguiente: cursor.nullable(),
  })
  .meta({ id: 'CfdiHistorial' })
