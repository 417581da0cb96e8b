import { z } from 'zod'
import { cursor, importe, instante, limite, pagina } from '../../http/zod.ts'
import { MOTIVOS } from '../../taxes/movimiento.ts'
import { fechaCfdi, MovimientoIva } from '../../taxes/schemas.ts'
import { Anotacion, AnotacionesVigentes } from '../annotations/schemas.ts'
import { resumen } from '../find/schemas.ts'
import { TIPOS } from '../read/comprobante.ts'

/** Text of a decimal with as many places as the document has. */
const exacto = z.string().regex(/^-?\d+(\.\d+)?$/)
const codigo = z.string().nullable()
const dia = z.iso.date().nullable()
const importes = importe.nullable()

/** As many as are shown of a set that may be large, and how many there are. */
const lista = <T extends z.ZodType>(dato: T) => z.strictObject({ total: z.int().min(0), datos: z.array(dato) })

const impuesto = z.strictObject({
  clase: z.enum(['traslado', 'retencion']),
  impuesto: z.string(),
  factor: z.enum(['Tasa', 'Cuota', 'Exento']).nullable(),
  tasa: exacto.nullable(),
  base: exacto.nullable(),
  importe: exacto,
})

export const Concepto = z
  .strictObject({
    n: z.int().min(0),
    claveProdServ: codigo,
    noIdentificacion: codigo,
    cantidad: exacto.nullable(),
    claveUnidad: codigo,
    unidad: codigo,
    descripcion: z.string(),
    valorUnitario: exacto.nullable(),
    importe: exacto,
    descuento: exacto.nullable(),
    objetoImp: codigo,
    rfcTerceros: codigo,
    impuestos: z.array(impuesto),
  })
  .meta({ id: 'Concepto' })

export const ConceptosConsultados = z.strictObject({ limite, cursor: cursor.optional() })

export const Conceptos = pagina(Concepto)

/** What is known of a document that another names; null when it is not here. */
const conocido = z.strictObject({
  tipo: z.enum(TIPOS),
  direccion: z.enum(['emitido', 'recibido']),
  serie: codigo,
  folio: codigo,
  fechaEmision: fechaCfdi,
  rfcEmisor: z.string(),
  rfcReceptor: z.string(),
  total: importe,
  moneda: z.string(),
  metodoPago: z.enum(['PUE', 'PPD']).nullable(),
  estado: z.enum(['vigente', 'cancelado']),
})

const relacion = { tipoRelacion: z.string(), uuid: z.guid(), cfdi: conocido.nullable() }
const Relacion = z.strictObject(relacion).meta({ id: 'CfdiRelacion' })

/** Of a payment receipt: one document of one payment. */
const pago = z.strictObject({
  pago: z.int(),
  fechaPago: fechaCfdi,
  formaPago: codigo,
  moneda: z.string(),
  tipoCambio: exacto,
  monto: importe,
  numOperacion: codigo,
  documento: codigo,
  monedaDocumento: codigo,
  equivalencia: exacto.nullable(),
  parcialidad: codigo,
  saldoAnterior: importes,
  pagado: importes,
  saldoInsoluto: importes,
  objetoImp: codigo,
  impuestos: z.array(impuesto),
  cfdi: conocido.nullable(),
})

/** A payment that a receipt says of this document, and what it did to IVA. */
export const PagoDelDocumento = z
  .strictObject({
    /** Of the receipt. */
    uuid: z.guid(),
    fechaPago: fechaCfdi,
    formaPago: codigo,
    numOperacion: codigo,
    parcialidad: codigo,
    moneda: codigo,
    saldoAnterior: importes,
    pagado: importes,
    saldoInsoluto: importes,
    efecto: z.enum(['cuenta', 'no_acreditable', 'sin_efecto']).nullable(),
    explicacion: codigo,
    cfdi: conocido,
  })
  .meta({ id: 'PagoDelDocumento' })

/** What is still owed today, exact and in the currency of the invoice. */
export const SaldoInsoluto = z
  .strictObject({
    moneda: z.string(),
    total: exacto,
    pagado: exacto,
    /** By credit notes, as far as they lowered what was owed. */
    acreditado: exacto,
    saldo: exacto,
  })
  .meta({ id: 'SaldoInsoluto' })

/** What it did to a month, by itself and by its payments and credit notes. */
export const Efecto = z
  .strictObject({
    ejercicio: z.int(),
    mes: z.int(),
    direccion: z.enum(['emitido', 'recibido']),
    efecto: z.enum(['cuenta', 'no_acreditable', 'sin_efecto']),
    motivo: z.enum(MOTIVOS).nullable(),
    explicacion: z.string(),
    movimientos: z.int(),
    total: importe,
    iva: importe,
    ivaRetenido: importe,
    isrRetenido: importe,
    ivaAcreditable: importe.nullable(),
  })
  .meta({ id: 'EfectoEnMes' })

