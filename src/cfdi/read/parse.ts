import { badVersion, manyTimbres, noTimbre, notCfdi, repeated } from '../errors.ts'
import { base64Of, fechaOf, textOf, uuidOf } from './attributes.ts'
import { readCfdi32 } from './cfdi32.ts'
import { readCfdi } from './cfdi33-40.ts'
import { complementosOf, TFD } from './complementos.ts'
import type { Cfdi, Comprobante } from './comprobante.ts'
import { readDocument } from './repair.ts'
import { readRetenciones } from './retenciones.ts'
import { childrenOf, type OnlyChild, type XmlElement } from './xml.ts'

/**
 * Reads one stamped document: CFDI 3.2, 3.3 and 4.0 of any type, Retenciones 1.0 and 2.0. Whole or not at all: whatever
 * cannot be read for certain refuses it; what had to be mended around it is told in `reparaciones`. The seal is not verified and totals may not square; `avisosOf` tells of the latter.
 * @throws AppError `cfdi.*` (invalid, too_large)
 */
export function parseCfdi(xml: Uint8Array): Cfdi {
  const { root, reparaciones } = readDocument(xml)
  const comprobante = readComprobante(root)
  const timbre = onlyTimbreOf(root)
  // Added to the one that was just made, which nobody else holds: a copy of its thirty-odd fields takes longer.
  const cfdi = comprobante as { -readonly [K in keyof Cfdi]: Cfdi[K] }
  cfdi.uuid = uuidOf(timbre, 'UUID')
  cfdi.fechaTimbrado = fechaOf(timbre, 'FechaTimbrado')
  cfdi.rfcPac = textOf(timbre, 'RfcProvCertif', 100)
  cfdi.timbre = readTimbre(timbre)
  cfdi.xml = xml
  cfdi.reparaciones = reparaciones
  return cfdi
}

/** Reads the document itself, stamped or not. */
export function readComprobante(root: XmlElement): Comprobante {
  const one: OnlyChild = (name) => {
    let found: XmlElement | undefined
    for (const child of root.children) {
      if (child.name !== name || child.namespace !== root.namespace) continue
      if (found) throw repeated(name)
      found = child
    }
    return found
  }
  const version = readVersion(root)
  if (version === '1.0' || version === '2.0') return readRetenciones(root, version, one)
  return version === '3.2' ? readCfdi32(root, one) : readCfdi(root, version, one)
}

interface Written {
  readonly root: string
  readonly attribute: string
  readonly version: Comprobante['version']
}

const VERSIONS: ReadonlyMap<string, readonly Written[]> = new Map<string, readonly Written[]>([
  ['http://www.sat.gob.mx/cfd/4', [{ root: 'Comprobante', attribute: 'Version', version: '4.0' }]],
  [
    // 3.2 lives in the namespace of 3.3 and writes its attributes in lower case.
    'http://www.sat.gob.mx/cfd/3',
    [
      { root: 'Comprobante', attribute: 'Version', version: '3.3' },
      { root: 'Comprobante', attribute: 'version', version: '3.2' },
    ],
  ],
  ['http://www.sat.gob.mx/esquemas/retencionpago/1', [{ root: 'Retenciones', attribute: 'Version', version: '1.0' }]],
  ['http://www.sat.gob.mx/esquemas/retencionpago/2', [{ root: 'Retenciones', attribute: 'Version', version: '2.0' }]],
])

function readVersion(root: XmlElement): Comprobante['version'] {
  const known = VERSIONS.get(root.namespace)
  if (root.name !== known?.[0]?.root) throw notCfdi(`{${root.namespace}}${root.name}`)
  const written = known.find(({ attribute }) => root.get(attribute) !== undefined)
  const version = written && root.get(written.attribute)
  if (version !== written?.version) throw badVersion(version)
  if (!written) throw badVersion(undefined)
  return written.version
}

function onlyTimbreOf(root: XmlElement): XmlElement {
  let timbre: XmlElement | undefined
  for (const complemento of complementosOf(root)) {
    for (const found of childrenOf(complemento, TFD, 'TimbreFiscalDigital')) {
      if (timbre) throw manyTimbres()
      timbre = found
    }
  }
  if (!timbre) throw noTimbre()
  return timbre
}

function readTimbre(timbre: XmlElement): Cfdi['timbre'] {
  // 1.0, of CFDI 3.2, begins its attributes in lower case.
  const named = (name: string) => (timbre.get(name) === undefined ? name[0]!.toLowerCase() + name.slice(1) : name)
  return {
    version: textOf(timbre, named('Version'), 10),
    noCertificadoSat: textOf(timbre, named('NoCertificadoSAT'), 100),
    selloCfd: base64Of(timbre, named('SelloCFD')),
    selloSat: base64Of(timbre, named('SelloSAT')),
    leyenda: textOf(timbre, 'Leyenda'),
  }
}
