import type { Decimal } from '../../fiscal/money.ts'
import { complementosOf, TFD } from '../read/complementos.ts'
import type { Cfdi, LineaNomina, Nomina } from '../read/comprobante.ts'
import type { Pago } from '../read/pagos.ts'
import type { XmlElement } from '../read/xml.ts'
import { conNombre } from './catalogos.ts'
import { cifra } from './cifras.ts'
import { lineaDeImpuesto } from './conceptos.ts'
import { datosDe, enPalabras } from './datos.ts'
import { GREY, type Hoja } from './hoja.ts'
import { importeConLetra } from './importe-con-letra.ts'

/** Payments and payrolls in tables of their own, legends as they are, and every other complement whole, line by line. */
export function drawComplementos(hoja: Hoja, cfdi: Cfdi, root: XmlElement): void {
  const nodes = complementosOf(root).flatMap(({ children }) => children)
  const pagos = nodes
    .filter(({ name, namespace }) => name === 'Pagos' && PAGOS.test(namespace))
    .flatMap(({ children }) => children.filter(({ name }) => name === 'Pago'))
  for (const [n, pago] of (cfdi.pagos?.pagos ?? []).entries()) drawPago(hoja, pago, pagos[n], n)
  for (const nomina of cfdi.nominas) drawNomina(hoja, nomina)
  for (const node of nodes) {
    const drawn = DRAWN.has(node.namespace) || (cfdi.nominas.length > 0 && node.name === 'Nomina')
    if (node.namespace === TFD || drawn || PAGOS.test(node.namespace)) continue
    drawAsItIs(hoja, node)
  }
  if (cfdi.leyendas.length === 0) return
  hoja.heading('Leyendas fiscales')
  for (const leyenda of cfdi.leyendas) hoja.paragraph(leyenda, { size: 7.4 })
}

const PAGOS = /^http:\/\/www\.sat\.gob\.mx\/Pagos(20)?$/
const DRAWN: ReadonlySet<string> = new Set(['http://www.sat.gob.mx/implocal', 'http://www.sat.gob.mx/leyendasFiscales'])

function drawPago(hoja: Hoja, pago: Pago, node: XmlElement | undefined, n: number): void {
  const { fecha, formaPago, moneda, tipoCambio, monto, numOperacion, documentos } = pago
  hoja.heading(`Pago ${n + 1}`)
  hoja.pairs([
    ['Fecha de pago', fecha.replace('T', ' ')],
    ['Forma de pago', conNombre('forma', formaPago)],
    ['Monto', `${cifra(monto)} ${moneda}`],
    ['Tipo de cambio', moneda === 'MXN' ? null : cifra(tipoCambio, 4)],
    ['Número de operación', numOperacion],
    ['RFC del banco ordenante', node?.get('RfcEmisorCtaOrd')],
    ['Banco ordenante', node?.get('NomBancoOrdExt')],
    ['Cuenta ordenante', node?.get('CtaOrdenante')],
    ['RFC del banco beneficiario', node?.get('RfcEmisorCtaBen')],
    ['Cuenta beneficiaria', node?.get('CtaBeneficiario')],
  ])
  const words = importeConLetra(monto, moneda)
  if (words) hoja.paragraph(`(${words})`, { size: 7.6, bold: true })
  const named = node?.children.filter(({ name }) => name === 'DoctoRelacionado') ?? []
  hoja.y += 3
  hoja.table(
    [
      { title: 'Documento pagado', share: 40 },
      { title: 'Parcialidad', share: 9, align: 'right' },
      { title: 'Saldo anterior', share: 15, align: 'right' },
      { title: 'Pagado', share: 15, align: 'right' },
      { title: 'Saldo insoluto', share: 15, align: 'right' },
      { title: 'Moneda', share: 9 },
    ],
    documentos.map((one, i) => ({
      cells: [
        one.id.toUpperCase(),
        one.parcialidad,
        one.saldoAnterior && cifra(one.saldoAnterior),
        cifra(one.pagado),
        one.saldoInsoluto && cifra(one.saldoInsoluto),
        one.moneda,
      ],
      notes: notesOf(one, named[i], moneda),
    })),
  )
  if (pago.impuestos.length > 0)
    hoja.paragraph(`Impuestos del pago: ${pago.impuestos.map(lineaDeImpuesto).join(' · ')}`, { size: 6.6, color: GREY })
}

