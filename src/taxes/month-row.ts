import { type Centavos, formatCentavos, parseCentavos } from '../fiscal/money.ts'
import { formatProporcion, proporcionDe, type Reduccion } from './acreditable.ts'
import type { MesIva } from './iva.ts'
import { IMPORTES, type Importes, type Motivo } from './movimiento.ts'

/** A row of iva_mensual as SQL takes and gives it: amounts are texts. */
export type MonthRow = Record<string, string | number | null | Record<string, string>> & {
  ejercicio: number
  mes: number
}

/** The column of each amount of a movement; those of the creditable side have `acreditable_` before it. */
export const COLUMNS: Readonly<Record<keyof Importes, string>> = {
  base16: 'base16',
  iva16: 'iva16',
  base8: 'base8',
  iva8: 'iva8',
  base0: 'base0',
  baseExenta: 'base_exenta',
  baseNoObjeto: 'base_no_objeto',
  baseOtra: 'base_otra',
  ivaOtra: 'iva_otra',
  ivaRetenido: 'iva_retenido',
  isrRetenido: 'isr_retenido',
}

export function toRow({ periodo, base, iva }: MesIva): MonthRow {
  const row: MonthRow = { ejercicio: periodo.ejercicio, mes: periodo.mes, no_acreditable_por_motivo: {} }
  for (const key of IMPORTES) {
    row[trasladadoColumn(key)] = formatCentavos(base.trasladado[key])
    row[`acreditable_${COLUMNS[key]}`] = formatCentavos(base.acreditable[key])
  }
  const motivos = Object.entries(base.noAcreditablePorMotivo)
  row['no_acreditable_por_motivo'] = Object.fromEntries(motivos.map(([motivo, iva]) => [motivo, formatCentavos(iva)]))
  row['iva_no_acreditable'] = formatCentavos(base.noAcreditable)
  row['iva_retenido_a_terceros'] = formatCentavos(base.ivaRetenidoATerceros)
  const { proporcion, reducido } = base
  row['proporcion'] = proporcion === null ? null : formatProporcion(proporcion)
  row['acreditable_reducido_pagado'] = formatCentavos(reducido.pagado)
  row['acreditable_reducido_retenido'] = formatCentavos(reducido.retenido)
  const reducciones = Object.entries(reducido.porMotivo)
  row['acreditable_reducido_por_motivo'] = Object.fromEntries(
    reducciones.map(([motivo, iva]) => [motivo, formatCentavos(iva)]),
  )
  for (const [column, key] of RESULTS) row[column] = formatCentavos(iva[key])
  return row
}

export function fromRow(row: MonthRow): MesIva {
  const read = (column: string): Centavos => parseCentavos(String(row[column]))
  const importes = (columnOf: (key: keyof Importes) => string) =>
    Object.fromEntries(IMPORTES.map((key) => [key, read(columnOf(key))])) as unknown as Importes
  const motivos = Object.entries(row['no_acreditable_por_motivo'] as Record<Motivo, string>)
  const results = Object.fromEntries(RESULTS.map(([column, key]) => [key, read(column)])) as Results
  const acreditable = importes((key) => `acreditable_${COLUMNS[key]}`)
  const reducciones = Object.entries(row['acreditable_reducido_por_motivo'] as Record<Reduccion, string>)
  const reducido = {
    pagado: read('acreditable_reducido_pagado'),
    retenido: read('acreditable_reducido_retenido'),
    porMotivo: Object.fromEntries(reducciones.map(([motivo, iva]) => [motivo, parseCentavos(iva)])),
  }
  const trasladado = importes(trasladadoColumn)
  return {
    periodo: { ejercicio: row.ejercicio, mes: row.mes },
    base: {
      trasladado,
      acreditable,
      noAcreditable: read('iva_no_acreditable'),
      noAcreditablePorMotivo: Object.fromEntries(motivos.map(([motivo, iva]) => [motivo, parseCentavos(iva)])),
      ivaRetenidoATerceros: read('iva_retenido_a_terceros'),
      // Not the column, which is there for SQL: the previous release moves the sums and does not know it.
      proporcion: proporcionDe(trasladado),
      reducido,
    },
    iva: {
      ...results,
      arrastre: {
        saldoAFavor: results.remanente,
        ivaRetenidoPorAcreditar: acreditable.ivaRetenido - reducido.retenido,
      },
    },
  }
}

// What customers withheld has names of its own in the month.
const trasladadoColumn = (key: keyof Importes): string =>
  key === 'ivaRetenido' || key === 'isrRetenido' ? `${COLUMNS[key]}_por_clientes` : COLUMNS[key]

type Results = Omit<MesIva['iva'], 'arrastre'>

const RESULTS = [
  ['iva_trasladado', 'ivaTrasladado'],
  ['iva_retenido_por_clientes', 'ivaRetenidoPorClientes'],
  ['iva_pagado', 'ivaPagado'],
  ['iva_retenido_mes_anterior', 'ivaRetenidoMesAnterior'],
  ['iva_acreditable', 'ivaAcreditable'],
  ['diferencia', 'diferencia'],
  ['saldo_a_favor_anterior', 'saldoAFavorAnterior'],
  ['saldo_a_favor_aplicado', 'saldoAFavorAplicado'],
  ['a_cargo', 'aCargo'],
  ['a_favor', 'aFavor'],
  ['remanente', 'remanente'],
  ['importe_a_pagar', 'importeAPagar'],
] as const satisfies readonly (readonly [string, keyof Results])[]
