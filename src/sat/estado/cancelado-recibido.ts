import type { Alerta } from '../../alerts/raise-alert.ts'
import { formatCentavos } from '../../fiscal/money.ts'
import { comparePeriodos, formatPeriodo, type Periodo, periodoOf } from '../../fiscal/periodo.ts'
import { parte } from '../../taxes/acreditable.ts'
import type { Destino } from '../../taxes/movimiento.ts'

/** A movement whose IVA a month credits because of a CFDI. */
export interface Acreditado {
  readonly uuid: string
  readonly periodo: Periodo
  /** Centavos: all IVA charged in it. */
  readonly iva: bigint
  readonly destinoIva: Destino
  readonly porcentajeDeducible: bigint
  /** Of its month, in ten-thousandths. */
  readonly proporcion: bigint | null
}

/** A received CFDI that was cancelled, as people know it. */
export interface Recibido {
  readonly uuid: string
  readonly tipo: string
  readonly rfcEmisor: string
  readonly nombreEmisor: string | null
  readonly total: string
  readonly moneda: string
  readonly fechaEmision: string
  readonly fechaCancelacion: string | null
}

export const claveCancelado = (uuid: string) => `CFDI_RECIBIDO_CANCELADO:${uuid}`

/**
 * What it costs the company that a CFDI it received was cancelled: the IVA that its months credited before and do not any
 * more. `actual` is the month it is in Mexico City.
 *
 * Rule: CFDI_RECIBIDO_CANCELADO of fiscal.md 3. Months cannot be closed here yet: one that is over counts as declared. Its
 * effect on ISR comes with the ISR of months, and is not in the amount.
 */
export function alertaCancelado(
  cfdi: Recibido,
  { antes, despues }: { antes: readonly Acreditado[]; despues: readonly Acreditado[] },
  actual: Periodo,
): Alerta {
  const perdido = new Map<string, { periodo: Periodo; iva: bigint }>()
  for (const [sign, rows] of [
    [1n, antes],
    [-1n, despues],
  ] as const)
    for (const row of rows) {
      const month = perdido.get(formatPeriodo(row.periodo)) ?? { periodo: row.periodo, iva: 0n }
      month.iva += sign * parte(row.iva, row, row.proporcion)
      perdido.set(formatPeriodo(row.periodo), month)
    }
  const meses = [...perdido.values()].filter(({ iva }) => iva !== 0n)
  meses.sort((a, b) => comparePeriodos(a.periodo, b.periodo))
  const total = meses.reduce((sum, { iva }) => sum + iva, 0n)
  const periodo = meses[0]?.periodo ?? periodoOf(cfdi.fechaEmision)
  const declarado = meses.length > 0 && comparePeriodos(periodo, actual) < 0
  const quien = cfdi.nombreEmisor ? `${cfdi.nombreEmisor} (${cfdi.rfcEmisor})` : cfdi.rfcEmisor
  const clase = CLASES[cfdi.tipo] ?? 'el CFDI'
  const cuando = cfdi.fechaCancelacion === null ? '' : ` el ${dia(cfdi.fechaCancelacion)}`
  return {
    codigo: 'CFDI_RECIBIDO_CANCELADO',
    clave: claveCancelado(cfdi.uuid),
    severidad: declarado ? 'critica' : 'alta',
    titulo: `${quien} canceló ${clase} que te emitió`,
    mensaje: `${quien} canceló${cuando} ${clase} ${cfdi.uuid} del ${dia(cfdi.fechaEmision)} por $${miles(cfdi.total)} ${cfdi.moneda}. ${efecto(total, meses)}`,
    accion: declarado ? COMPLEMENTARIA : LLAMAR,
    uuid: cfdi.uuid,
    periodo,
    montoEnRiesgo: total > 0n ? total : 0n,
    detalle: { meses: meses.map((mes) => ({ periodo: formatPeriodo(mes.periodo), iva: formatCentavos(mes.iva) })) },
  }
}

function efecto(total: bigint, meses: readonly { periodo: Periodo }[]): string {
  if (meses.length === 0) return 'Su IVA no se había acreditado en ningún mes.'
  const cuales = meses.map(({ periodo }) => mesEnPalabras(periodo)).join(', ')
  if (total <= 0n) return `Cambia el IVA acreditable de ${cuales}.`
  return `Deja de acreditarse $${miles(formatCentavos(total))} de IVA en ${cuales}.`
}

const COMPLEMENTARIA =
  'Pide a tu proveedor el CFDI que lo sustituye o la causa. Si ya declaraste ese mes, revisa si procede una complementaria.'
const LLAMAR =
  'Habla con tu proveedor antes de declarar el mes: pide el CFDI que lo sustituye o la causa de la cancelación.'

const CLASES: Readonly<Record<string, string>> = {
  I: 'la factura',
  E: 'la nota de crédito',
  P: 'el recibo de pago',
  N: 'el recibo de nómina',
  T: 'el CFDI de traslado',
  R: 'la constancia de retenciones',
}

const dia = (fecha: string) => `${Number(fecha.slice(8, 10))} de ${mesEnPalabras(periodoOf(fecha))}`
const mesEnPalabras = ({ ejercicio, mes }: Periodo) => `${MESES[mes - 1]} de ${ejercicio}`
const MESES = 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre'.split(' ')

/** Two decimals at least, and a comma at every thousand. */
function miles(amount: string): string {
  const [whole = '', rest = ''] = amount.split('.')
  const decimals = rest.replace(/0+$/, '').padEnd(2, '0')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${decimals}`
}
