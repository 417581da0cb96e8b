import { sumDecimals, ZERO } from '../../fiscal/money.ts'
import { signedDecimalOf, textOf } from './attributes.ts'
import type { Comprobante } from './comprobante.ts'
import { childrenOf, type XmlElement } from './xml.ts'

export const TFD = 'http://www.sat.gob.mx/TimbreFiscalDigital'

/** Direct children of the root only: an addenda may carry look-alikes. The schema of 3.3 allows several. */
export const complementosOf = (root: XmlElement): readonly XmlElement[] =>
  childrenOf(root, root.namespace, 'Complemento')

/** Those that carry more than the stamp, which is all that most do. */
export const furtherComplementosOf = (root: XmlElement): readonly XmlElement[] =>
  complementosOf(root).filter(carriesMore)

function carriesMore({ children }: XmlElement): boolean {
  for (const { namespace } of children) if (namespace !== TFD) return true
  return false
}

/** Which complements a document and its concepts carry, in the order of their appearance. All stay in its XML. */
export function namesOfComplementos(root: XmlElement, conceptos: XmlElement | undefined): string[] {
  const names: string[] = []
  for (const complemento of complementosOf(root)) addNames(names, complemento)
  for (const concepto of conceptos?.children ?? []) {
    for (const child of concepto.children) if (child.name === 'ComplementoConcepto') addNames(names, child)
  }
  return names
}

function addNames(names: string[], parent: XmlElement): void {
  for (const { namespace } of parent.children) {
    if (namespace === TFD || names.length >= MAX_NAMES) continue
    const name = nameOf(namespace)
    if (!names.includes(name)) names.push(name)
  }
}

export function readLocales(complementos: readonly XmlElement[]): Comprobante['locales'] {
  if (complementos.length === 0) return null
  const nodes = complementos.flatMap((node) => childrenOf(node, IMPLOCAL, 'ImpuestosLocales'))
  if (nodes.length === 0) return null
  const sum = (name: string) => sumDecimals(nodes.map((node) => signedDecimalOf(node, name) ?? ZERO))
  return { trasladados: sum('TotaldeTraslados'), retenidos: sum('TotaldeRetenciones') }
}

export function readLeyendas(complementos: readonly XmlElement[]): string[] {
  if (complementos.length === 0) return []
  return complementos
    .flatMap((node) => childrenOf(node, LEYENDAS, 'LeyendasFiscales'))
    .flatMap((node) => childrenOf(node, LEYENDAS, 'Leyenda'))
    .map((node) => textOf(node, 'textoLeyenda', 10_000))
    .filter((text) => text !== null)
}

const IMPLOCAL = 'http://www.sat.gob.mx/implocal'
const LEYENDAS = 'http://www.sat.gob.mx/leyendasFiscales'

// A document of nothing but foreign names is somebody's joke, and the names are kept in a row of the database.
const MAX_NAMES = 100

const nameOf = (namespace: string): string => NAMES.get(namespace.toLowerCase()) ?? namespace.slice(0, 200)

const SAT = 'http://www.sat.gob.mx/'
const RETENCION = `${SAT}esquemas/retencionpago/1/`

// Namespaces in lower case: programs write those of some complements both ways.
const NAMES: ReadonlyMap<string, string> = new Map([
  ...Object.entries({
    pagos: 'pagos10',
    pagos20: 'pagos20',
    nomina: 'nomina11',
    nomina12: 'nomina12',
    implocal: 'implocal',
    comercioexterior: 'comercioexterior10',
    comercioexterior11: 'comercioexterior11',
    comercioexterior20: 'comercioexterior20',
    cartaporte: 'cartaporte10',
    cartaporte20: 'cartaporte20',
    cartaporte30: 'cartaporte30',
    cartaporte31: 'cartaporte31',
    leyendasfiscales: 'leyendasfiscales',
    donat: 'donatarias',
    detallista: 'detallista',
    ine: 'ine',
    iedu: 'iedu',
    terceros: 'terceros11',
    divisas: 'divisas',
    aerolineas: 'aerolineas',
    notariospublicos: 'notariospublicos',
    vehiculousado: 'vehiculousado',
    ventavehiculos: 'ventavehiculos',
    registrofiscal: 'registrofiscal',
    pagoenespecie: 'pagoenespecie',
    valesdedespensa: 'valesdedespensa',
    consumodecombustibles: 'consumodecombustibles10',
    consumodecombustibles11: 'consumodecombustibles11',
    ecc: 'estadodecuentacombustible10',
    estadodecuentacombustible: 'estadodecuentacombustible11',
    estadodecuentacombustible12: 'estadodecuentacombustible12',
    renovacionysustitucionvehiculos: 'renovacionysustitucionvehiculos',
    certificadodestruccion: 'certificadodestruccion',
    arteantiguedades: 'arteantiguedades',
    servicioparcialconstruccion: 'servicioparcialconstruccion',
    gastoshidrocarburos10: 'gastoshidrocarburos10',
    ingresoshidrocarburos10: 'ingresoshidrocarburos10',
    turistapasajeroextranjero: 'turistapasajeroextranjero',
    acreditamiento: 'acreditamientoieps',
    psgecfd: 'prestadoresdeservicios',
    spei: 'spei',
  }).map(([end, name]) => [SAT + end, name] as const),
  ...[
    'arrendamientoenfideicomiso',
    'dividendos',
    'enajenaciondeacciones',
    'fideicomisonoempresarial',
    'intereses',
    'intereseshipotecarios',
    'operacionesconderivados',
    'pagosaextranjeros',
    'planesderetiro',
    'planesderetiro11',
    'plataformastecnologicas10',
    'premios',
    'sectorfinanciero',
  ].map((name) => [RETENCION + name, name] as const),
])
