import type { Cfdi } from '../read/comprobante.ts'
import { readDocument } from '../read/repair.ts'
import type { XmlElement } from '../read/xml.ts'
import { drawComplementos } from './complementos.ts'
import { drawConceptos } from './conceptos.ts'
import { drawEncabezado, TITULOS } from './encabezado.ts'
import { tooManyPages } from './errors.ts'
import { createHoja, GREY, type Hoja, PAGE, RULE } from './hoja.ts'
import { drawTimbre } from './timbre.ts'
import { drawTotales } from './totales.ts'

/**
 * The printed form of a CFDI, letter size: what Anexo 20 asks of one (I.D and rule 2.7.1.7 of the RMF) and everything else
 * that the document says. The same document in the same state has the same bytes.
 *
 * Works without a pause, some milliseconds per page: whoever serves others meanwhile prints through a press (press.ts).
 * @throws AppError cfdi.pdf_too_large
 */
export async function renderPdf(cfdi: Cfdi, extra: { estado: 'vigente' | 'cancelado' }): Promise<Buffer> {
  if (cfdi.conceptos.count > MOST_CONCEPTOS) throw tooManyPages()
  const { root } = readDocument(cfdi.xml)
  const hoja = createHoja({
    title: `${TITULOS[cfdi.tipo]} ${cfdi.uuid.toUpperCase()}`,
    author: cfdi.emisor.rfc,
    created: new Date(`${cfdi.fechaTimbrado}-06:00`),
  })
  const written = bytesOf(hoja.doc)
  draw(hoja, cfdi, root)
  finishPages(hoja, cfdi, extra.estado)
  hoja.doc.end()
  return written
}

/** Some thousand pages. A larger one is nobody's to read on paper: its XML says it all. */
export const MOST_CONCEPTOS = 20_000

function draw(hoja: Hoja, cfdi: Cfdi, root: XmlElement): void {
  drawEncabezado(hoja, cfdi, root)
  if (cfdi.tipo !== 'R') drawConceptos(hoja, cfdi, root)
  drawTotales(hoja, cfdi, root)
  drawComplementos(hoja, cfdi, root)
  drawTimbre(hoja, cfdi, root)
}

/** How many there are is known at the end. */
function finishPages(hoja: Hoja, cfdi: Cfdi, estado: 'vigente' | 'cancelado'): void {
  const { doc, left, width } = hoja
  const { count } = doc.bufferedPageRange()
  const kind = cfdi.tipo === 'R' ? 'un CFDI de retenciones e información de pagos' : 'un CFDI'
  for (let n = 0; n < count; n++) {
    doc.switchToPage(n)
    const y = PAGE.height - 30
    doc
      .moveTo(left, y - 3)
      .lineTo(left + width, y - 3)
      .lineWidth(0.4)
      .strokeColor(RULE)
      .stroke()
    const style = { size: 6.4, color: GREY }
    hoja.put(`Este documento es una representación impresa de ${kind} · ${cfdi.uuid.toUpperCase()}`, left, y, style)
    hoja.block([`Página ${n + 1} de ${count}`], { x: left, y, width }, style, 'right')
    if (estado === 'cancelado') drawWatermark(hoja)
  }
}

function drawWatermark({ doc, put, measure }: Hoja): void {
  const style = { size: 96, bold: true, color: '#b3261e' }
  doc.save()
  doc.fillOpacity(0.2)
  doc.rotate(-52, { origin: [PAGE.width / 2, PAGE.height / 2] })
  put('CANCELADO', (PAGE.width - measure('CANCELADO', style)) / 2, PAGE.height / 2 - 65, style)
  doc.restore()
}

function bytesOf(doc: PDFKit.PDFDocument): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    doc.on('data', (chunk: Buffer) => chunks.push(chunk))
    doc.on('end', () => resolve(Buffer.concat(chunks)))
    doc.on('error', reject)
  })
}
