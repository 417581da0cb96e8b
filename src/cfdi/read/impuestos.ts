import { type Decimal, formatDecimal, isZero, subtract, sumDecimals, ZERO } from '../../fiscal/money.ts'
import { amountOf, codeOf, decimalOf, keyOf, oneOf, rfcOf, textOf } from './attributes.ts'
import { childrenOf, type XmlElement } from './xml.ts'

/** One tax line, in the currency of its document. */
export interface Impuesto {
  readonly clase: 'traslado' | 'retencion'
  /** 001 ISR, 002 IVA, 003 IEPS. */
  readonly impuesto: string
  readonly factor: 'Tasa' | 'Cuota' | 'Exento' | null
  /** Null when exempt, and on the withholdings of a document, which SAT sums without it. */
  readonly tasa: Decimal | null
  /** Null where the document does not say it: 3.3 keeps bases in its concepts only. */
  readonly base: Decimal | null
  readonly importe: Decimal
}

export const ISR = '001'
export const IVA = '002'
export const IEPS = '003'

/** One concept, in the currency of its document. */
export interface Concepto {
  readonly claveProdServ: string | null
  readonly noIdentificacion: string | null
  readonly cantidad: Decimal | null
  readonly claveUnidad: string | null
  readonly unidad: string | null
  readonly descripcion: string
  readonly valorUnitario: Decimal | null
  readonly importe: Decimal
  readonly descuento: Decimal | null
  /** 01 no object of tax, 02 object, 03 and on as SAT adds them; null in 3.x, which does not say. */
  readonly objetoImp: string | null
  /** Whom it was sold in the name of (ACuentaTerceros). */
  readonly rfcTerceros: string | null
  readonly impuestos: readonly Impuesto[]
}

/** What the concepts say together. Their cents may differ from the document's, which is the one that counts. */
export interface Conceptos {
  readonly count: number
  readonly lineas: readonly Concepto[]
  readonly impuestos: readonly Impuesto[]
  /** Amount, after discounts, of what is no object of tax or carries none. */
  readonly baseNoObjeto: Decimal
  /** Some concept is fuel for vehicles: paid in cash it is never deductible (LISR 27-III). */
  readonly combustible: boolean
}

/** The lines of an `Impuestos` node, of the document or of a concept: `…/Traslados/Traslado`, `…/Retenciones/Retencion`. */
export function readImpuestos(node: XmlElement | undefined, suffix: keyof typeof NAMES = ''): Impuesto[] {
  const lines: Impuesto[] = []
  if (!node) return lines
  const names = NAMES[suffix]
  // All of the first kind before those of the second, in whichever order they are written.
  for (const group of childrenOf(node, node.namespace, names.traslados)) {
    for (const line of childrenOf(group, node.namespace, names.traslado))
      lines.push(readImpuesto(line, 'traslado', names))
  }
  for (const group of childrenOf(node, node.namespace, names.retenciones)) {
    for (const line of childrenOf(group, node.namespace, names.retencion))
      lines.push(readImpuesto(line, 'retencion', names))
  }
  return lines
}

export function readConceptos(conceptos: XmlElement | undefined): Conceptos {
  const namespace = conceptos?.namespace ?? ''
  const lineas: Concepto[] = []
  const impuestos: Impuesto[] = []
  const noObjeto: Decimal[] = []
  let combustible = false
  for (const node of childrenOf(conceptos, namespace, 'Concepto')) {
    const linea = readConcepto(node)
    lineas.push(linea)
    let taxed = false
    for (const impuesto of linea.impuestos) {
      impuestos.push(impuesto)
      if (isIvaTrasladado(impuesto)) taxed = true
    }
    if (!taxed) noObjeto.push(linea.descuento ? subtract(linea.importe, linea.descuento) : linea.importe)
    if (linea.claveProdServ !== null && COMBUSTIBLES.has(linea.claveProdServ)) combustible = true
  }
  return {
    count: lineas.length,
    lineas,
    impuestos,
    baseNoObjeto: noObjeto.length === 0 ? ZERO : sumDecimals(noObjeto),
    combustible,
  }
}

/**
 * The tax lines a document is counted by: those of the document, with what only its concepts know.
 *
 * Version 3.3 has no bases at document level and says exempt amounts only in the concepts; 4.0 may leave bases out too.
 * Amounts are always the document's: concepts carry six decimals and their sum differs by cents.
 */
export function impuestosOf(documento: readonly Impuesto[], conceptos: Conceptos): Impuesto[] {
  const lines = documento.every(hasBase) ? [...documento] : withBases(documento, conceptos)
  const exentos = conceptos.impuestos.filter(isExento)
  if (exentos.length === 0) return lines
  const written = new Set(lines.filter((line) => line.factor === 'Exento').map((line) => line.impuesto))
  for (const [impuesto, own] of Map.groupBy(exentos, (line) => line.impuesto)) {
    if (written.has(impuesto)) continue
    const base = baseOf(own) ?? ZERO
    if (!isZero(base)) lines.push({ clase: 'traslado', impuesto, factor: 'Exento', tasa: null, base, importe: ZERO })
  }
  return lines
}

