import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { d, egreso, factura, pago, ppd, retencion, traslado } from '../../../test/support/flow-documents.ts'
import { formatDecimal, ZERO } from '../../fiscal/money.ts'
import type { Movimiento } from '../../taxes/movimiento.ts'
import { type Anotaciones, anotacionesOf, SIN_ANOTACIONES } from './anotaciones.ts'
import type { Expediente } from './expediente.ts'
import { movimientosOf } from './movimientos.ts'
import { aplicacionDe, saldoDe } from './saldo.ts'

const noted = (change: Partial<Anotaciones>): { anotaciones: Anotaciones } => ({
  anotaciones: { ...SIN_ANOTACIONES, ...change },
})
const excluido = noted({ excluido: true })
const derive = (set: Partial<Expediente>) => movimientosOf({ facturas: [], egresos: [], pagos: [], ...set })
const recibida = { direccion: 'recibido' } as const

const told = ({ uuid, periodo: { ejercicio, mes }, efecto, motivo }: Movimiento) =>
  `${uuid} ${ejercicio}-${mes} ${motivo ?? efecto}`

test('the real date of a payment moves what is paid at once, to the month and over the year', () => {
  const on = (fechaPago: string) => derive({ facturas: [factura(noted({ fechaPago }))] }).map(told)
  assert.deepEqual(on('2026-04-02'), ['f1 2026-4 cuenta'])
  assert.deepEqual(on('2025-12-31'), ['f1 2025-12 cuenta'])
  assert.deepEqual(on('2026-03-31'), ['f1 2026-3 cuenta'])
  const [own] = derive({ facturas: [factura(noted({ fechaPago: '2026-03-05' }))] })
  assert.equal(own?.fecha, '2026-03-05T10:00:00', 'on its own day it keeps its hour')
  const [note] = derive({ egresos: [egreso({ relacionados: [], ...noted({ fechaPago: '2026-06-01' }) })] })
  assert.equal(told(note!), 'e1 2026-6 cuenta')
})

test('receipts say when a deferred invoice was paid, whatever was noted of it', () => {
  const facturas = [ppd(noted({ fechaPago: '2026-01-01' }))]
  assert.deepEqual(derive({ facturas, pagos: [pago()] }).map(told), ['f1 2026-3 ppd_por_pagos', 'p1 2026-4 cuenta'])
})

test('what is excluded does not count, and neither does what pays or corrects it', () => {
  assert.deepEqual(derive({ facturas: [ppd(excluido)], pagos: [pago()], egresos: [egreso()] }).map(told), [
    'f1 2026-3 excluido',
    'p1 2026-4 factura_excluida',
    'e1 2026-5 factura_excluida',
  ])
  assert.deepEqual(derive({ facturas: [factura({ ...excluido, vigente: false })] }).map(told), ['f1 2026-3 cancelado'])
})

test('an excluded receipt pays nothing: the invoice counts as if it were not there', () => {
  const pagos = [pago(excluido)]
  assert.deepEqual(derive({ facturas: [factura()], pagos }).map(told), ['f1 2026-3 cuenta', 'p1 2026-4 excluido'])
  assert.deepEqual(derive({ facturas: [ppd()], pagos }).map(told), ['f1 2026-3 ppd_sin_pago', 'p1 2026-4 excluido'])
  assert.equal(formatDecimal(saldoDe({ facturas: [ppd()], pagos, egresos: [] }, 'f1', 'saldo-primero')!.saldo), '11600')
})

test('an excluded credit note leaves the balance to the next one', () => {
  const first = { ...egreso({ uuid: 'e1', total: d('11600.00') }), ...excluido }
  const second = egreso({ uuid: 'e2', fecha: '2026-05-21T09:00:00', total: d('11600.00') })
  assert.deepEqual(derive({ facturas: [ppd()], egresos: [first, second] }).map(told), [
    'f1 2026-3 ppd_sin_pago',
    'e1 2026-5 excluido',
    'e2 2026-5 reduce_saldo',
  ])
})

