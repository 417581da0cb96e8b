import { compareDecimals, type Decimal, sumDecimals, ZERO } from '../../fiscal/money.ts'
import { complementosOf } from '../read/complementos.ts'
import type { Cfdi } from '../read/comprobante.ts'
import type { Impuesto } from '../read/impuestos.ts'
import type { XmlElement } from '../read/xml.ts'
import { conNombre, nombreDe } from './catalogos.ts'
import { cifra, porcentaje } from './cifras.ts'
import { ACCENT, GREY, type Hoja, leading, type Style } from './hoja.ts'
import { importeConLetra } from './importe-con-letra.ts'

/** What it comes to, in figures and in words. */
export function drawTotales(hoja: Hoja, cfdi: Cfdi, root: XmlElement): void {
  // Neither has an amount of its own: a receipt says them in its payments.
  if (cfdi.tipo === 'P' || cfdi.tipo === 'T') return
  if (cfdi.tipo === 'R') {
    drawRetencion(hoja, cfdi)
    return
  }
  const lines = linesOf(cfdi, root)
  const words = importeConLetra(cfdi.total, cfdi.moneda)
  drawSuma(hoja, lines, `Total ${cfdi.moneda}`, cfdi.total, words)
}

type Line = readonly [label: string, amount: Decimal]

const LABEL: Style = { size: 7.8, color: GREY }
const AMOUNT: Style = { size: 8.2 }
const TOTAL: Style = { size: 10.5, bold: true, color: ACCENT }
const WORDS: Style = { size: 8, bold: true }

/** Amounts at the right margin, and at the left what the total is in words. */
function drawSuma(hoja: Hoja, lines: readonly Line[], label: string, total: Decimal, words: string | null): void {
  const width = 230
  const x = hoja.left + hoja.width - width - 4
  const said = words === null ? [] : hoja.wrap(`(${words})`, hoja.width - width - 30, WORDS)
  const step = leading(AMOUNT) + 0.6
  // The last amounts and the total stay together with what they are in words.
  hoja.need(Math.min(lines.length, 8) * step + 30)
  hoja.y += 5
  if (said.length > 0) {
    hoja.put('Importe con letra', hoja.left + 4, hoja.y, { size: 6, color: GREY })
    hoja.block(said, { x: hoja.left + 4, y: hoja.y + 8, width: hoja.width }, WORDS)
  }
  const least = hoja.y + 8 + said.length * leading(WORDS)
  for (const [name, amount] of lines) {
    hoja.need(step)
    hoja.block(hoja.wrap(name, width - 90, LABEL, 1), { x, y: hoja.y, width }, LABEL)
    hoja.block([cifra(amount)], { x, y: hoja.y, width }, AMOUNT, 'right')
    hoja.y += step
  }
  hoja.need(20)
  hoja.doc
    .moveTo(x, hoja.y + 1)
    .lineTo(x + width, hoja.y + 1)
    .lineWidth(0.8)
    .strokeColor(ACCENT)
    .stroke()
  hoja.y += 3
  hoja.put(label, x, hoja.y, TOTAL)
  hoja.block([cifra(total)], { x, y: hoja.y, width }, TOTAL, 'right')
  hoja.y = Math.max(hoja.y + leading(TOTAL), Math.min(least, hoja.y + 60)) + 2
}

function linesOf(cfdi: Cfdi, root: XmlElement): Line[] {
  const { subtotal, descuento, impuestos } = cfdi
  return [
    ['Subtotal', subtotal],
    ...(descuento ? [['Descuento', descuento] as const] : []),
    ...impuestos.filter(({ clase }) => clase === 'traslado').map(lineOf),
    ...localesOf(root, 'TrasladosLocales', 'ImpLocTrasladado', 'TasadeTraslado'),
    ...impuestos.filter(({ clase }) => clase === 'retencion').map(lineOf),
    ...localesOf(root, 'RetencionesLocales', 'ImpLocRetenido', 'TasadeRetencion', 'Retención '),
  ]
}

function lineOf({ clase, impuesto, factor, tasa, base, importe }: Impuesto): Line {
  const name = `${clase === 'retencion' ? 'Retención ' : ''}${nombreDe('impuesto', impuesto)}`
  if (factor === 'Exento') return [`${name} exento (base ${cifra(base ?? ZERO)})`, importe]
  return [
    `${name}${tasa === null ? '' : factor === 'Cuota' ? ` cuota ${cifra(tasa)}` : ` ${porcentaje(tasa)}`}`,
    importe,
  ]
}

/** Each local tax by its own name. An amount that is no number is left to the XML, as the reader did with its sums. */
function localesOf(root: XmlElement, node: string, name: string, rate: string, before = ''): Line[] {
  return complementosOf(root)
    .flatMap(({ children }) => children)
    .filter(({ namespace }) => namespace === 'http://www.sat.gob.mx/implocal')
    .flatMap(({ children }) => children)
    .filter((line) => line.name === node)
    .flatMap((line): Line[] => {
      const match = /^(-?)(\d{1,18})(?:\.(\d{1,6}))?$/.exec(line.get('Importe') ?? '')
      if (!match) return []
      const [, sign = '', whole = '', decimals = ''] = match
      const units = BigInt(`${sign}${whole}${decimals}`)
      return [
        [`${before}${line.get(name) ?? 'Impuesto local'} ${line.get(rate) ?? ''}%`, { units, places: decimals.length }],
      ]
    })
}

function drawRetencion(hoja: Hoja, { retencion, moneda }: Cfdi): void {
  if (!retencion) return
  const { clave, descripcion, ejercicio, mesInicial, mesFinal, lineas } = retencion
  hoja.heading('Retención')
  const month = (n: number | null) => n !== null && nombreDe('meses', String(n).padStart(2, '0'))
  const months = mesInicial === mesFinal ? [month(mesInicial)] : [month(mesInicial), month(mesFinal)]
  hoja.pairs([
    ['Clave de la retención', conNombre('retencion', clave)],
    ['Descripción', descripcion],
    ['Periodo', [months.filter(Boolean).join(' a '), ejercicio].filter(Boolean).join(' ')],
  ])
  hoja.table(
    [
      { title: 'Impuesto', share: 20 },
      { title: 'Tipo de pago', share: 40 },
      { title: 'Base', share: 20, align: 'right' },
      { title: 'Monto retenido', share: 20, align: 'right' },
    ],
    lineas.map(({ impuesto, tipoPago, base, importe }) => ({
      cells: [impuesto && nombreDe('impuesto', impuesto), tipoPago, base && cifra(base), cifra(importe)],
    })),
  )
  const { montoOperacion, montoGravado, montoExento, montoRetenido } = retencion
  const lines: Line[] = [
    ['Monto de la operación', montoOperacion],
    ...(montoGravado ? [['Monto gravado', montoGravado] as const] : []),
    ...(montoExento ? [['Monto exento', montoExento] as const] : []),
  ]
  drawSuma(hoja, lines, 'Total retenido', montoRetenido, importeConLetra(montoRetenido, moneda))
  const taxes = sumDecimals(lineas.map(({ importe }) => importe))
  if (compareDecimals(taxes, montoRetenido) !== 0 && lineas.length > 0)
    hoja.paragraph(`Sus líneas suman ${cifra(taxes)}.`, { size: 7, color: GREY })
}
