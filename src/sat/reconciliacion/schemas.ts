import { z } from 'zod'
import { parsePeriodo } from '../../fiscal/periodo.ts'
import { cursor, importe, instante, limite, pagina, uuidFiscal } from '../../http/zod.ts'
import { fechaCfdi } from '../../taxes/schemas.ts'

const tipo = z.enum(['falta', 'por_llegar', 'sobra', 'difiere']).meta({
  description:
    '`falta`: el SAT lo lista, su XML ya debió llegar y no está aquí. `por_llegar`: el SAT ya lo lista y la solicitud de su fecha no termina o todavía no toca. `sobra`: está aquí y ninguna lista del SAT lo nombra. `difiere`: el monto de la lista no es el total del XML.',
})
const servicio = z.enum(['cfdi', 'retenciones'])
const direccion = z.enum(['emitido', 'recibido'])

export const DiferenciasFilter = z.strictObject({
  tipo,
  servicio: servicio.optional(),
  direccion: direccion.optional(),
  periodo: z
    .string()
    .regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'Se esperaba un mes, como 2026-03.')
    .transform(parsePeriodo)
    .optional(),
  limite,
  cursor: cursor.optional(),
})

export const DiferenciaSat = z
  .strictObject({
    tipo,
    uuid: uuidFiscal,
    servicio,
    direccion,
    periodo: z.string(),
    fechaEmision: fechaCfdi,
    rfcEmisor: z.string(),
    nombreEmisor: z.string().nullable(),
    rfcReceptor: z.string(),
    nombreReceptor: z.string().nullable(),
    total: importe.nullable().meta({ description: 'Del XML que está aquí, en su moneda.' }),
    moneda: z.string().nullable(),
    montoListado: importe.nullable(),
    estatusListado: z.enum(['vigente', 'cancelado']).nullable(),
    listadoEn: instante.meta({ description: 'De cuándo es la lista; de lo que sobra, la primera que no lo nombró.' }),
    pedidos: z.int(),
    pedidoEn: instante.nullable(),
    consulta: z
      .strictObject({ estado: z.enum(['vigente', 'cancelado', 'no_encontrado']), consultadoEn: instante })
      .nullable()
      .meta({ description: 'Lo último que contestó el servicio de estado del SAT.' }),
    dijo: z.string().meta({ description: 'Lo que dijo el SAT y qué sigue, en palabras.' }),
  })
  .meta({ id: 'DiferenciaSat' })

export const DiferenciasSat = pagina(DiferenciaSat).meta({ id: 'DiferenciasSat' })
