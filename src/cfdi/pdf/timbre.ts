import { complementosOf, TFD } from '../read/complementos.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { childrenOf, type XmlElement } from '../read/xml.ts'
import { cadenaDelTimbre } from '../verify/cadena-original.ts'
import { ACCENT, GREY, type Hoja, leading, type Style } from './hoja.ts'
import { drawQr } from './qr.ts'
import { direccionDeCartaPorte, direccionDeVerificacion } from './verificacion.ts'

/** What proves it: the code to look it up with, who certified it and the seals. Kept together on one page. */
export function drawTimbre(hoja: Hoja, cfdi: Cfdi, root: XmlElement): void {
  const [timbre] = complementosOf(root).flatMap((node) => childrenOf(node, TFD, 'TimbreFiscalDigital'))
  const x = hoja.left + SIDE + 12
  const width = hoja.width - SIDE - 16
  const texts: [string, string[], Style][] = [
    ['Folio fiscal', [cfdi.uuid.toUpperCase()], DATUM],
    [
      'Certificación',
      hoja.wrap(
        [
          cfdi.fechaTimbrado.replace('T', ' '),
          cfdi.rfcPac && `PAC ${cfdi.rfcPac}`,
          cfdi.timbre.noCertificadoSat && `certificado del SAT ${cfdi.timbre.noCertificadoSat}`,
        ]
          .filter(Boolean)
          .join(' · '),
        width,
        DATUM,
        3,
      ),
      DATUM,
    ],
    ['Leyenda', cfdi.timbre.leyenda ? hoja.wrap(cfdi.timbre.leyenda, width, DATUM, 3) : [], DATUM],
    ['Sello digital del CFDI', sealed(hoja, cfdi.sello ?? cfdi.timbre.selloCfd, width), SEAL],
    ['Sello digital del SAT', sealed(hoja, cfdi.timbre.selloSat, width), SEAL],
    ['Cadena original del complemento de certificación', sealed(hoja, timbre && cadenaDelTimbre(timbre), width), SEAL],
  ]
  const some = texts.filter(([, lines]) => lines.length > 0)
  const height = some.reduce((sum, [, lines, style]) => sum + leading(LABEL) + lines.length * leading(style) + 2, 0)
  const codes = cartaPorteOf(cfdi, root)
  hoja.need(Math.max(height, SIDE + 12 + (codes ? SIDE + 14 : 0)) + 24)
  hoja.heading('Timbre fiscal digital')
  const top = hoja.y + 2
  drawCode(hoja, direccionDeVerificacion(cfdi), 'Verifica este CFDI en el SAT', top)
  if (codes) drawCode(hoja, codes, 'Verifica la Carta Porte', top + SIDE + 14)
  let y = top
  for (const [label, lines, style] of some) {
    hoja.put(label, x, y, LABEL)
    y = hoja.block(lines, { x, y: y + leading(LABEL), width }, style) + 2
  }
  hoja.y = Math.max(y, top + SIDE + 10 + (codes ? SIDE + 14 : 0))
}

/** 3 cm; the SAT asks for 2.75 at least. */
const SIDE = 85
const LABEL: Style = { size: 6, bold: true, color: ACCENT }
const DATUM: Style = { size: 7 }
const SEAL: Style = { size: 5.4 }

function drawCode(hoja: Hoja, address: string, label: string, y: number): void {
  drawQr(hoja.doc, address, { x: hoja.left, y, side: SIDE })
  hoja.doc.link(hoja.left, y, SIDE, SIDE, address)
  hoja.put(label, hoja.left, y + SIDE + 1, { size: 5.6, color: GREY })
}

// A seal of 2048 bits has 344 letters; what is much longer than that is none, and its end is what the SAT asks for.
const sealed = (hoja: Hoja, text: string | null | undefined, width: number): string[] =>
  text ? hoja.wrap(text, width, SEAL, 14) : []

function cartaPorteOf({ fechaTimbrado }: Cfdi, root: XmlElement): string | null {
  const [carta] = complementosOf(root)
    .flatMap(({ children }) => children)
    .filter(({ name, namespace }) => name === 'CartaPorte' && namespace.startsWith('http://www.sat.gob.mx/CartaPorte3'))
  const idCcp = carta?.get('IdCCP')
  const origin = carta?.children
    .flatMap(({ children }) => children)
    .find((one) => one.name === 'Ubicacion' && one.get('TipoUbicacion') === 'Origen')
  const fechaOrigen = origin?.get('FechaHoraSalidaLlegada')
  if (!idCcp || !fechaOrigen || idCcp.length > 60 || fechaOrigen.length > 30) return null
  return direccionDeCartaPorte({ idCcp, fechaOrigen, fechaTimbrado })
}
