import { type Decimal, ONE, sumDecimals, ZERO } from '../../fiscal/money.ts'
import type { Rfc } from '../../fiscal/rfc.ts'
import { badType, badVersion, manyTimbres, missing, noExchangeRate, noTimbre, notCfdi, repeated } from '../errors.ts'
import {
  codeOf,
  decimalOf,
  fechaOf,
  oneOf,
  path,
  rateOf,
  required,
  rfcOf,
  signedDecimalOf,
  textOf,
  uuidOf,
} from './attributes.ts'
import { type Conceptos, type Impuesto, impuestosOf, readConceptos, readImpuestos } from './impuestos.ts'
import { type Pagos, readPagos } from './pagos.ts'
import { childrenOf, readXml, type XmlElement } from './xml.ts'

/** What a CFDI 3.3 or 4.0 says, as far as taxes need it. Amounts are exact and in `moneda`; absent is null, not zero. */
export interface Comprobante {
  readonly version: '3.3' | '4.0'
  readonly tipo: TipoComprobante
  readonly serie: string | null
  readonly folio: string | null
  /** Civil time of the place of issue, `YYYY-MM-DDTHH:MM:SS`. */
  readonly fecha: string
  readonly emisor: Persona
  readonly receptor: Persona & { readonly usoCfdi: string | null }
  readonly subtotal: Decimal
  readonly descuento: Decimal | null
  readonly total: Decimal
  readonly moneda: string
  /** Pesos per unit of `moneda` as written; `tipoCambioOf` gives the one to multiply by. */
  readonly tipoCambio: Decimal | null
  readonly metodoPago: 'PUE' | 'PPD' | null
  readonly formaPago: string | null
  readonly lugarExpedicion: string | null
  readonly exportacion: string | null
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
  readonly addenda: boolean
}

/** A stamped CFDI and the bytes it came in. */
export interface Cfdi extends Comprobante {
  /** Folio fiscal, in lower case. */
  readonly uuid: string
  /** Central Mexico time. */
  readonly fechaTimbrado: string
  readonly rfcPac: string | null
  readonly xml: Uint8Array
}

export type TipoComprobante = (typeof TIPOS)[number]

export interface Persona {
  readonly rfc: Rfc
  readonly nombre: string | null
  readonly regimen: string | null
}

export interface Nomina {
  readonly tipo: string | null
  readonly fechaPago: string | null
  readonly totalPercepciones: Decimal | null
  readonly totalDeducciones: Decimal | null
  readonly totalOtrosPagos: Decimal | null
  /** Deductions of type 002. */
  readonly isrRetenido: Decimal
}

/**
 * Reads one stamped CFDI 3.3 or 4.0 of any type. Whole or not at all: whatever cannot be read for certain refuses it.
 * The seal is not verified and totals may not square; `avisosOf` tells of the latter.
 * @throws AppError `cfdi.*` (invalid, too_large)
 */
export function parseCfdi(xml: Uint8Array): Cfdi {
  const root = readXml(xml)
  const comprobante = readComprobante(root)
  const timbres = complementosOf(root).flatMap((complemento) => childrenOf(complemento, TFD, 'TimbreFiscalDigital'))
  const [timbre, second] = timbres
  if (!timbre) throw noTimbre()
  if (second) throw manyTimbres()
  return {
    ...comprobante,
    uuid: uuidOf(timbre, 'UUID'),
    fechaTimbrado: fechaOf(timbre, 'FechaTimbrado'),
    rfcPac: textOf(timbre, 'RfcProvCertif', 100),
    xml,
  }
}

/** Reads the document itself, stamped or not. */
export function readComprobante(root: XmlElement): Comprobante {
  const version = readVersion(root)
  const { namespace } = root
  const one = (name: string) => {
    const [node, second] = childrenOf(root, namespace, name)
    if (second) throw repeated(name)
    return node
  }
  const tipo = readTipo(root)
  const moneda = required(codeOf(root, 'Moneda'), path(root, 'Moneda'))
  const tipoCambio = rateOf(root, 'TipoCambio')
  if (moneda !== 'MXN' && moneda !== 'XXX' && !tipoCambio) throw noExchangeRate('El comprobante', moneda)
  const impuestos = one('Impuestos')
  const conceptos = readConceptos(one('Conceptos'))
  // In any other type the complement means nothing, and an invoice is not its own receipt.
  const pagos = tipo === 'P' ? readPagos(complementosOf(root)) : null
  if (tipo === 'P' && !pagos) throw missing('el complemento de Pagos')
  const emisor = required(one('Emisor'), 'Emisor')
  const receptor = required(one('Receptor'), 'Receptor')
  return {
    version,
    tipo,
    serie: textOf(root, 'Serie', 100),
    folio: textOf(root, 'Folio', 100),
    fecha: fechaOf(root, 'Fecha'),
    emisor: { rfc: rfcOf(emisor, 'Rfc'), nombre: textOf(emisor, 'Nombre'), regimen: codeOf(emisor, 'RegimenFiscal') },
    receptor: {
      rfc: rfcOf(receptor, 'Rfc'),
      nombre: textOf(receptor, 'Nombre'),
      regimen: codeOf(receptor, 'RegimenFiscalReceptor'),
      usoCfdi: codeOf(receptor, 'UsoCFDI'),
    },
    subtotal: required(decimalOf(root, 'SubTotal'), path(root, 'SubTotal')),
    descuento: decimalOf(root, 'Descuento'),
    total: required(decimalOf(root, 'Total'), path(root, 'Total')),
    moneda,
    tipoCambio,
    metodoPago: oneOf(root, 'MetodoPago', ['PUE', 'PPD']),
    formaPago: codeOf(root, 'FormaPago'),
    lugarExpedicion: codeOf(root, 'LugarExpedicion'),
    exportacion: codeOf(root, 'Exportacion'),
    totalTrasladados: impuestos ? decimalOf(impuestos, 'TotalImpuestosTrasladados') : null,
    totalRetenidos: impuestos ? decimalOf(impuestos, 'TotalImpuestosRetenidos') : null,
    impuestos: impuestosOf(readImpuestos(impuestos), conceptos),
    conceptos,
    locales: readLocales(root),
    relacionados: readRelacionados(root),
    informacionGlobal: readInformacionGlobal(one('InformacionGlobal')),
    pagos,
    nominas: complementosOf(root)
      .flatMap((node) => childrenOf(node, NOMINA, 'Nomina'))
      .map(readNomina),
    addenda: childrenOf(root, namespace, 'Addenda').length > 0,
  }
}

