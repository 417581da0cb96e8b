import { type Decimal, ONE, sumDecimals, ZERO } from '../../fiscal/money.ts'
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
import type { Cfdi, Comprobante, Nomina, TipoComprobante } from './comprobante.ts'
import { TIPOS } from './comprobante.ts'
import { impuestosOf, readConceptos, readImpuestos } from './impuestos.ts'
import { readPagos } from './pagos.ts'
import { childrenOf, readXml, type XmlElement } from './xml.ts'

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
    timbre: {
      version: textOf(timbre, 'Version', 10),
      noCertificadoSat: textOf(timbre, 'NoCertificadoSAT', 100),
      selloCfd: textOf(timbre, 'SelloCFD', 5_000),
      selloSat: textOf(timbre, 'SelloSAT', 5_000),
      leyenda: textOf(timbre, 'Leyenda'),
    },
    xml,
    reparaciones: [],
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
    condicionesDePago: textOf(root, 'CondicionesDePago'),
    confirmacion: textOf(root, 'Confirmacion', 20),
    lugarExpedicion: codeOf(root, 'LugarExpedicion'),
    exportacion: codeOf(root, 'Exportacion'),
    noCertificado: textOf(root, 'NoCertificado', 100),
    sello: textOf(root, 'Sello', 5_000)?.replace(/\s+/g, '') ?? null,
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
    retencion: null,
    leyendas: [],
    complementos: [],
    addenda: childrenOf(root, namespace, 'Addenda').length > 0,
  }
}

/** What amounts of the document are multiplied by to be pesos. */
export const tipoCambioOf = ({ moneda, tipoCambio }: Pick<Comprobante, 'moneda' | 'tipoCambio'>): Decimal =>
  moneda === 'MXN' ? ONE : (tipoCambio ?? ONE)

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
    version: textOf(node, 'Version', 10),
    tipo: codeOf(node, 'TipoNomina'),
    fechaPago: codeOf(node, 'FechaPago'),
    fechaInicialPago: null,
    fechaFinalPago: null,
    diasPagados: null,
    registroPatronal: null,
    empleado: {
      curp: null,
      numSeguridadSocial: null,
      numEmpleado: null,
      departamento: null,
      puesto: null,
      tipoContrato: null,
      tipoRegimen: null,
      periodicidadPago: null,
      salarioBase: null,
      salarioDiario: null,
    },
    totalGravado: null,
    totalExento: null,
    lineas: [],
    totalPercepciones: decimalOf(node, 'TotalPercepciones'),
    totalDeducciones: decimalOf(node, 'TotalDeducciones'),
    totalOtrosPagos: decimalOf(node, 'TotalOtrosPagos'),
    isrRetenido: sumDecimals(isr.map((one) => required(decimalOf(one, 'Importe'), path(one, 'Importe')))),
  }
}
