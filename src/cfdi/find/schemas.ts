import { z } from 'zod'
import { isFecha, parsePeriodo } from '../../fiscal/periodo.ts'
import { isRfc, normalizeRfc } from '../../fiscal/rfc.ts'
import { cursor, importe, limite, pagina, texto, uuid } from '../../http/zod.ts'
import { fechaCfdi } from '../../taxes/schemas.ts'
import { TIPOS, VERSIONES } from '../read/comprobante.ts'

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

/** Words somebody looks for. Only letters and digits count; fewer than three would be found everywhere. */
const palabras = texto(100).pipe(z.string().min(3, 'Escribe al menos tres letras.'))

/** One or several, in a query `I,E` or repeated. Each once and in one order: the same filter has one address. */
const varios = <T extends z.ZodType<string>>(uno: T, most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',') : value),
    z
      .array(uno)
      .min(1)
      .max(most)
      .transform((values) => [...new Set(values)].sort()),
  )

/** A switch that is on or not there. Its opposite is not something anybody lists. */
const si = z.preprocess((value) => (value === 'true' ? true : value), z.literal(true))

/** An amount as people write it, without zeros that say nothing. */
const monto = z
  .string()
  .regex(/^\d{1,16}(\.\d{1,6})?$/, 'Se esperaba un importe como 1234.50.')
  .transform((text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text).replace(/^0+(?=\d)/, ''))

const fragmento = z
  .string()
  .regex(
    /^[0-9a-fA-F-]{4,36}$/,
    'Se esperaba parte de un folio fiscal: al menos cuatro letras de la A a la F o dígitos.',
  )
  .transform((text) => text.replaceAll('-', '').toLowerCase())
  .refine((hex) => hex.length >= 4, 'Se esperaban al menos cuatro letras de la A a la F o dígitos.')

/** What narrows the list, its totals and its exports. All conditions hold together. */
export const CfdiFilter = z.strictObject({
  periodo: periodo.optional().describe('Mes de emisión.'),
  desde: dia.optional().describe('Primer día de emisión, incluido.'),
  hasta: dia.optional().describe('Último día de emisión, incluido.'),
  cuentaEn: periodo.optional().describe('Mes de IVA en el que cuenta: cuando se cobró o se pagó.'),
  tipo: varios(z.enum(TIPOS), TIPOS.length).optional().describe('Uno o varios: I,E.'),
  direccion: z.enum(['emitidos', 'recibidos']).optional(),
  rfc: rfc.optional().describe('De la contraparte; sin direccion, emisor o receptor.'),
  nombre: palabras.optional().describe('Palabras del nombre del emisor o del receptor, sin importar acentos.'),
  serie: texto(40).optional(),
  folio: texto(80).optional().describe('El folio, o la serie y el folio juntos: A-123.'),
  uuid: fragmento.optional().describe('Parte del folio fiscal.'),
  metodo: z.enum(['PUE', 'PPD']).optional(),
  forma: clave(2).optional(),
  uso: clave(4).optional(),
  moneda: clave(3).optional(),
  montoMin: monto.optional().describe('Total en la moneda del CFDI, incluido.'),
  montoMax: monto.optional().describe('Total en la moneda del CFDI, incluido.'),
  estado: z.enum(['vigente', 'cancelado']).optional(),
  sinRep: si.optional().describe('PPD vigentes que ningún complemento de pago ha pagado.'),
  conAvisos: si.optional().describe('Con alguna advertencia.'),
  aviso: varios(z.string().regex(/^[a-z][a-z0-9_.]{1,59}$/, 'No es el código de una advertencia.'), 20)
    .optional()
    .describe('Código de una advertencia, o de varias.'),
  complemento: texto(200).optional().describe('Nombre corto de un complemento, como nomina12.'),
  carga: uuid.optional().describe('Lo que trajo una carga.'),
  q: palabras.optional().describe('Folio fiscal, folio, RFC, nombre o concepto.'),
})
export type CfdiFilter = z.output<typeof CfdiFilter>

export const COLUMNAS = [
  'fechaEmision',
  'fechaTimbrado',
  'tipo',
  'direccion',
  'serie',
  'folio',
  'rfcEmisor',
  'nombreEmisor',
  'rfcReceptor',
  'nombreReceptor',
  'subtotal',
  'iva',
  'total',
  'moneda',
  'metodoPago',
  'formaPago',
  'usoCfdi',
] as const
export type Columna = (typeof COLUMNAS)[number]

/** A column to sort by. */
export interface Criterio {
  readonly columna: Columna
  readonly desc: boolean
}

export const ORDEN_INICIAL: readonly Criterio[] = [{ columna: 'fechaEmision', desc: true }]

const criterio = z
  .enum([...COLUMNAS, ...COLUMNAS.map((columna) => `-${columna}` as const)])
  .transform((text): Criterio => ({ columna: text.replace('-', '') as Columna, desc: text.startsWith('-') }))

/** `-fechaEmision,total`: columns in their order, `-` for the largest first. */
export const Orden = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',') : value),
  z
    .array(criterio)
    .min(1)
    .max(4)
    .refine((list) => new Set(list.map(({ columna }) => columna)).size === list.length, 'Una columna se repite.'),
)

export const CfdiConsulta = CfdiFilter.extend({
  orden: Orden.optional().describe('Columnas separadas por comas; con - de mayor a menor. Sin él: -fechaEmision.'),
  limite,
  cursor: cursor.optional(),
})

const tipoDeCambio = z.string().regex(/^\d+(\.\d+)?$/)
const codigo = z.string().nullable()

/** What a row of the list says; one document begins with the same. */
export const resumen = {
  uuid: z.guid(),
  version: z.enum(VERSIONES),
  tipo: z.enum(TIPOS),
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
  fechaCancelacion: fechaCfdi.nullable(),
  /** Codes of what does not fit in it. */
  avisos: z.array(z.string()),
  complementos: z.array(z.string()),
  /** The load that brought it. */
  carga: z.guid().nullable(),
}

export const CfdiResumen = z.strictObject(resumen).meta({ id: 'CfdiResumen' })

export const CfdiPagina = pagina(CfdiResumen)

const importes = {
  cfdis: z.int().min(0),
  subtotal: importe,
  descuento: importe,
  iva: importe,
  ieps: importe,
  isrRetenido: importe,
  ivaRetenido: importe,
  total: importe,
}

const grupos = z.array(z.strictObject({ direccion: z.enum(['emitido', 'recibido']), tipo: z.enum(TIPOS), ...importes }))

export const CfdiTotales = z
  .strictObject({
    /** All that the filter finds. */
    cfdis: z.int().min(0),
    /** In force, by direction and type, in pesos. Types are not added up: a credit note takes away, a receipt repeats. */
    vigentes: grupos,
    cancelados: grupos,
    /** In force: invoices (I) less credit notes (E). */
    neto: z.strictObject({ emitidos: z.strictObject(importes), recibidos: z.strictObject(importes) }),
  })
  .meta({ id: 'CfdiTotales' })