/** What amounts of the document are multiplied by to be pesos. */
export const tipoCambioOf = ({ moneda, tipoCambio }: Pick<Comprobante, 'moneda' | 'tipoCambio'>): Decimal =>
  moneda === 'MXN' ? ONE : (tipoCambio ?? ONE)

const TIPOS = ['I', 'E', 'P', 'N', 'T'] as const
const VERSIONS: ReadonlyMap<string, Comprobante['version']> = new Map([
  ['http://www.sat.gob.mx/cfd/3', '3.3'],
  ['http://www.sat.gob.mx/cfd/4', '4.0'],
])
const TFD = 'http://www.sat.gob.mx/TimbreFiscalDigital'
const IMPLOCAL = 'http://www.sat.gob.mx/implocal'
const NOMINA = 'http://www.sat.gob.mx/nomina12'

function readVersion(root: XmlElement): Comprobante['version'] {
  const version = VERSIONS.get(root.namespace)
  if (root.name !== 'Comprobante' || !version) throw notCfdi(`{${root.namespace}}${root.name}`)
  // 3.2 lives in the namespace of 3.3 and writes its attributes in lower case.
  const written = root.attributes['Version'] ?? root.attributes['version']
  if (written !== version) throw badVersion(written)
  return version
}

function readTipo(root: XmlElement): TipoComprobante {
  const written = required(root.attributes['TipoDeComprobante'], path(root, 'TipoDeComprobante'))
  const tipo = TIPOS.find((one) => one === written)
  if (!tipo) throw badType(written)
  return tipo
}

// Direct children of the root only: an addenda may carry look-alikes. The schema of 3.3 allows several.
const complementosOf = (root: XmlElement): XmlElement[] => childrenOf(root, root.namespace, 'Complemento')

function readRelacionados(root: XmlElement): Comprobante['relacionados'] {
  return childrenOf(root, root.namespace, 'CfdiRelacionados').map((node) => ({
    tipoRelacion: required(codeOf(node, 'TipoRelacion'), path(node, 'TipoRelacion')),
    uuids: childrenOf(node, root.namespace, 'CfdiRelacionado').map((related) => uuidOf(related, 'UUID')),
  }))
}

function readLocales(root: XmlElement): Comprobante['locales'] {
  const nodes = complementosOf(root).flatMap((node) => childrenOf(node, IMPLOCAL, 'ImpuestosLocales'))
  if (nodes.length === 0) return null
  const sum = (name: string) => sumDecimals(nodes.map((node) => signedDecimalOf(node, name) ?? ZERO))
  return { trasladados: sum('TotaldeTraslados'), retenidos: sum('TotaldeRetenciones') }
}

function readInformacionGlobal(node: XmlElement | undefined): Comprobante['informacionGlobal'] {
  if (!node) return null
  return { periodicidad: codeOf(node, 'Periodicidad'), meses: codeOf(node, 'Meses'), anio: codeOf(node, 'Año') }
}

function readNomina(node: XmlElement): Nomina {
  const deducciones = childrenOf(node, NOMINA, 'Deducciones').flatMap((one) => childrenOf(one, NOMINA, 'Deduccion'))
  const isr = deducciones.filter((one) => one.attributes['TipoDeduccion'] === '002')
  return {
    tipo: codeOf(node, 'TipoNomina'),
    fechaPago: codeOf(node, 'FechaPago'),
    totalPercepciones: decimalOf(node, 'TotalPercepciones'),
    totalDeducciones: decimalOf(node, 'TotalDeducciones'),
    totalOtrosPagos: decimalOf(node, 'TotalOtrosPagos'),
    isrRetenido: sumDecimals(isr.map((one) => required(decimalOf(one, 'Importe'), path(one, 'Importe')))),
  }
}
