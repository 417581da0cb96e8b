import type { Alerta } from '../../alerts/raise-alert.ts'
import { formatCentavos, withThousands } from '../../fiscal/money.ts'
import { comparePeriodos, formatPeriodo, nextPeriodo, type Periodo, periodoOf } from '../../fiscal/periodo.ts'
import { parte } from '../../taxes/acreditable.ts'
import type { Destino } from '../../taxes/movimiento.ts'
import { type Complementaria, diferencia, toDetalle } from './complementaria.ts'

/** A movement whose IVA months credit. */
export interface Acreditado {
  /** The CFDI that made it, and its ordinal there. */
  readonly uuid: string
  readonly n: number
  readonly documento: string | null
  readonly periodo: Periodo
  /** Centavos of IVA: what the supplier was paid, credited in its month; what was withheld, in the month after (LIVA 5-IV). */
  readonly pagado: bigint
  readonly retenido: bigint
  readonly destinoIva: Destino
  readonly porcentajeDeducible: bigint
  /** Of its month, in ten-thousandths. */
  readonly proporcion: bigint | null
}

/** A CFDI names a document: pays it, corrects it. */
export interface Nombra {
  readonly uuid: string
  readonly documento: string
}

/** IVA that a month does not credit any more, in centavos. Below zero: it credits more. */
export interface Perdida {
  readonly periodo: Periodo
  readonly iva: bigint
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
  /** A CFDI in force of the same issuer that is here and says it takes its place (04). */
  readonly sustituidoPor: string | null
}

export const claveCancelado = (uuid: string) => `CFDI_RECIBIDO_CANCELADO:${uuid}`

/**
 * What months lose because these CFDI were cancelled, by CFDI. Each centavo once: a movement that changed is on account of its
 * own CFDI if that was cancelled, else of the invoice it is about, else of one that named that invoice. So what is told of
 * several that were cancelled at once adds up to what the months changed by.
 */
export function perdidasPorCfdi(
  cancelados: readonly string[],
  {
    antes,
    despues,
    nombrados,
  }: {
    antes: readonly Acreditado[]
    despues: readonly Acreditado[]
    nombrados: readonly Nombra[]
  },
): Map<string, Perdida[]> {
  const porDocumento = new Map<string | null, string>(nombrados.map(({ uuid, documento }) => [documento, uuid]))
  const ownerOf = ({ uuid, documento }: Acreditado) =>
    [uuid, documento].find((one) => one !== null && cancelados.includes(one)) ?? porDocumento.get(documento)
  const [only] = cancelados.length === 1 ? cancelados : []
  const keyOf = ({ uuid, n }: Acreditado) => `${uuid} ${n}`
  // A credit note over several invoices may be about another one afterwards: as it was before decides.
  const owners = new Map([...despues, ...antes].map((row) => [keyOf(row), ownerOf(row) ?? only]))
  const perdidas = new Map(cancelados.map((uuid) => [uuid, new Map<string, Perdida>()]))
  const add = (row: Acreditado, periodo: Periodo, amount: bigint) => {
    const meses = perdidas.get(owners.get(keyOf(row)) ?? '')
    const key = formatPeriodo(periodo)
    meses?.set(key, { periodo, iva: (meses.get(key)?.iva ?? 0n) + amount })
  }
  for (const [sign, rows] of [
    [1n, antes],
    [-1n, despues],
  ] as const)
    for (const row of rows) {
      add(row, row.periodo, sign * parte(row.pagado, row, row.proporcion))
      add(row, nextPeriodo(row.periodo), sign * parte(row.retenido, row, row.proporcion))
    }
  const told = (meses: Iterable<Perdida>) =>
    [...meses].filter(({ iva }) => iva !== 0n).sort((a, b) => comparePeriodos(a.periodo, b.periodo))
  return new Map([...perdidas].map(([uuid, meses]) => [uuid, told(meses.values())]))
}

/**
 * What it costs the company that a CFDI it received was cancelled: the IVA that its months credited before and do not any
 * more, and the returns to be made anew for it. `actual` is the month it is in Mexico City.
 *
 * Rule: CFDI_RECIBIDO_CANCELADO of fiscal.md 3. Months cannot be closed here yet: one that is over counts as declared. Its
 * effect on ISR comes with the ISR of months, and is not in the amount.
 */
