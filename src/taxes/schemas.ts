import { z } from 'zod'
import { isFecha } from '../fiscal/periodo.ts'
import { cursor, entero, importe, instante, limite, pagina } from '../http/zod.ts'
import { REDUCCIONES } from './acreditable.ts'
import { DESTINOS, MOTIVOS, REVISAR } from './movimiento.ts'

/** A date of a CFDI: civil time of the place of issue, without zone. */
export const fechaCfdi = z
  .string()
  .regex(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  .refine(isFecha)

const mes = { ejercicio: entero(2000, 2099), mes: entero(1, 12) }

export const MesConsultado = z.strictObject(mes)

const conIva = z.strictObject({ base: importe, iva: importe })
const sinIva = z.strictObject({ base: importe })
const tasas = {
  tasa16: conIva,
  tasa8: conIva,
  tasa0: sinIva,
  exento: sinIva,
  noObjeto: sinIva,
  otras: conIva,
}

/** Of the month's acts, those that pay IVA. Null without any. */
const proporcion = z.string().regex(/^[01]\.\d{4}$/)

export const IvaDelMes = z
  .strictObject({
    ejercicio: z.int(),
    mes: z.int(),
    trasladado: z.strictObject({ ...tasas, total: importe }),
    retenidoPorClientes: importe,
    /** `total` = `pagado` − `reducciones.total` + `retenidoMesAnterior`. */
    acreditable: z.strictObject({
      ...tasas,
      pagado: importe,
      proporcion: proporcion.nullable(),
      reducciones: z.strictObject({
        total: importe,
        motivos: z.array(z.strictObject({ motivo: z.enum(REDUCCIONES), explicacion: z.string(), iva: importe })),
      }),
      retenidoMesAnterior: importe,
      total: importe,
    }),
    noAcreditable: z.strictObject({
      total: importe,
      motivos: z.array(z.strictObject({ motivo: z.enum(MOTIVOS), explicacion: z.string(), iva: importe })),
    }),
    retenidoATerceros: importe,
    /** What of it is creditable next month, once remitted. */
    retenidoPorAcreditar: importe,
    diferencia: importe,
    saldoAFavorAnterior: importe,
    saldoAFavorAplicado: importe,
    aCargo: importe,
    aFavor: importe,
    remanente: importe,
    importeAPagar: importe,
    calculadoEn: instante.nullable(),
    nota: z.string(),
  })
  .meta({ id: 'IvaDelMes' })

export const DetalleConsultado = z.strictObject({
  ...mes,
  direccion: z.enum(['emitidos', 'recibidos']).optional(),
  efecto: z.enum(['cuenta', 'no_acreditable', 'sin_efecto']).optional(),
  limite,
  cursor: cursor.optional(),
})

export const MovimientoIva = z
  .strictObject({
    uuid: z.guid(),
    n: z.int(),
    documento: z.string().nullable(),
    clase: z.enum(['PUE', 'PPD', 'REP', 'EGRESO']),
    direccion: z.enum(['emitido', 'recibido']),
    fecha: fechaCfdi,
    ejercicio: z.int(),
    mes: z.int(),
    contraparte: z.string(),
    total: importe,
    base16: importe,
    iva16: importe,
    base8: importe,
    iva8: importe,
    base0: importe,
    baseExenta: importe,
    baseNoObjeto: importe,
    baseOtra: importe,
    ivaOtra: importe,
    ivaRetenido: importe,
    isrRetenido: importe,
    destinoIva: z.enum(DESTINOS),
    porcentajeDeducible: z.string().regex(/^\d{1,3}\.\d\d$/),
    /** That of its month, where it was applied. */
    proporcion: proporcion.nullable(),
    /** What it adds to the creditable IVA of its month; null of what the company issued. */
    ivaAcreditable: importe.nullable(),
    formaPago: z.string().nullable(),
    usoCfdi: z.string().nullable(),
    efecto: z.enum(['cuenta', 'no_acreditable', 'sin_efecto']),
    motivo: z.enum(MOTIVOS).nullable(),
    explicacion: z.string(),
    revisar: z.enum(REVISAR).nullable(),
    porQueRevisar: z.string().nullable(),
    requiereComplementaria: z.boolean(),
  })
  .meta({ id: 'MovimientoIva' })

export const DetalleIva = pagina(MovimientoIva)
