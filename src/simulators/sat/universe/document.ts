import type { Centavos } from '../../../fiscal/money.ts'
import type { Persona } from './taxpayers.ts'

/** A document as it is planned: who, what and when. Its XML and its amounts follow from it. Amounts in its currency. */
export interface Document {
  readonly uuid: string
  /** R is a certificate of withholding, of the service of Retenciones. */
  readonly tipo: 'I' | 'E' | 'T' | 'N' | 'P' | 'R'
  readonly emisor: Persona
  readonly receptor: Receptor
  readonly serie: string
  readonly folio: number
  readonly fecha: string
  readonly timbrado: string
  readonly cancelacion?: string
  readonly moneda: string
  /** Pesos per unit, four decimals. */
  readonly tipoCambio?: string
  readonly metodo?: 'PUE' | 'PPD'
  readonly forma?: string
  readonly exportacion: '01' | '02'
  readonly conceptos: readonly Concepto[]
  readonly relacion?: { readonly tipo: '01' | '04'; readonly uuids: readonly string[] }
  /** Of sales to the general public: one certificate for the month. */
  readonly global?: { readonly meses: string; readonly ano: string }
  readonly pago?: Pago
  readonly nomina?: Nomina
  readonly retencion?: Retencion
}

export interface Receptor {
  readonly rfc: string
  readonly nombre: string
  readonly regimen: string
  readonly codigoPostal: string
  readonly uso: string
  /** Lives abroad. */
  readonly residencia?: { readonly pais: string; readonly identificacion: string }
}

export interface Concepto {
  readonly clave: string
  readonly unidad: string
  readonly descripcion: string
  readonly cantidad: number
  readonly valorUnitario: Centavos
  /** Rate of IVA with six decimals; nothing: not subject to it. */
  readonly iva?: '0.160000' | '0.080000' | '0.000000' | 'exento'
  readonly retenciones?: readonly { readonly impuesto: '001' | '002'; readonly tasa: string }[]
  readonly terceros?: { readonly rfc: string; readonly nombre: string; readonly codigoPostal: string }
}

/** One payment of one or several invoices in the currency of all of them, which are taxed at 16 % whole. */
export interface Pago {
  readonly fecha: string
  readonly forma: string
  readonly moneda: string
  readonly tipoCambio?: string
  readonly documentos: readonly DocumentoPagado[]
}

export interface DocumentoPagado {
  readonly factura: Document
  readonly parcialidad: number
  readonly saldoAnterior: Centavos
  readonly base: Centavos
  readonly iva: Centavos
  readonly retenciones: readonly {
    readonly impuesto: '001' | '002'
    readonly tasa: string
    readonly importe: Centavos
  }[]
}

export interface Nomina {
  readonly trabajador: { readonly rfc: string; readonly curp: string; readonly numero: number }
  readonly desde: string
  readonly hasta: string
  readonly sueldo: Centavos
  /** Exempt part, paid for hours. */
  readonly horasExtra: Centavos
  readonly isr: Centavos
  readonly imss: Centavos
}

export interface Retencion {
  readonly clave: string
  readonly descripcion: string
  readonly mes: string
  readonly ejercicio: string
  readonly operacion: Centavos
  readonly isr: Centavos
}
