import { type Decimal, ONE } from '../../fiscal/money.ts'
import type { Rfc } from '../../fiscal/rfc.ts'
import type { Conceptos, Impuesto } from './impuestos.ts'
import type { Pagos } from './pagos.ts'

/**
 * What a document of the SAT says: CFDI 3.2, 3.3 and 4.0, and certificates of withholding (Retenciones 1.0 and 2.0, which
 * are type R). Amounts are exact and in `moneda`; absent is null, not zero. 3.2 is read into the words of its successors
 * as far as they go: its taxes are best effort.
 */
export interface Comprobante {
  /** Of the Comprobante; of type R that of Retenciones. */
  readonly version: Version
  readonly tipo: TipoComprobante
  readonly serie: string | null
  readonly folio: string | null
  /** Civil time of the place of issue, `YYYY-MM-DDTHH:MM:SS`. */
  readonly fecha: string
  readonly emisor: Persona
  /** Of type R to a foreigner, who has no RFC: XEXX010101000. */
  readonly receptor: Persona & { readonly usoCfdi: string | null }
  readonly subtotal: Decimal
  readonly descuento: Decimal | null
  /** Of type R the amount of the operation. */
  readonly total: Decimal
  readonly moneda: string
  /** Pesos per unit of `moneda` as written; `tipoCambioOf` gives the one to multiply by. */
  readonly tipoCambio: Decimal | null
  readonly metodoPago: 'PUE' | 'PPD' | null
  readonly formaPago: string | null
  readonly condicionesDePago: string | null
  readonly confirmacion: string | null
  readonly lugarExpedicion: string | null
  readonly exportacion: string | null
  readonly noCertificado: string | null
  /** Base64, without the line breaks that some programs leave in it. */
  readonly sello: string | null
  readonly totalTrasladados: Decimal | null
  readonly totalRetenidos: Decimal | null
  /** Of the document, with the bases and exempt amounts that only concepts say. */
  readonly impuestos: readonly Impuesto[]
  readonly conceptos: Conceptos
  /** Local taxes (lodging and the like): in the total, not among the taxes. */
  readonly locales: { readonly trasladados: Decimal; readonly retenidos: Decimal } | null
  readonly relacionados: readonly { readonly tipoRelacion: string; readonly uuids: readonly string[] }[]
  readonly informacionGlobal: { periodicidad: string | null; meses: string | null; anio: string | null } | null
  readonly pagos: Pagos | null
  readonly nominas: readonly Nomina[]
  /** Type R only. */
  readonly retencion: Retencion | null
  /** Texts of the Leyendas Fiscales complement. */
  readonly leyendas: readonly string[]
  /** Complements it carries but for the stamp, each once: our short name, or the namespace of one that we do not know. */
  readonly complementos: readonly string[]
  readonly addenda: boolean
}

/** A stamped CFDI and the bytes it came in. */
export interface Cfdi extends Comprobante {
  /** Folio fiscal, in lower case. */
  readonly uuid: string
  /** Central Mexico time. */
  readonly fechaTimbrado: string
  readonly rfcPac: string | null
  readonly timbre: {
    readonly version: string | null
    readonly noCertificadoSat: string | null
    readonly selloCfd: string | null
    readonly selloSat: string | null
    readonly leyenda: string | null
  }
  /** As received, never the repaired copy. */
  readonly xml: Uint8Array
  /** What had to be mended on a copy before it could be read, in the order it was done. Empty for most. */
  readonly reparaciones: readonly string[]
}

/** What amounts of the document are multiplied by to be pesos. */
export const tipoCambioOf = ({ moneda, tipoCambio }: Pick<Comprobante, 'moneda' | 'tipoCambio'>): Decimal =>
  moneda === 'MXN' ? ONE : (tipoCambio ?? ONE)

export const VERSIONES = ['3.2', '3.3', '4.0', '1.0', '2.0'] as const
export type Version = (typeof VERSIONES)[number]

export const TIPOS = ['I', 'E', 'P', 'N', 'T', 'R'] as const
export type TipoComprobante = (typeof TIPOS)[number]

export interface Persona {
  readonly rfc: Rfc
  readonly nombre: string | null
  readonly regimen: string | null
}

/** One payroll of a CFDI; there may be several. Amounts in pesos. */
export interface Nomina {
  readonly version: string | null
  /** O ordinary, E extraordinary. */
  readonly tipo: string | null
  /** `YYYY-MM-DD`. */
  readonly fechaPago: string | null
  readonly fechaInicialPago: string | null
  readonly fechaFinalPago: string | null
  readonly diasPagados: Decimal | null
  readonly registroPatronal: string | null
  readonly empleado: {
    readonly curp: string | null
    readonly numSeguridadSocial: string | null
    readonly numEmpleado: string | null
    readonly departamento: string | null
    readonly puesto: string | null
    readonly tipoContrato: string | null
    readonly tipoRegimen: string | null
    readonly periodicidadPago: string | null
    readonly salarioBase: Decimal | null
    readonly salarioDiario: Decimal | null
  }
  readonly totalPercepciones: Decimal | null
  readonly totalGravado: Decimal | null
  readonly totalExento: Decimal | null
  readonly totalDeducciones: Decimal | null
  readonly totalOtrosPagos: Decimal | null
  /** Deductions of type 002. */
  readonly isrRetenido: Decimal
  readonly lineas: readonly LineaNomina[]
}

export interface LineaNomina {
  readonly clase: 'percepcion' | 'deduccion' | 'otro_pago'
  readonly tipo: string | null
  readonly clave: string | null
  readonly concepto: string | null
  /** Of a percepcion; null otherwise. */
  readonly gravado: Decimal | null
  readonly exento: Decimal | null
  readonly importe: Decimal
}

/** What a certificate of withholding says. Amounts in pesos. */
export interface Retencion {
  /** Key of c_CveRetenc. */
  readonly clave: string | null
  readonly descripcion: string | null
  readonly ejercicio: number | null
  readonly mesInicial: number | null
  readonly mesFinal: number | null
  readonly nacionalidad: string | null
  readonly numRegIdTrib: string | null
  readonly montoOperacion: Decimal
  readonly montoGravado: Decimal | null
  readonly montoExento: Decimal | null
  readonly montoRetenido: Decimal
  readonly lineas: readonly {
    /** 001 ISR, 002 IVA, 003 IEPS, in whichever version. */
    readonly impuesto: string | null
    readonly base: Decimal | null
    readonly importe: Decimal
    readonly tipoPago: string | null
  }[]
}