function withBases(documento: readonly Impuesto[], conceptos: Conceptos): Impuesto[] {
  // By key once: a line looked up among all of the concepts' took hours for a document of some megabytes.
  const bases = Map.groupBy(
    conceptos.impuestos.filter((line) => line.base),
    lineKeyOf,
  )
  // A tax that is written twice has the base of its concepts once.
  const given = new Set<string>()
  return documento.map((line) => {
    if (line.base) return line
    const key = lineKeyOf(line)
    const base = given.has(key) ? ZERO : baseOf(bases.get(key))
    given.add(key)
    return { ...line, base }
  })
}

/** Sum of the amounts of one tax. */
export function importeOf(lines: readonly Impuesto[], clase: Impuesto['clase'], impuesto: string): Decimal {
  return sumDecimals(
    lines.filter((line) => line.clase === clase && line.impuesto === impuesto).map((line) => line.importe),
  )
}

// 15101505 diesel, 15101514 regular and 15101515 premium petrol.
const COMBUSTIBLES: ReadonlySet<string> = new Set(['15101505', '15101514', '15101515'])

function readConcepto(node: XmlElement): Concepto {
  const impuestos = childrenOf(node, node.namespace, 'Impuestos')
  return {
    claveProdServ: codeOf(node, 'ClaveProdServ'),
    noIdentificacion: textOf(node, 'NoIdentificacion'),
    cantidad: decimalOf(node, 'Cantidad'),
    claveUnidad: codeOf(node, 'ClaveUnidad'),
    unidad: textOf(node, 'Unidad'),
    descripcion: textOf(node, 'Descripcion', MAX_DESCRIPCION) ?? '',
    valorUnitario: decimalOf(node, 'ValorUnitario'),
    importe: amountOf(node, 'Importe'),
    descuento: decimalOf(node, 'Descuento'),
    objetoImp: codeOf(node, 'ObjetoImp'),
    rfcTerceros: readTerceros(node),
    impuestos: impuestos.length === 1 ? readImpuestos(impuestos[0]) : impuestos.flatMap((one) => readImpuestos(one)),
  }
}

/** Whom a concept was sold in the name of: 4.0 has a node of its own, 3.x a complement of the concept. */
export function readTerceros(concepto: XmlElement): string | null {
  if (concepto.children.length === 0) return null
  const [own] = childrenOf(concepto, concepto.namespace, 'ACuentaTerceros')
  if (own) return rfcOf(own, 'RfcACuentaTerceros')
  const [terceros] = childrenOf(concepto, concepto.namespace, 'ComplementoConcepto').flatMap((node) =>
    childrenOf(node, TERCEROS, 'PorCuentadeTerceros'),
  )
  return terceros ? rfcOf(terceros, 'rfc') : null
}

const TERCEROS = 'http://www.sat.gob.mx/terceros'

/** SAT allows a thousand since 3.3 and said nothing before. */
export const MAX_DESCRIPCION = 20_000

const hasBase = ({ base }: Impuesto): boolean => base !== null

const isExento = ({ clase, factor }: Impuesto): boolean => factor === 'Exento' && clase === 'traslado'

const isIvaTrasladado = ({ clase, impuesto }: Impuesto): boolean => clase === 'traslado' && impuesto === IVA

function readImpuesto(
  element: XmlElement,
  clase: Impuesto['clase'],
  names: (typeof NAMES)[keyof typeof NAMES],
): Impuesto {
  const factor = oneOf(element, names.factor, FACTORES)
  return {
    clase,
    impuesto: keyOf(element, names.impuesto),
    factor,
    tasa: decimalOf(element, names.tasa),
    base: decimalOf(element, names.base),
    // Only an exempt line says nothing of its amount.
    importe: factor === 'Exento' ? (decimalOf(element, names.importe) ?? ZERO) : amountOf(element, names.importe),
  }
}

const FACTORES = ['Tasa', 'Cuota', 'Exento'] as const

// Payments say the same words with an ending. Written out: a name put together is another object, slower to compare.
const NAMES = {
  '': {
    traslados: 'Traslados',
    traslado: 'Traslado',
    retenciones: 'Retenciones',
    retencion: 'Retencion',
    factor: 'TipoFactor',
    impuesto: 'Impuesto',
    tasa: 'TasaOCuota',
    base: 'Base',
    importe: 'Importe',
  },
  DR: {
    traslados: 'TrasladosDR',
    traslado: 'TrasladoDR',
    retenciones: 'RetencionesDR',
    retencion: 'RetencionDR',
    factor: 'TipoFactorDR',
    impuesto: 'ImpuestoDR',
    tasa: 'TasaOCuotaDR',
    base: 'BaseDR',
    importe: 'ImporteDR',
  },
  P: {
    traslados: 'TrasladosP',
    traslado: 'TrasladoP',
    retenciones: 'RetencionesP',
    retencion: 'RetencionP',
    factor: 'TipoFactorP',
    impuesto: 'ImpuestoP',
    tasa: 'TasaOCuotaP',
    base: 'BaseP',
    importe: 'ImporteP',
  },
} as const

const baseOf = (lines: readonly Impuesto[] | undefined): Decimal | null =>
  lines ? sumDecimals(lines.map((line) => line.base ?? ZERO)) : null

// Withholdings of a document are summed over rates, so their key leaves the rate out.
const lineKeyOf = ({ clase, impuesto, factor, tasa }: Impuesto): string =>
  clase === 'retencion' ? `R${impuesto}` : `T${impuesto}${factor}${tasa ? formatDecimal(tasa) : ''}`
