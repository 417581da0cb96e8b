import { ZERO } from '../../fiscal/money.ts'
import { isFecha } from '../../fiscal/periodo.ts'
import { RFC_EXTRANJERO } from '../../fiscal/rfc.ts'
import { badDate, badValue, missing } from '../errors.ts'
import {
  amountOf,
  base64Of,
  codeOf,
  decimalOf,
  fechaOf,
  integerOf,
  keyOf,
  path,
  required,
  rfcOf,
  textOf,
  uuidOf,
} from './attributes.ts'
import { furtherComplementosOf, namesOfComplementos, readLeyendas } from './complementos.ts'
import type { Comprobante, Retencion } from './comprobante.ts'
import type { Impuesto } from './impuestos.ts'
import { childrenOf, type OnlyChild, type XmlElement } from './xml.ts'

/**
 * Reads a certificate of withholding (CFDI de Retenciones e información de pagos) as a document of type R. It is always
 * in pesos; its subtotal and total are the amount of the operation, and what was withheld stands among the taxes.
 */
export function readRetenciones(root: XmlElement, version: '1.0' | '2.0', one: OnlyChild): Comprobante {
  const names = NAMES[version]
  const emisor = required(one('Emisor'), 'Emisor')
  const totales = required(one('Totales'), 'Totales')
  const retencion = readRetencion(root, names, totales, one)
  const complementos = furtherComplementosOf(root)
  return {
    version,
    tipo: 'R',
    serie: null,
    folio: textOf(root, 'FolioInt', 100),
    fecha: readFecha(root),
    emisor: {
      rfc: rfcOf(emisor, names.rfcEmisor),
      nombre: textOf(emisor, 'NomDenRazSocE'),
      regimen: codeOf(emisor, 'RegimenFiscalE'),
    },
    receptor: { ...readReceptor(required(one('Receptor'), 'Receptor'), names), regimen: null, usoCfdi: null },
    subtotal: retencion.montoOperacion,
    descuento: null,
    total: retencion.montoOperacion,
    moneda: 'MXN',
    tipoCambio: null,
    metodoPago: null,
    formaPago: null,
    condicionesDePago: null,
    confirmacion: null,
    lugarExpedicion: codeOf(root, 'LugarExpRetenc'),
    exportacion: null,
    noCertificado: textOf(root, names.noCertificado, 100),
    sello: base64Of(root, 'Sello'),
    totalTrasladados: null,
    totalRetenidos: retencion.montoRetenido,
    impuestos: retencion.lineas.filter(({ impuesto }) => impuesto !== null).map(asImpuesto),
    conceptos: { count: 0, lineas: [], impuestos: [], baseNoObjeto: ZERO, combustible: false },
    locales: null,
    relacionados: readRelacionados(root),
    informacionGlobal: null,
    pagos: null,
    nominas: [],
    retencion,
    leyendas: readLeyendas(complementos),
    complementos: namesOfComplementos(root, undefined),
    addenda: childrenOf(root, root.namespace, 'Addenda').length > 0,
  }
}

type Names = (typeof NAMES)[keyof typeof NAMES]

// The two versions say the same under other names.
const NAMES = {
  '1.0': {
    rfcEmisor: 'RFCEmisor',
    nacionalidad: 'Nacionalidad',
    rfcReceptor: 'RFCRecep',
    numRegIdTrib: 'NumRegIdTrib',
    noCertificado: 'NumCert',
    ejercicio: 'Ejerc',
    operacion: 'montoTotOperacion',
    gravado: 'montoTotGrav',
    exento: 'montoTotExent',
    retenido: 'montoTotRet',
    impuesto: 'Impuesto',
    monto: 'montoRet',
  },
  '2.0': {
    rfcEmisor: 'RfcE',
    nacionalidad: 'NacionalidadR',
    rfcReceptor: 'RfcR',
    numRegIdTrib: 'NumRegIdTribR',
    noCertificado: 'NoCertificado',
    ejercicio: 'Ejercicio',
    operacion: 'MontoTotOperacion',
    gravado: 'MontoTotGrav',
    exento: 'MontoTotExent',
    retenido: 'MontoTotRet',
    impuesto: 'ImpuestoRet',
    monto: 'MontoRet',
  },
} as const

function readRetencion(root: XmlElement, names: Names, totales: XmlElement, one: OnlyChild): Retencion {
  const periodo = required(one('Periodo'), 'Periodo')
  const receptor = required(one('Receptor'), 'Receptor')
  const [extranjero] = childrenOf(receptor, root.namespace, 'Extranjero')
  return {
    clave: codeOf(root, 'CveRetenc'),
    descripcion: textOf(root, 'DescRetenc'),
    ejercicio: integerOf(periodo, names.ejercicio, 1990, 2100),
    mesInicial: integerOf(periodo, 'MesIni', 1, 12),
    mesFinal: integerOf(periodo, 'MesFin', 1, 12),
    nacionalidad: codeOf(receptor, names.nacionalidad),
    numRegIdTrib: extranjero ? textOf(extranjero, names.numRegIdTrib, 100) : null,
    montoOperacion: amountOf(totales, names.operacion),
    montoGravado: decimalOf(totales, names.gravado),
    montoExento: decimalOf(totales, names.exento),
    montoRetenido: amountOf(totales, names.retenido),
    lineas: childrenOf(totales, root.namespace, 'ImpRetenidos').map((line) => ({
      impuesto: impuestoOf(line, names.impuesto),
      base: decimalOf(line, 'BaseRet'),
      importe: amountOf(line, names.monto),
      tipoPago: textOf(line, 'TipoPagoRet', 100),
    })),
  }
}

/** 1.0 counts its taxes 01, 02, 03. */
function impuestoOf(line: XmlElement, name: string): string | null {
  const key = codeOf(line, name)
  if (key === null) return null
  if (!/^0{0,2}[123]$/.test(key)) throw badValue(path(line, name), key)
  return key.padStart(3, '0')
}

function readReceptor(receptor: XmlElement, names: Names): Pick<Comprobante['receptor'], 'rfc' | 'nombre'> {
  const [nacional] = childrenOf(receptor, receptor.namespace, 'Nacional')
  if (nacional) return { rfc: rfcOf(nacional, names.rfcReceptor), nombre: textOf(nacional, 'NomDenRazSocR') }
  const [extranjero] = childrenOf(receptor, receptor.namespace, 'Extranjero')
  if (!extranjero) throw missing('Receptor/Nacional o Receptor/Extranjero')
  return { rfc: RFC_EXTRANJERO, nombre: textOf(extranjero, 'NomDenRazSocR') }
}

/** 1.0 may write the zone of the place of issue behind the time. The time is the civil one there: it stays as it is. */
function readFecha(root: XmlElement): string {
  const text = required(root.get('FechaExp'), path(root, 'FechaExp'))
  if (root.get('Version') !== '1.0') return fechaOf(root, 'FechaExp')
  const civil = text.replace(/(?:Z|[+-]\d\d:\d\d)$/, '')
  if (!isFecha(civil)) throw badDate(path(root, 'FechaExp'), text)
  return civil
}

function readRelacionados(root: XmlElement): Comprobante['relacionados'] {
  return childrenOf(root, root.namespace, 'CfdiRetenRelacionados').map((node) => ({
    tipoRelacion: keyOf(node, 'TipoRelacion'),
    uuids: [uuidOf(node, 'UUID')],
  }))
}

const asImpuesto = ({ impuesto, base, importe }: Retencion['lineas'][number]): Impuesto => ({
  clase: 'retencion',
  impuesto: impuesto ?? '',
  factor: null,
  tasa: null,
  base,
  importe,
})