const nomina = z.strictObject({
  version: codigo,
  tipo: codigo,
  fechaPago: dia,
  fechaInicialPago: dia,
  fechaFinalPago: dia,
  diasPagados: exacto.nullable(),
  registroPatronal: codigo,
  empleado: z.strictObject({
    curp: codigo,
    numSeguridadSocial: codigo,
    numEmpleado: codigo,
    departamento: codigo,
    puesto: codigo,
    tipoContrato: codigo,
    tipoRegimen: codigo,
    periodicidadPago: codigo,
    salarioBase: importes,
    salarioDiario: importes,
  }),
  totalPercepciones: importes,
  totalGravado: importes,
  totalExento: importes,
  totalDeducciones: importes,
  totalOtrosPagos: importes,
  isrRetenido: importe,
  lineas: z.array(
    z.strictObject({
      clase: z.enum(['percepcion', 'deduccion', 'otro_pago']),
      tipo: codigo,
      clave: codigo,
      concepto: codigo,
      gravado: exacto.nullable(),
      exento: exacto.nullable(),
      importe: exacto,
    }),
  ),
})

const retencion = z.strictObject({
  clave: codigo,
  descripcion: codigo,
  ejercicio: z.int().nullable(),
  mesInicial: z.int().nullable(),
  mesFinal: z.int().nullable(),
  nacionalidad: codigo,
  numRegIdTrib: codigo,
  montoOperacion: importe,
  montoGravado: importes,
  montoExento: importes,
  montoRetenido: importe,
  lineas: z.array(z.strictObject({ impuesto: codigo, base: exacto.nullable(), importe: exacto, tipoPago: codigo })),
})

export const CfdiDetalle = z
  .strictObject({
    ...resumen,
    fechaTimbrado: fechaCfdi,
    rfcPac: codigo,
    noCertificado: codigo,
    noCertificadoSat: codigo,
    selloFin: codigo,
    regimenEmisor: codigo,
    regimenReceptor: codigo,
    lugarExpedicion: codigo,
    exportacion: codigo,
    condicionesDePago: codigo,
    confirmacion: codigo,
    informacionGlobal: z.strictObject({ periodicidad: codigo, meses: codigo, anio: codigo }).nullable(),
    ieps: importe,
    iepsRetenido: importe,
    localesTrasladados: importe,
    localesRetenidos: importe,
    baseNoObjeto: exacto,
    /** Some concept is vehicle fuel. */
    combustible: z.boolean(),
    /** Issued by somebody else in the name of the company: it does not count. */
    cuentaTerceros: z.boolean(),
    impuestos: z.array(impuesto),
    numConceptos: z.int(),
    /** The first of them; the rest at /conceptos with this cursor. */
    conceptos: Conceptos,
    nominas: z.array(nomina),
    retencion: retencion.nullable(),
    /** Texts of the Leyendas Fiscales complement. */
    leyendas: z.array(z.string()),
    /** What had to be mended, on a copy, before it could be read. */
    reparaciones: z.array(z.string()),
    /** What does not fit in it. */
    avisos: z.array(z.strictObject({ codigo: z.string(), mensaje: z.string(), creadoEn: instante })),
    /** Other bytes that came with its folio fiscal. */
    evidencias: z.array(
      z.strictObject({
        sha256: z.string(),
        bytes: z.int(),
        source: z.string(),
        carga: z.guid().nullable(),
        recibidoEn: instante,
      }),
    ),
    /** What it names. */
    relaciones: lista(Relacion),
    /** What names it. */
    relacionadoPor: lista(Relacion),
    /** Of a payment receipt: what it pays. */
    pagos: lista(pago),
    /** Of an invoice: what pays it. */
    pagadoPor: lista(PagoDelDocumento),
    /** Of an invoice: its credit notes, and what each took of what was owed. */
    notasDeCredito: z.array(z.strictObject({ ...relacion, reduceSaldo: exacto.nullable() })),
    /** Of a credit note that counts: what it lowered of what was owed, and what of it was money given back. */
    aplicacion: z
      .strictObject({
        /** Each in the currency of its invoice. */
        reduceSaldos: z.array(z.strictObject({ uuid: z.guid(), importe: exacto })),
        moneda: z.string(),
        reembolso: exacto,
      })
      .nullable(),
    /** Null where it makes no sense: what is no invoice, is paid at once or does not count. */
    saldoInsoluto: SaldoInsoluto.nullable(),
    /** Relation 04, whole: what it replaces and what replaces it, directly or not, the nearest first. */
    sustitucion: z.strictObject({ sustituyeA: z.array(Relacion), sustituidoPor: z.array(Relacion) }),
    /** Relation 07, whole: the advance, the invoices it was for and the credit notes that apply it. */
    anticipo: z.array(
      z.strictObject({
        ...relacion,
        papel: z.enum(['anticipo', 'factura', 'aplicacion']),
        nombra: z.array(z.guid()),
      }),
    ),
    /** By month, whether it counts and why. */
    efectos: z.array(Efecto),
    /** The movements that `efectos` adds up; the first of them. */
    movimientos: z.array(MovimientoIva),
    /** When we learnt that it is cancelled. */
    cancelacionConocidaEn: instante.nullable(),
    /** What was learnt of its state, the latest first. */
    estados: z.array(
      z.strictObject({
        estado: z.enum(['vigente', 'cancelado', 'no_encontrado']),
        ocurrioEn: fechaCfdi.nullable(),
        conocidoEn: instante,
        fuente: z.enum(['consulta', 'metadata', 'manual']),
      }),
    ),
    anotaciones: z.strictObject({
      vigentes: AnotacionesVigentes,
      /** The newest; all of them at /anotaciones. */
      historial: z.array(Anotacion),
    }),
    source: z.enum(['upload', 'bulk', 'sat']),
    creadoEn: instante,
  })
  .meta({ id: 'Cfdi' })
