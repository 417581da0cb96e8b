import { type Decimal, sumDecimals, ZERO } from '../../fiscal/money.ts'
import { amountOf, codeOf, decimalOf, fechaCivilOf, path, required, textOf } from './attributes.ts'
import type { LineaNomina, Nomina } from './comprobante.ts'
import { childrenOf, type XmlElement } from './xml.ts'

/** Every payroll among the complements: 1.2, and the 1.1 of CFDI 3.2. More than one is legal. */
export function readNominas(complementos: readonly XmlElement[]): Nomina[] {
  if (complementos.length === 0) return []
  return complementos.flatMap((complemento) =>
    complemento.children
      .filter(({ name, namespace }) => name === 'Nomina' && (namespace === NOMINA12 || namespace === NOMINA11))
      .map(readNomina),
  )
}

const NOMINA12 = 'http://www.sat.gob.mx/nomina12'
const NOMINA11 = 'http://www.sat.gob.mx/nomina'

function readNomina(node: XmlElement): Nomina {
  // 1.1 says of one node what 1.2 says of an emisor and a receptor.
  const [receptor = node] = childrenOf(node, node.namespace, 'Receptor')
  const [emisor = node] = childrenOf(node, node.namespace, 'Emisor')
  const groups = (name: string) => childrenOf(node, node.namespace, name)
  const percepciones = groups('Percepciones')
  const deducciones = groups('Deducciones')
  const lineas = [
    ...linesOf(percepciones, 'Percepcion', readPercepcion),
    ...linesOf(deducciones, 'Deduccion', readDeduccion),
    ...linesOf(groups('OtrosPagos'), 'OtroPago', readOtroPago),
  ]
  const isr = lineas.filter(({ clase, tipo }) => clase === 'deduccion' && tipo === '002')
  return {
    version: textOf(node, 'Version', 10),
    tipo: codeOf(node, 'TipoNomina'),
    fechaPago: fechaCivilOf(node, 'FechaPago'),
    fechaInicialPago: fechaCivilOf(node, 'FechaInicialPago'),
    fechaFinalPago: fechaCivilOf(node, 'FechaFinalPago'),
    diasPagados: decimalOf(node, 'NumDiasPagados'),
    registroPatronal: textOf(emisor, 'RegistroPatronal', 100),
    empleado: {
      curp: textOf(receptor, node.namespace === NOMINA11 ? 'CURP' : 'Curp', 100),
      numSeguridadSocial: textOf(receptor, 'NumSeguridadSocial', 100),
      numEmpleado: textOf(receptor, 'NumEmpleado', 100),
      departamento: textOf(receptor, 'Departamento'),
      puesto: textOf(receptor, 'Puesto'),
      tipoContrato: textOf(receptor, 'TipoContrato', 100),
      tipoRegimen: textOf(receptor, 'TipoRegimen', 100),
      periodicidadPago: textOf(receptor, 'PeriodicidadPago', 100),
      salarioBase: decimalOf(receptor, 'SalarioBaseCotApor'),
      salarioDiario: decimalOf(receptor, 'SalarioDiarioIntegrado'),
    },
    totalPercepciones: decimalOf(node, 'TotalPercepciones') ?? sumOf11(node, lineas, 'percepcion'),
    totalGravado: totalOf(percepciones, 'TotalGravado'),
    totalExento: totalOf(percepciones, 'TotalExento'),
    totalDeducciones: decimalOf(node, 'TotalDeducciones') ?? sumOf11(node, lineas, 'deduccion'),
    totalOtrosPagos: decimalOf(node, 'TotalOtrosPagos'),
    isrRetenido: sumDecimals(isr.map(({ importe }) => importe)),
    lineas,
  }
}

const linesOf = (groups: readonly XmlElement[], name: string, read: (line: XmlElement) => LineaNomina) =>
  groups.flatMap((group) => childrenOf(group, group.namespace, name).map(read))

function readPercepcion(line: XmlElement): LineaNomina {
  const gravado = amountOf(line, 'ImporteGravado')
  const exento = amountOf(line, 'ImporteExento')
  return { ...said(line, 'percepcion', 'TipoPercepcion'), gravado, exento, importe: sumDecimals([gravado, exento]) }
}

/** 1.1 divides a deduction into taxed and exempt parts as if it were a perception; it is their sum. */
function readDeduccion(line: XmlElement): LineaNomina {
  const parts = () => [decimalOf(line, 'ImporteGravado') ?? ZERO, decimalOf(line, 'ImporteExento') ?? ZERO]
  const importe = decimalOf(line, 'Importe') ?? (line.namespace === NOMINA11 ? sumDecimals(parts()) : null)
  return {
    ...said(line, 'deduccion', 'TipoDeduccion'),
    gravado: null,
    exento: null,
    importe: required(importe, path(line, 'Importe')),
  }
}

function readOtroPago(line: XmlElement): LineaNomina {
  const importe = amountOf(line, 'Importe')
  return { ...said(line, 'otro_pago', 'TipoOtroPago'), gravado: null, exento: null, importe }
}

const said = <C extends LineaNomina['clase']>(line: XmlElement, clase: C, tipo: string) => ({
  clase,
  tipo: codeOf(line, tipo),
  clave: textOf(line, 'Clave', 100),
  concepto: textOf(line, 'Concepto'),
})

function totalOf(groups: readonly XmlElement[], name: string): Decimal | null {
  const said = groups.map((group) => decimalOf(group, name)).filter((one) => one !== null)
  return said.length > 0 ? sumDecimals(said) : null
}

/** 1.1 has no totals of its own. */
function sumOf11(node: XmlElement, lineas: readonly LineaNomina[], clase: LineaNomina['clase']): Decimal | null {
  if (node.namespace !== NOMINA11) return null
  return sumDecimals(lineas.filter((line) => line.clase === clase).map(({ importe }) => importe))
}
