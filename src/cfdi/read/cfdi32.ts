import { compareDecimals, type Decimal, ONE, parseDecimal, subtract, ZERO } from '../../fiscal/money.ts'
import { badAmount, badType, badValue, noExchangeRate } from '../errors.ts'
import { amountOf, base64Of, decimalOf, fechaOf, path, required, rfcOf, signedDecimalOf, textOf } from './attributes.ts'
import { furtherComplementosOf, namesOfComplementos, readLeyendas, readLocales } from './complementos.ts'
import type { Comprobante, TipoComprobante } from './comprobante.ts'
import { type Concepto, IEPS, type Impuesto, ISR, IVA, MAX_DESCRIPCION, readTerceros } from './impuestos.ts'
import { readNominas } from './nomina.ts'
import { childrenOf, type OnlyChild, type XmlElement } from './xml.ts'

/**
 * Reads the Comprobante of CFDI 3.2 (until November 2017) into the words of its successors. What those say by key 3.2
 * says in prose, and where the prose is not understood the answer is null. Its taxes name no bases, nor does a concept
 * say which it carries.
 */
export function readCfdi32(root: XmlElement, one: OnlyChild): Comprobante {
  const emisor = required(one('Emisor'), 'Emisor')
  const receptor = required(one('Receptor'), 'Receptor')
  const complementos = furtherComplementosOf(root)
  const nominas = readNominas(complementos)
  const moneda = monedaOf(textOf(root, 'Moneda', 100))
  const tipoCambio = readTipoCambio(root, moneda)
  if (moneda !== 'MXN' && !tipoCambio) throw noExchangeRate('El comprobante', moneda)
  const subtotal = amountOf(root, 'subTotal')
  const descuento = decimalOf(root, 'descuento')
  const node = one('Impuestos')
  const impuestos = readImpuestos(node)
  const conceptos = one('Conceptos')
  const lineas = childrenOf(conceptos, root.namespace, 'Concepto').map(readConcepto)
  const taxed = impuestos.some(({ clase, impuesto }) => clase === 'traslado' && impuesto === IVA)
  return {
    version: '3.2',
    tipo: nominas.length > 0 ? 'N' : readTipo(root),
    serie: textOf(root, 'serie', 100),
    folio: textOf(root, 'folio', 100),
    fecha: fechaOf(root, 'fecha'),
    emisor: {
      rfc: rfcOf(emisor, 'rfc'),
      nombre: textOf(emisor, 'nombre'),
      regimen: regimenOf(childrenOf(emisor, root.namespace, 'RegimenFiscal')),
    },
    receptor: { rfc: rfcOf(receptor, 'rfc'), nombre: textOf(receptor, 'nombre'), regimen: null, usoCfdi: null },
    subtotal,
    descuento,
    total: amountOf(root, 'total'),
    moneda,
    tipoCambio,
    metodoPago: metodoOf(textOf(root, 'formaDePago', 500)),
    formaPago: formaOf(textOf(root, 'metodoDePago', 500)),
    condicionesDePago: textOf(root, 'condicionesDePago', 10_000),
    confirmacion: null,
    lugarExpedicion: textOf(root, 'LugarExpedicion'),
    exportacion: null,
    noCertificado: textOf(root, 'noCertificado', 100),
    sello: base64Of(root, 'sello'),
    totalTrasladados: node ? decimalOf(node, 'totalImpuestosTrasladados') : null,
    totalRetenidos: node ? decimalOf(node, 'totalImpuestosRetenidos') : null,
    impuestos,
    conceptos: {
      count: lineas.length,
      lineas,
      impuestos: [],
      // Nothing tells which concepts the IVA is of: where there is any, it is taken to be of all.
      baseNoObjeto: taxed ? ZERO : subtract(subtotal, descuento ?? ZERO),
      combustible: false,
    },
    locales: readLocales(complementos),
    relacionados: [],
    informacionGlobal: null,
    pagos: null,
    nominas,
    retencion: null,
    leyendas: readLeyendas(complementos),
    complementos: namesOfComplementos(root, conceptos),
    addenda: childrenOf(root, root.namespace, 'Addenda').length > 0,
  }
}

function readTipo(root: XmlElement): TipoComprobante {
  const written = required(root.get('tipoDeComprobante'), path(root, 'tipoDeComprobante'))
  const tipo = TIPOS.get(written.trim().toLowerCase())
  if (!tipo) throw badType(written)
  return tipo
}

const TIPOS: ReadonlyMap<string, TipoComprobante> = new Map([
  ['ingreso', 'I'],
  ['egreso', 'E'],
  ['traslado', 'T'],
])

