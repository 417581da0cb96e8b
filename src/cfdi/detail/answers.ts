import type { z } from 'zod'
import { type Decimal, formatDecimal } from '../../fiscal/money.ts'
import { explicacion } from '../../taxes/explicaciones.ts'
import type { sumMovimientosOf } from '../../taxes/queries.ts'
import type { Aplicacion, Saldo } from '../flow/saldo.ts'
import type { Lista, PagoRecibido, Relacion } from './related.ts'
import type { Concepto, Efecto, PagoDelDocumento, SaldoInsoluto } from './schemas.ts'

export type ConceptoLeido = z.input<typeof Concepto>

export function toSaldo({ total, pagado, acreditado, saldo }: Saldo, moneda: string): z.input<typeof SaldoInsoluto> {
  return {
    moneda,
    total: amount(total),
    pagado: amount(pagado),
    acreditado: amount(acreditado),
    saldo: amount(saldo),
  }
}

/** Credit notes on an invoice, with what each took of what was owed. */
export const toNotas = ({ datos }: Lista<Relacion>, saldo: Saldo | null) =>
  datos
    .filter(({ cfdi }) => cfdi?.tipo === 'E')
    .map((nota) => {
      const taken = saldo?.notas.get(nota.uuid)
      return { ...nota, reduceSaldo: taken ? amount(taken) : null }
    })

export const toAplicacion = ({ tomado, reembolso }: Aplicacion, moneda: string) => ({
  reduceSaldos: [...tomado].map(([uuid, taken]) => ({ uuid, importe: amount(taken) })),
  moneda,
  reembolso: amount(reembolso),
})

export const toPago = ({ efecto, motivo, ...pago }: PagoRecibido): z.input<typeof PagoDelDocumento> => ({
  ...pago,
  efecto,
  explicacion: efecto && explicacion(efecto, motivo),
})

export const toEfecto = (row: Awaited<ReturnType<typeof sumMovimientosOf>>[number]): z.input<typeof Efecto> => ({
  ejercicio: row.ejercicio,
  mes: row.mes,
  direccion: row.direccion,
  efecto: row.efecto,
  motivo: row.motivo as z.input<typeof Efecto>['motivo'],
  explicacion: explicacion(row.efecto, row.motivo),
  movimientos: row.movimientos,
  total: row.total,
  iva: row.iva,
  ivaRetenido: row.iva_retenido,
  isrRetenido: row.isr_retenido,
  ivaAcreditable: row.iva_acreditable,
})

/** Exact, with two decimals at least: `1234.50`, `0.3333`. */
function amount(value: Decimal): string {
  const [whole = '', decimals = ''] = formatDecimal(value).split('.')
  return `${whole}.${decimals.padEnd(2, '0')}`
}
