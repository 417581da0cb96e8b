import type { Cfdi } from '../read/comprobante.ts'
import type { Concepto, Impuesto } from '../read/impuestos.ts'
import { childrenOf, type XmlElement } from '../read/xml.ts'
import { conNombre, nombreDe } from './catalogos.ts'
import { cifra, porcentaje } from './cifras.ts'
import { datosDe } from './datos.ts'
import type { Column, Hoja, Row } from './hoja.ts'

/** What was sold, a row each, with its taxes below. */
export function drawConceptos(hoja: Hoja, cfdi: Cfdi, root: XmlElement): void {
  const { lineas } = cfdi.conceptos
  if (lineas.length === 0) return
  hoja.heading(lineas.length === 1 ? 'Concepto' : `Conceptos (${lineas.length.toLocaleString('es-MX')})`)
  const columns = COLUMNS.filter(({ wanted = () => true }) => wanted(lineas))
  const nodes = childrenOf(childrenOf(root, root.namespace, 'Conceptos')[0], root.namespace, 'Concepto')
  hoja.table(columns, rowsOf(lineas, nodes, columns), {
    notesAt: columns.findIndex(({ title }) => title === 'Descripción'),
  })
}

/** `IVA 16% sobre 100.00: 16.00`, and of what is not moved that it is withheld. */
export function lineaDeImpuesto({ clase, impuesto, factor, tasa, base, importe }: Impuesto): string {
  const name = `${clase === 'retencion' ? 'Retención ' : ''}${nombreDe('impuesto', impuesto)}`
  const over = base ? ` sobre ${cifra(base)}` : ''
  if (factor === 'Exento') return `${name} exento${over}`
  const rate = tasa === null ? '' : factor === 'Cuota' ? ` cuota ${cifra(tasa)}` : ` ${porcentaje(tasa)}`
  return `${name}${rate}${over}: ${cifra(importe)}`
}

interface ConceptColumn extends Column {
  readonly value: (concepto: Concepto) => string | null
  /** Left out where no concept has it. */
  readonly wanted?: (lineas: readonly Concepto[]) => boolean
}

const COLUMNS: readonly ConceptColumn[] = [
  {
    title: 'Clave SAT',
    share: 9,
    value: ({ claveProdServ }) => claveProdServ,
    wanted: (lineas) => lineas.some(({ claveProdServ }) => claveProdServ !== null),
  },
  {
    title: 'No. ident.',
    share: 10,
    value: ({ noIdentificacion }) => noIdentificacion,
    wanted: (lineas) => lineas.some(({ noIdentificacion }) => noIdentificacion !== null),
  },
  {
    title: 'Cantidad',
    share: 8,
    align: 'right',
    value: ({ cantidad }) => cantidad && cifra(cantidad, 0),
    wanted: (lineas) => lineas.some(({ cantidad }) => cantidad !== null),
  },
  {
    title: 'Unidad',
    share: 11,
    value: ({ claveUnidad, unidad }) =>
      claveUnidad && unidad ? `${claveUnidad} ${unidad}` : (conNombre('unidad', claveUnidad) ?? unidad),
  },
  { title: 'Descripción', share: 40, value: ({ descripcion }) => descripcion },
  {
    title: 'Valor unitario',
    share: 12,
    align: 'right',
    value: ({ valorUnitario }) => valorUnitario && cifra(valorUnitario),
  },
  {
    title: 'Descuento',
    share: 10,
    align: 'right',
    value: ({ descuento }) => descuento && cifra(descuento),
    wanted: (lineas) => lineas.some(({ descuento }) => descuento !== null),
  },
  { title: 'Importe', share: 12, align: 'right', value: ({ importe }) => cifra(importe) },
]

function* rowsOf(
  lineas: readonly Concepto[],
  nodes: readonly XmlElement[],
  columns: readonly ConceptColumn[],
): Generator<Row> {
  for (const [n, concepto] of lineas.entries())
    yield { cells: columns.map(({ value }) => value(concepto)), notes: notesOf(concepto, nodes[n]) }
}

function notesOf(concepto: Concepto, node: XmlElement | undefined): string[] {
  const taxes = concepto.impuestos.map(lineaDeImpuesto).join(' · ')
  const objeto = concepto.objetoImp === '02' ? null : conNombre('objeto', concepto.objetoImp)
  const notes = [taxes, objeto === null ? '' : `Objeto de impuesto: ${objeto}`].filter((note) => note !== '')
  // Customs, property, parts, whom it is sold for, and what complements of the concept say.
  for (const child of node?.children ?? []) {
    if (child.name === 'Impuestos') continue
    if (child.name === 'ACuentaTerceros') {
      notes.push(`A cuenta de ${tercero(child)}`)
      continue
    }
    for (const { nombre, valores } of datosDe(child, MOST_NOTES)) notes.push(`${nombre}: ${valores}`)
  }
  return notes
}

function tercero(node: XmlElement): string {
  const [rfc, nombre, regimen, domicilio] = ['Rfc', 'Nombre', 'RegimenFiscal', 'DomicilioFiscal'].map((name) =>
    node.get(`${name}ACuentaTerceros`),
  )
  return [nombre, rfc && `RFC ${rfc}`, conNombre('regimen', regimen), domicilio && `C.P. ${domicilio}`]
    .filter(Boolean)
    .join(' · ')
}

const MOST_NOTES = 60