function notesOf(documento: Pago['documentos'][number], node: XmlElement | undefined, moneda: string): string[] {
  const folio = [node?.get('Serie'), node?.get('Folio')].filter(Boolean).join(' ')
  return [
    folio && `Serie y folio: ${folio}`,
    documento.moneda === moneda
      ? ''
      : `Equivalencia: ${cifra(documento.equivalencia, 4)} ${documento.moneda} por ${moneda}`,
    documento.objetoImp && documento.objetoImp !== '02'
      ? `Objeto de impuesto: ${conNombre('objeto', documento.objetoImp)}`
      : '',
    documento.impuestos.map(lineaDeImpuesto).join(' · '),
  ].filter((note) => note !== '')
}

function drawNomina(hoja: Hoja, nomina: Nomina): void {
  const { empleado } = nomina
  hoja.heading(`Nómina ${nomina.version ?? ''}`.trim())
  const money = (value: Decimal | null) => value && cifra(value)
  hoja.pairs([
    ['Tipo de nómina', conNombre('tipoNomina', nomina.tipo)],
    ['Fecha de pago', nomina.fechaPago],
    ['Periodo de pago', [nomina.fechaInicialPago, nomina.fechaFinalPago].filter(Boolean).join(' a ')],
    ['Días pagados', nomina.diasPagados && cifra(nomina.diasPagados, 0)],
    ['CURP', empleado.curp],
    ['Número de seguridad social', empleado.numSeguridadSocial],
    ['Número de empleado', empleado.numEmpleado],
    ['Registro patronal', nomina.registroPatronal],
    ['Departamento', empleado.departamento],
    ['Puesto', empleado.puesto],
    ['Tipo de contrato', conNombre('contrato', empleado.tipoContrato)],
    ['Tipo de régimen', conNombre('regimenNomina', empleado.tipoRegimen)],
    ['Periodicidad de pago', conNombre('periodicidadPago', empleado.periodicidadPago)],
    ['Salario base de cotización', money(empleado.salarioBase)],
    ['Salario diario integrado', money(empleado.salarioDiario)],
  ])
  const of = (clase: LineaNomina['clase']) => nomina.lineas.filter((linea) => linea.clase === clase)
  const key = [
    { title: 'Tipo', share: 8 },
    { title: 'Clave', share: 12 },
  ]
  const cells = ({ tipo, clave, concepto }: LineaNomina) => [tipo, clave, concepto]
  if (of('percepcion').length > 0)
    hoja.table(
      [
        ...key,
        { title: 'Percepción', share: 42 },
        { title: 'Gravado', share: 14, align: 'right' },
        { title: 'Exento', share: 14, align: 'right' },
        { title: 'Importe', share: 14, align: 'right' },
      ],
      of('percepcion').map((linea) => ({
        cells: [...cells(linea), money(linea.gravado), money(linea.exento), cifra(linea.importe)],
      })),
    )
  const plain = (title: string, lineas: LineaNomina[]) => {
    if (lineas.length === 0) return
    hoja.y += 3
    hoja.table(
      [...key, { title, share: 70 }, { title: 'Importe', share: 14, align: 'right' }],
      lineas.map((linea) => ({ cells: [...cells(linea), cifra(linea.importe)] })),
    )
  }
  plain('Deducción', of('deduccion'))
  plain('Otro pago', of('otro_pago'))
  hoja.pairs([
    ['Total de percepciones', money(nomina.totalPercepciones)],
    ['Total de deducciones', money(nomina.totalDeducciones)],
    ['Total de otros pagos', money(nomina.totalOtrosPagos)],
    ['ISR retenido', cifra(nomina.isrRetenido)],
  ])
}

function drawAsItIs(hoja: Hoja, node: XmlElement): void {
  hoja.heading(`Complemento ${enPalabras(node.name)}`)
  hoja.table(
    [
      { title: 'Parte', share: 20 },
      { title: 'Datos', share: 80 },
    ],
    datosDe(node, MOST_LINES).map(({ nombre, valores }) => ({ cells: [nombre, valores] })),
  )
}

/** Ten pages of it: a Carta Porte may name thousands of goods. */
const MOST_LINES = 400
