import { z } from 'zod'
import { cursor, instante, limite, pagina, uuid } from '../../http/zod.ts'
import { ConsultaEnviada } from './consulta.ts'

const formato = z.enum(['csv', 'xlsx', 'zip_xml', 'zip_pdf'])

export const ExportacionNueva = z.strictObject({
  formato,
  filtro: ConsultaEnviada.prefault({}).describe(
    'Los mismos campos que GET /api/cfdi, y su orden. Sin él, todos los CFDI.',
  ),
})

export const ExportacionId = z.strictObject({ id: uuid })

export const ExportacionesPedidas = z.strictObject({ limite, cursor: cursor.optional() })

export const Exportacion = z
  .strictObject({
    id: z.uuid(),
    formato,
    /** The query of the address of the list that shows the same. */
    filtro: z.string(),
    estado: z.enum(['pendiente', 'procesando', 'lista', 'fallida', 'cancelada', 'vencida']),
    /** How many CFDI; null until it has begun. */
    total: z.int().nullable(),
    procesados: z.int(),
    bytes: z.int().nullable(),
    /** SHA-256 of the file, in hexadecimal. */
    sha256: z.string().nullable(),
    error: z.strictObject({ code: z.string(), mensaje: z.string() }).nullable(),
    creadaPor: z.string().nullable(),
    creadaEn: instante,
    /** What came later is not in it. */
    corteEn: instante.nullable(),
    terminadaEn: instante.nullable(),
    venceEn: instante.nullable(),
  })
  .meta({ id: 'Exportacion' })

export const Exportaciones = pagina(Exportacion)

export const EnlaceDescarga = z.strictObject({ url: z.url(), venceEn: instante }).meta({ id: 'EnlaceDescarga' })

export const DescargaToken = z.strictObject({ token: z.string().max(100) })