export function alertaCancelado(
  cfdi: Recibido,
  meses: readonly Perdida[],
  { actual, complementarias }: { actual: Periodo; complementarias: readonly Complementaria[] },
): Alerta {
  const total = meses.reduce((sum, { iva }) => sum + iva, 0n)
  const menos = meses.filter(({ iva }) => iva > 0n)
  const isOver = (mes: Perdida) => comparePeriodos(mes.periodo, actual) < 0
  const periodo = menos[0]?.periodo ?? meses[0]?.periodo ?? periodoOf(cfdi.fechaEmision)
  const quien = cfdi.nombreEmisor ? `${cfdi.nombreEmisor} (${cfdi.rfcEmisor})` : cfdi.rfcEmisor
  const clase = CLASES[cfdi.tipo] ?? 'el CFDI'
  const cuando = cfdi.fechaCancelacion === null ? '' : ` el ${dia(cfdi.fechaCancelacion)}`
  return {
    codigo: 'CFDI_RECIBIDO_CANCELADO',
    clave: claveCancelado(cfdi.uuid),
    severidad: menos.some(isOver) ? 'critica' : menos.length > 0 ? 'alta' : 'aviso',
    titulo: `${quien} canceló ${clase} que te emitió`,
    mensaje: `${quien} canceló${cuando} ${clase} ${cfdi.uuid} del ${dia(cfdi.fechaEmision)}${importe(cfdi)}. ${efecto(cfdi, total, meses)}`,
    accion: accion(cfdi, meses, complementarias),
    uuid: cfdi.uuid,
    periodo,
    montoEnRiesgo: total > 0n ? total : 0n,
    detalle: {
      meses: meses.map((mes) => ({ periodo: formatPeriodo(mes.periodo), iva: formatCentavos(mes.iva) })),
      complementarias: complementarias.map(toDetalle),
      sustituidoPor: cfdi.sustituidoPor,
    },
  }
}

function efecto({ tipo }: Recibido, total: bigint, meses: readonly Perdida[]): string {
  const [uno] = meses
  if (!uno)
    return 'IEP'.includes(tipo) ? 'Su IVA no estaba acreditado en ningún mes.' : 'No cambia el IVA de ningún mes.'
  if (total === 0n) return `El IVA acreditable cambia de mes: ${enLista(meses.map(mesYCambio))}.`
  const cuanto = `$${pesos(total)} de IVA`
  const donde = meses.length === 1 ? ` en ${mesEnPalabras(uno.periodo)}` : `: ${enLista(meses.map(mesYCambio))}`
  return total > 0n ? `Deja de acreditarse ${cuanto}${donde}.` : `Se acredita ${cuanto} más${donde}.`
}

const mesYCambio = ({ periodo, iva }: Perdida) =>
  `$${pesos(iva)} ${iva > 0n ? 'menos' : 'más'} en ${mesEnPalabras(periodo)}`

const enLista = (parts: readonly string[]) => new Intl.ListFormat('es-MX').format(parts)

/** Without its sign. */
const pesos = (amount: bigint) => withThousands(formatCentavos(amount < 0n ? -amount : amount))

export const PEDIR_SUSTITUTO = 'Pide a quien lo emitió el CFDI que lo sustituye o la causa de la cancelación.'
export const LO_SUSTITUYE = 'Lo sustituye #, que ya está aquí: compara los dos.'

function accion(
  { sustituidoPor }: Recibido,
  meses: readonly Perdida[],
  complementarias: readonly Complementaria[],
): string {
  const cual = sustituidoPor ? LO_SUSTITUYE.replace('#', sustituidoPor) : PEDIR_SUSTITUTO
  if (meses.length === 0) return cual
  if (complementarias.length === 0) return `${cual} Hazlo antes de declarar el mes.`
  // One that came after it was cancelled may have been left out by whoever declared.
  const cuando =
    complementarias.length === 1
      ? 'Si ya declaraste ese mes contando este CFDI, presenta'
      : 'De los que ya declaraste contando este CFDI, presenta'
  return `${cual} ${cuando} la declaración complementaria: ${complementarias.map((una) => enPalabras(una, meses)).join('; ')}.`
}

/** `enero de 2026, IVA acreditable de $100.00 a $84.00: $16.00 más a cargo`. */
function enPalabras({ periodo, acreditable, aCargo, aFavor }: Complementaria, meses: readonly Perdida[]): string {
  const propia = meses.find((mes) => comparePeriodos(mes.periodo, periodo) === 0)?.iva ?? 0n
  // A return is made once for all that was learnt together: its amounts are not those of this CFDI alone.
  const conOtros = diferencia(acreditable) === -propia ? '' : ' (con lo demás que se canceló a la vez)'
  const cambio = (amount: bigint, what: string) =>
    amount === 0n ? [] : [`$${pesos(amount)} ${amount > 0n ? 'más' : 'menos'} ${what}`]
  const acredita =
    diferencia(acreditable) === 0n
      ? ', por el saldo a favor que le llega de meses anteriores'
      : `, IVA acreditable de ${conSigno(acreditable.antes)} a ${conSigno(acreditable.despues)}${conOtros}`
  const resulta = [...cambio(diferencia(aFavor), 'de saldo a favor'), ...cambio(diferencia(aCargo), 'a cargo')]
  return `${mesEnPalabras(periodo)}${acredita}${resulta.length > 0 ? `: ${enLista(resulta)}` : ''}`
}

/** Credit notes may leave a month with less than nothing to credit. */
const conSigno = (amount: bigint) => `${amount < 0n ? '-' : ''}$${pesos(amount)}`

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

/** Receipts of payment and transfers have none: XXX is no currency. */
const importe = ({ total, moneda }: Recibido) => (moneda === 'XXX' ? '' : ` por $${withThousands(total)} ${moneda}`)
