import { z } from 'zod'
import { cursor, entero, instante, limite, pagina, uuid } from '../../http/zod.ts'
import type { ReceivedFile } from './receive.ts'

/** What is left of a body when its files are on the disk: the same files are the same request. */
export class ReceivedBody {
  readonly archivos: readonly ReceivedFile[]
  constructor(archivos: readonly ReceivedFile[]) {
    this.archivos = archivos
  }
}

export const CargaBody = z.instanceof(ReceivedBody, {
  error: 'Manda archivos XML o ZIP: en un formulario, en el campo «archivos», o un solo ZIP.',
})

export const CargaId = z.strictObject({ id: uuid })

export const CargaArchivoId = z.strictObject({ id: uuid, n: entero(0, 100_000) })

const estado = z.enum(['recibida', 'procesando', 'terminada', 'cancelada', 'fallida'])
const fuente = z.enum(['usuario', 'sat'])
const cuenta = z.int().min(0)
const texto = z.string().nullable()

const avance = {
  id: uuid,
  estado,
  total: cuenta,
  procesados: cuenta,
  nuevos: cuenta,
  repetidos: cuenta,
  rechazados: cuenta,
  cuarentena: cuenta,
  /** While what failed is tried again. */
  reintentando: z.boolean(),
  /** Why it failed. */
  error: z.strictObject({ code: z.string(), mensaje: z.string() }).nullable(),
  /** `sat`: a package of the mass download, which came by itself. */
  fuente,
  /** Why it waits although it is open; it goes on by itself. */
  pausa: z.strictObject({ code: z.string(), mensaje: z.string() }).nullable(),
  creadaPor: texto,
  creadaEn: instante,
  iniciadaEn: instante.nullable(),
  terminadaEn: instante.nullable(),
}

export const Carga = z.strictObject(avance).meta({ id: 'Carga' })

export const Resultado = z
  .strictObject({
    n: cuenta,
    archivo: z.string(),
    uuid: z.guid().nullable(),
    estado: z.enum(['nuevo', 'repetido', 'rechazado', 'cuarentena']),
    codigo: texto,
    mensaje: texto,
  })
  .meta({ id: 'CargaResultado' })

/** `resultados` when there are no more than a hundred and it has ended. */
export const CargaHecha = z
  .strictObject({ ...avance, resultados: z.array(Resultado).optional() })
  .meta({ id: 'CargaHecha' })

export const CargaDetalle = z
  .strictObject({
    ...avance,
    /** The first 200. */
    archivos: z.array(
      z.strictObject({
        nombre: z.string(),
        tipo: z.enum(['xml', 'zip']),
        bytes: cuenta,
        entradas: cuenta,
        codigo: z.string().optional(),
        mensaje: z.string().optional(),
      }),
    ),
    totalArchivos: cuenta,
    /** Until they are deleted, what was beyond the limit can be tried again. */
    conArchivos: z.boolean(),
  })
  .meta({ id: 'CargaDetalle' })

export const CargaPagina = pagina(Carga)

export const ResultadoPagina = pagina(Resultado)

export const CargasQuery = z.strictObject({ limite, cursor: cursor.optional(), fuente: fuente.optional() })

const filtro = Resultado.shape.estado.optional()

export const ResultadosQuery = z.strictObject({ limite, cursor: cursor.optional(), estado: filtro })

export const ResultadosCsvQuery = z.strictObject({ estado: filtro })