test('a note on what IVA was withheld of corrects the month it was really paid in', () => {
  const impuestos = [traslado('0.16', '10000.00', '1600.00'), retencion('002', '1066.67')]
  const [, note] = derive({
    facturas: [factura({ impuestos, ...noted({ fechaPago: '2026-04-15' }) })],
    egresos: [egreso()],
  })
  assert.deepEqual([note?.periodo.mes, note?.requiereComplementaria], [4, true])
})

test('how far an expense is creditable is said by its document, or else by the invoice it belongs to', () => {
  const half = noted({ porcentajeDeducible: 50_00n, destinoIva: 'indistinto' })
  const movimientos = derive({
    facturas: [ppd({ ...recibida, ...half })],
    pagos: [pago(recibida), pago({ ...recibida, uuid: 'p2', ...noted({ porcentajeDeducible: 10_00n }) })],
    egresos: [egreso({ ...recibida, ...noted({ destinoIva: 'exento' }) })],
  })
  assert.deepEqual(
    movimientos.map(({ uuid, destinoIva, porcentajeDeducible }) => [uuid, destinoIva, porcentajeDeducible]),
    [
      ['f1', 'indistinto', 50_00n],
      ['p1', 'indistinto', 50_00n],
      ['p2', 'indistinto', 10_00n],
      ['e1', 'exento', 50_00n],
    ],
  )
  const [issued] = derive({ facturas: [factura(half)] })
  assert.deepEqual([issued?.destinoIva, issued?.porcentajeDeducible], ['gravado', 100_00n])
})

test('the values in force read back as they were written', () => {
  assert.deepEqual(anotacionesOf({}), SIN_ANOTACIONES)
  assert.deepEqual(
    anotacionesOf({ fecha_pago: '2026-01-31', porcentaje_deducible: '8.50', destino_iva: 'exento', excluir: 'true' }),
    { fechaPago: '2026-01-31', porcentajeDeducible: 8_50n, destinoIva: 'exento', excluido: true },
  )
  assert.deepEqual(
    anotacionesOf({ fecha_pago: null, porcentaje_deducible: null, destino_iva: null, excluir: null }),
    SIN_ANOTACIONES,
  )
})

test('what is owed: total, less valid payments, less what notes took of it', () => {
  const saldo = (set: Partial<Expediente>) => {
    const found = saldoDe({ facturas: [], egresos: [], pagos: [], ...set }, 'f1', 'saldo-primero')
    return found && [found.pagado, found.acreditado, found.saldo].map(formatDecimal)
  }
  assert.deepEqual(saldo({ facturas: [ppd()] }), ['0', '0', '11600'])
  assert.deepEqual(saldo({ facturas: [ppd()], pagos: [pago()], egresos: [egreso()] }), ['5800', '2320', '3480'])
  const stranger = pago({ uuid: 'p9', rfcEmisor: 'AAA010101AAA' })
  assert.deepEqual(saldo({ facturas: [ppd()], pagos: [stranger, pago({ vigente: false })] }), ['0', '0', '11600'])
  // A note above what is owed takes the balance and no more: the rest was money given back.
  assert.deepEqual(saldo({ facturas: [ppd()], pagos: [pago()], egresos: [egreso({ total: d('9000.00') })] }), [
    '5800',
    '5800',
    '0',
  ])
  assert.deepEqual(saldo({ facturas: [ppd()], pagos: [pago({ pagado: d('12000.005') })] }), [
    '12000.005',
    '0',
    '-400.005',
  ])
  assert.equal(saldo({ facturas: [factura()], egresos: [egreso()] }), null, 'paid at once')
  assert.deepEqual(saldo({ facturas: [factura()], pagos: [pago()] }), ['5800', '0', '5800'])
  assert.equal(saldo({ facturas: [ppd({ vigente: false })] }), null)
  assert.equal(saldo({ facturas: [ppd(excluido)] }), null)
  assert.equal(saldo({ facturas: [ppd({ cuentaTerceros: true })] }), null)
  assert.equal(saldo({}), null)
})