function readConcepto(node: XmlElement): Concepto {
  return {
    claveProdServ: null,
    noIdentificacion: textOf(node, 'noIdentificacion'),
    cantidad: signedDecimalOf(node, 'cantidad', 18),
    claveUnidad: null,
    unidad: textOf(node, 'unidad'),
    descripcion: textOf(node, 'descripcion', MAX_DESCRIPCION) ?? '',
    // Discounts were written as concepts below zero.
    valorUnitario: signedDecimalOf(node, 'valorUnitario'),
    importe: required(signedDecimalOf(node, 'importe'), path(node, 'importe')),
    descuento: null,
    objetoImp: null,
    rfcTerceros: readTerceros(node),
    impuestos: [],
  }
}

function readImpuestos(node: XmlElement | undefined): Impuesto[] {
  if (!node) return []
  const lines = (group: string, line: string) =>
    childrenOf(node, node.namespace, group).flatMap((parent) => childrenOf(parent, node.namespace, line))
  return [
    ...lines('Traslados', 'Traslado').map((line) => readLine(line, 'traslado')),
    ...lines('Retenciones', 'Retencion').map((line) => readLine(line, 'retencion')),
  ]
}

function readLine(line: XmlElement, clase: Impuesto['clase']): Impuesto {
  const written = required(line.get('impuesto'), path(line, 'impuesto'))
  const impuesto = IMPUESTOS.get(written.trim().toUpperCase())
  if (!impuesto) throw badValue(path(line, 'impuesto'), written)
  const tasa = clase === 'traslado' ? tasaOf(decimalOf(line, 'tasa')) : null
  const importe = amountOf(line, 'importe')
  return { clase, impuesto, factor: tasa ? 'Tasa' : null, tasa, base: null, importe }
}

const IMPUESTOS: ReadonlyMap<string, string> = new Map([
  ['ISR', ISR],
  ['IVA', IVA],
  ['IEPS', IEPS],
])

/** 16 and 0.16 are sixteen percent: no rate of IVA or IEPS is below one percent. Kept to six places, as 3.3 has them. */
function tasaOf(written: Decimal | null): Decimal | null {
  if (!written || compareDecimals(written, ONE) < 0) return written
  const { units, places } = written
  if (places <= 4) return { units, places: places + 2 }
  const scale = 10n ** BigInt(places - 4)
  return { units: (units + scale / 2n) / scale, places: 6 }
}

/** The key of the currency: 3.2 takes any words. */
function monedaOf(written: string | null): string {
  const text = written?.trim().toUpperCase() ?? ''
  if (text === '' || /PESO|NACIONAL|^M\.? ?N\.?$|^MX[NP]$/.test(text)) return 'MXN'
  if (/^US|D[OÓ]LAR|^D\.?L{1,2}\.?S?\.?$/.test(text)) return 'USD'
  if (/^EURO?S?$/.test(text)) return 'EUR'
  if (!/^[A-Z]{3}$/.test(text)) throw badValue('Comprobante/@Moneda', text)
  return text
}

/** Free text: of a document in pesos it says nothing, of any other it must be a rate. */
function readTipoCambio(root: XmlElement, moneda: string): Decimal | null {
  const text = textOf(root, 'TipoCambio', 100)?.trim()
  if (!text || moneda === 'MXN') return null
  try {
    const rate = parseDecimal(text)
    if (rate.units > 0n) return rate
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw badAmount(path(root, 'TipoCambio'), text)
}

function metodoOf(written: string | null): 'PUE' | 'PPD' | null {
  if (written === null) return null
  if (/parcialidad|diferid/i.test(written)) return 'PPD'
  return /una\s+sola\s+exh?ibici|^\s*pue\s*$|contado/i.test(written) ? 'PUE' : null
}

/** The key of c_FormaPago, which 3.2 writes by itself since 2016, and before that in words. */
function formaOf(written: string | null): string | null {
  const key = /^\s*(\d\d)(?!\d)/.exec(written ?? '')?.[1]
  // Several keys are several ways of paying: no one of them is the one.
  if (key) return /^\D*\d\d\D*$/.test(written ?? '') ? key : null
  const found = FORMAS.filter(([words]) => words.test(written ?? ''))
  return found.length === 1 ? found[0]![1] : null
}

const FORMAS: readonly [words: RegExp, key: string][] = [
  [/efectivo/i, '01'],
  [/cheque/i, '02'],
  [/transferencia/i, '03'],
  [/tarjeta\S* de cr[eé]dito/i, '04'],
  [/tarjeta\S* de d[eé]bito/i, '28'],
]

function regimenOf(nodes: readonly XmlElement[]): string | null {
  const written = nodes.map((node) => textOf(node, 'Regimen')).filter((text) => text !== null)
  return written.length > 0 ? written.join(', ').slice(0, 1_000) : null
}
