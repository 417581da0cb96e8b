import { taxOn, totalsOf } from '../amounts.ts'
import type { Document, DocumentoPagado } from '../document.ts'
import { createDesk, type Desk } from './desk.ts'

/** An invoice to be paid later: whole in the month after, in two parts over two months, or never. */
export interface Deferred {
  readonly factura: Document
  readonly partes: 0 | 1 | 2
  /** Those with the same word are paid with one receipt. */
  readonly juntas?: string
  /** On the day of the payment, where it is in another currency. */
  readonly tipoCambio?: string
}

/** The receipts of a month (type P), for what was issued on credit in the `meses` before it, newest first. */
export function cobros(desk: Desk, meses: readonly string[], deferredOf: (desk: Desk) => Deferred[]): Document[] {
  const [last, before] = meses.map((mes) => deferredOf(createDesk(desk.seed, mes)))
  const due = [
    ...(last ?? []).filter(({ partes }) => partes > 0).map((one) => ({ one, parcialidad: 1 })),
    ...(before ?? []).filter(({ partes }) => partes === 2).map((one) => ({ one, parcialidad: 2 })),
  ]
  const receipts = Map.groupBy(due, ({ one, parcialidad }) => `${one.juntas ?? one.factura.uuid}/${parcialidad}`)
  return [...receipts.values()].map((paid) => receipt(desk, paid))
}

function receipt(desk: Desk, paid: readonly { one: Deferred; parcialidad: number }[]): Document {
  const { one, parcialidad } = paid[0] as (typeof paid)[number]
  const { factura, tipoCambio } = one
  const label = `pago-${factura.uuid}-${parcialidad}`
  const dia = desk.random(label).int(3, 20)
  const hora = '16:20:00'
  return desk.issue(label, {
    tipo: 'P',
    emisor: factura.emisor,
    receptor: { ...factura.receptor, uso: 'CP01' },
    moneda: 'XXX',
    conceptos: [{ clave: '84111506', unidad: 'ACT', descripcion: 'Pago', cantidad: 1, valorUnitario: 0n }],
    dia,
    hora,
    pago: {
      fecha: `${desk.mes}-${String(dia).padStart(2, '0')}T12:00:00`,
      forma: '03',
      moneda: factura.moneda,
      ...(tipoCambio && { tipoCambio }),
      documentos: paid.map(({ one: each, parcialidad: n }) => part(each, n)),
    },
  })
}

function part({ factura, partes }: Deferred, parcialidad: number): DocumentoPagado {
  const { subtotal, trasladados, total, taxes } = totalsOf(factura)
  if (partes === 1) {
    const retenciones = taxes.filter(({ clase }) => clase === 'retencion')
    return { factura, parcialidad, saldoAnterior: total, base: subtotal, iva: trasladados, retenciones }
  }
  const base = subtotal / 2n
  const iva = taxOn(base, '0.160000')
  return parcialidad === 1
    ? { factura, parcialidad, saldoAnterior: total, base, iva, retenciones: [] }
    : {
        factura,
        parcialidad,
        saldoAnterior: total - base - iva,
        base: subtotal - base,
        iva: trasladados - iva,
        retenciones: [],
      }
}