test('what receipts say in pesos of an invoice in dollars is worth dollars of the invoice', () => {
  const usd = { moneda: 'USD', tipoCambio: d('20') }
  const invoice = ppd({ ...usd, total: d('1160') })
  const saldo = (payment: Partial<Parameters<typeof pago>[0]>) =>
    formatDecimal(
      saldoDe({ facturas: [invoice], egresos: [], pagos: [pago(payment)] }, 'f1', 'saldo-primero')?.saldo ?? d('1'),
    )
  assert.equal(saldo({ moneda: 'USD', equivalencia: d('0.05'), pagado: d('1160') }), '0', 'as it should be said')
  assert.equal(saldo({ pagado: d('23200') }), '0')
  assert.equal(saldo({ pagado: d('11600') }), '580')
  assert.equal(saldo({ version: '1.0', pagado: d('11600') }), '580')
  // Half is owed, so a note of a quarter gives nothing back.
  const note = egreso({ ...usd, total: d('290') })
  const set = { facturas: [invoice], egresos: [note], pagos: [pago({ pagado: d('11600') })] }
  assert.deepEqual(aplicacionDe(set, 'e1', 'saldo-primero')?.reembolso, ZERO)
})

test('a credit note tells what it lowered and what was given back; one that does not count tells nothing', () => {
  const of = (set: Partial<Expediente>) => {
    const found = aplicacionDe({ facturas: [], egresos: [], pagos: [], ...set }, 'e1', 'saldo-primero')
    return (
      found && [
        [...found.tomado].map(([uuid, taken]) => `${uuid} ${formatDecimal(taken)}`),
        formatDecimal(found.reembolso),
      ]
    )
  }
  assert.deepEqual(of({ facturas: [ppd()], pagos: [pago()], egresos: [egreso({ total: d('9000.00') })] }), [
    ['f1 5800'],
    '3200',
  ])
  assert.deepEqual(of({ facturas: [factura()], egresos: [egreso()] }), [[], '2320'])
  assert.deepEqual(of({ facturas: [ppd()], egresos: [egreso({ metodoPago: 'PPD' })] }), [['f1 2320'], '0'])
  assert.equal(of({ facturas: [ppd()], egresos: [egreso({ vigente: false })] }), null)
  assert.equal(of({ facturas: [ppd()], egresos: [egreso(excluido)] }), null)
  assert.equal(of({}), null)
})

test('property: what is owed, what was paid and what notes took make the total, and notes never take more than was owed', () => {
  const cents = fc.integer({ min: 1, max: 2_000_000 }).map((n) => d((n / 100).toFixed(2)))
  const fecha = fc.integer({ min: 1, max: 28 }).map((day) => `2026-05-${String(day).padStart(2, '0')}T10:00:00`)
  const set = fc.record({
    pagos: fc.array(fc.record({ pagado: cents, fecha, vigente: fc.boolean() }), { maxLength: 5 }),
    notas: fc.array(fc.record({ total: cents, fecha, excluido: fc.boolean() }), { maxLength: 5 }),
  })
  fc.assert(
    fc.property(set, ({ pagos, notas }) => {
      const found = saldoDe(
        {
          facturas: [ppd()],
          pagos: pagos.map((one, i) => pago({ ...one, uuid: `p${i}` })),
          egresos: notas.map(({ excluido, ...one }, i) => egreso({ ...one, uuid: `e${i}`, ...noted({ excluido }) })),
        },
        'f1',
        'saldo-primero',
      )
      assert.ok(found)
      const cts = ({ units, places }: { units: bigint; places: number }) => units * 10n ** BigInt(2 - places)
      assert.equal(cts(found.pagado) + cts(found.acreditado) + cts(found.saldo), 11_600_00n)
      assert.ok(cts(found.acreditado) <= 11_600_00n)
      for (const i of notas.keys()) if (notas[i]?.excluido) assert.equal(found.notas.get(`e${i}`), undefined)
    }),
  )
})
