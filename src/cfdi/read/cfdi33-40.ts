import { badType, missing, noExchangeRate } from '../errors.ts'
import {
  amountOf,
  base64Of,
  codeOf,
  decimalOf,
  fechaOf,
  keyOf,
  oneOf,
  path,
  rateOf,
  required,
  rfcOf,
  textOf,
  uuidOf,
} from './attributes.ts'
import { furtherComplementosOf, namesOfComplementos, readLeyendas, readLocales } from './complementos.ts'
import type { Comprobante, TipoComprobante } from './comprobante.ts'
import { TIPOS } from './comprobante.ts'
import { impuestosOf, readConceptos, readImpuestos } from './impuestos.ts'
import { readNominas } from './nomina.ts'
import { readPagos } from './pagos.ts'
import { childrenOf, type OnlyChild, type XmlElement } from './xml.ts'

/** Reads the Comprobante of CFDI 3.3 and 4.0. */
export function readCfdi(root: XmlElement, version: '3.3' | '4.0', one: OnlyChild): Comprobante {
  const tipo = readTipo(root)
  const moneda = keyOf(root, 'Moneda')
  const tipoCambio = rateOf(root, 'TipoCambio')
  if (moneda !== 'MXN' && moneda !== 'XXX' && !tipoCambio) throw noExchangeRate('El comprobante', moneda)
  const impuestos = one('Impuestos')
  const nodes = one('Conceptos')
  const conceptos = readConceptos(nodes)
  const complementos = furtherComplementosOf(root)
  // In any other type the complement means nothing, and an invoice is not its own receipt.
  const pagos = tipo === 'P' ? readPagos(complementos) : null
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
    subtotal: amountOf(root, 'SubTotal'),
    descuento: decimalOf(root, 'Descuento'),
    total: amountOf(root, 'Total'),
    moneda,
    tipoCambio,
    metodoPago: oneOf(root, 'MetodoPago', ['PUE', 'PPD']),
    formaPago: codeOf(root, 'FormaPago'),
    condicionesDePago: textOf(root, 'CondicionesDePago'),
    confirmacion: textOf(root, 'Confirmacion', 20),
    lugarExpedicion: codeOf(root, 'LugarExpedicion'),
    exportacion: codeOf(root, 'Exportacion'),
    noCertificado: textOf(root, 'NoCertificado', 100),
    sello: base64Of(root, 'Sello'),
    totalTrasladados: impuestos ? decimalOf(impuestos, 'TotalImpuestosTrasladados') : null,
    totalRetenidos: impuestos ? decimalOf(impuestos, 'TotalImpuestosRetenidos') : null,
    impuestos: impuestosOf(readImpuestos(impuestos), conceptos),
    conceptos,
    locales: readLocales(complementos),
    relacionados: readRelacionados(root),
    informacionGlobal: readInformacionGlobal(one('InformacionGlobal')),
    pagos,
    nominas: readNominas(complementos),
    retencion: null,
    leyendas: readLeyendas(complementos),
    complementos: namesOfComplementos(root, nodes),
    addenda: childrenOf(root, root.namespace, 'Addenda').length > 0,
  }
}

function readTipo(root: XmlElement): TipoComprobante {
  const written = required(root.get('TipoDeComprobante'), path(root, 'TipoDeComprobante'))
  const tipo = TIPOS.find((one) => one === written && one !== 'R')
  if (!tipo) throw badType(written)
  return tipo
}

function readRelacionados(root: XmlElement): Comprobante['relacionados'] {
  return childrenOf(root, root.namespace, 'CfdiRelacionados').map((node) => ({
    tipoRelacion: keyOf(node, 'TipoRelacion'),
    uuids: childrenOf(node, root.namespace, 'CfdiRelacionado').map((related) => uuidOf(related, 'UUID')),
  }))
}

function readInformacionGlobal(node: XmlElement | undefined): Comprobante['informacionGlobal'] {
  if (!node) return null
  return { periodicidad: codeOf(node, 'Periodicidad'), meses: codeOf(node, 'Meses'), anio: codeOf(node, 'Año') }
}
