import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { d, egreso, exento, factura, pago, ppd, retencion, traslado } from '../../../test/support/flow-documents.ts'
import { formatCentavos } from '../../fiscal/money.ts'
import { IMPORTES, type Movimiento } from '../../taxes/movimiento.ts'
import type { Expediente, Factura, PagoAplicado } from './expediente.ts'
import { movimientosOf } from './movimientos.ts'

const derive = (set: Partial<Expediente>, politica?: Parameters<typeof movimientosOf>[1]) =>
  movimientosOf({ facturas: [], egresos: [], pagos: [], ...set }, politica)

/** The amounts that count, without zeros, as texts. */
function shown(movimiento: Movimiento | undefined) {
  assert.ok(movimiento)
  const amounts = IMPORTES.filter((key) => movimiento[key] !== 0n).map((key) => [key, formatCentavos(movimiento[key])])
  const { efecto, motivo, periodo } = movimiento
  return { efecto, motivo, mes: periodo.mes, ...Object.fromEntries(amounts) }
}

const counted = (movimientos: readonly Movimiento[]) => movimientos.filter(({ efecto }) => efecto === 'cuenta')

test('an invoice paid at once counts on its own date', () => {
  const [only] = derive({ facturas: [factura()] })
  assert.deepEqual(shown(only), { efecto: 'cuenta', motivo: null, mes: 3, base16: '10000.00', iva16: '1600.00' })
  assert.equal(formatCentavos(only!.total), '11600.00')
})

test('rates stand apart: 16, 8, 0, exempt, no object and those the law no longer has', () => {
  const impuestos = [
    traslado('0.160000', '299.70', '47.95'),
    traslado('0.08', '100.00', '8.00'),
    traslado('0.000000', '1250.00', '0.00'),
    exento('1200.00'),
    traslado('0.11', '10.00', '1.10'),
    { ...traslado('0.265', '1000', '265'), impuesto: '003' }, // IEPS is not IVA
    retencion('002', '31.97'),
    retencion('001', '29.97'),
  ]
  const [only] = derive({ facturas: [factura({ impuestos, baseNoObjeto: d('500') })] })
  assert.deepEqual(shown(only), {
    efecto: 'cuenta',
    motivo: null,
    mes: 3,
    base16: '299.70',
    iva16: '47.95',
    base8: '100.00',
    iva8: '8.00',
    base0: '1250.00',
    baseExenta: '1200.00',
    baseNoObjeto: '500.00',
    baseOtra: '10.00',
    ivaOtra: '1.10',
    ivaRetenido: '31.97',
    isrRetenido: '29.97',
  })
  assert.equal(only!.revisar, 'tasa_desconocida')
})

test('foreign currency is multiplied by TipoCambio and each line is rounded once', () => {
  const usd = { moneda: 'USD', tipoCambio: d('18.8017'), total: d('4352.61') }
  const [only] = derive({ facturas: [factura({ ...usd, impuestos: [traslado('0.16', '3752.25', '600.36')] })] })
  // 3,752.25 × 18.8017 = 70,548.678825; 600.36 × 18.8017 = 11,287.788612
  assert.deepEqual(shown(only), { efecto: 'cuenta', motivo: null, mes: 3, base16: '70548.68', iva16: '11287.79' })
})

test('a cancelled invoice is shown and does not count', () => {
  const [only] = derive({ facturas: [factura({ vigente: false })] })
  assert.deepEqual(shown(only), {
    efecto: 'sin_efecto',
    motivo: 'cancelado',
    mes: 3,
    base16: '10000.00',
    iva16: '1600.00',
  })
})

test('a deferred invoice counts nothing until it is paid', () => {
  const [only] = derive({ facturas: [ppd()] })
  assert.deepEqual([only!.efecto, only!.motivo], ['sin_efecto', 'ppd_sin_pago'])
})

test('a payment counts in the month of its FechaPago, with the taxes it says', () => {
  const [invoice, payment] = derive({ facturas: [ppd()], pagos: [pago({ fecha: '2026-03-31T20:00:00' })] })
  assert.deepEqual([invoice!.efecto, invoice!.motivo], ['sin_efecto', 'ppd_por_pagos'])
  assert.deepEqual(shown(payment), { efecto: 'cuenta', motivo: null, mes: 3, base16: '5000.00', iva16: '800.00' })
  assert.equal(payment!.documento, 'f1')
})

test('a payment of an invoice we do not have counts by what it says, and asks for a look', () => {
  const [payment] = derive({ pagos: [pago()] })
  assert.deepEqual(
    [payment!.efecto, payment!.revisar, formatCentavos(payment!.iva16)],
    ['cuenta', 'factura_desconocida', '800.00'],
  )
})

test('an invoice in dollars paid in pesos: amounts are DIVIDED by EquivalenciaDR', () => {
  const usd = ppd({
    moneda: 'USD',
    tipoCambio: d('18.7200'),
    total: d('4352.61'),
    impuestos: [traslado('0.16', '3752.25', '600.36')],
  })
  const payment = pago({
    moneda: 'USD',
    equivalencia: d('0.0531869529'),
    monto: d('81836.04'),
    pagado: d('4352.61'),
    impuestos: [traslado('0.16', '3752.25', '600.36')],
  })
  const [, second] = derive({ facturas: [usd], pagos: [payment] })
  // 3,752.25 ÷ 0.0531869529 = 70,548.3167…; 600.36 ÷ 0.0531869529 = 11,287.7306…; the invoice's own rate is irrelevant
  assert.deepEqual(shown(second), { efecto: 'cuenta', motivo: null, mes: 4, base16: '70548.32', iva16: '11287.73' })
  // 4,352.61 ÷ 0.0531869529 = 81,836.0474…, a centavo above the Monto of 81,836.04: the rate has ten places only
  assert.equal(formatCentavos(second!.total), '81836.05')
})

test('a payment in dollars of an invoice in dollars is multiplied by TipoCambioP', () => {
  const payment = pago({
    moneda: 'USD',
    tipoCambio: d('18.9011'),
    pagado: d('1160'),
    impuestos: [traslado('0.16', '1000', '160')],
  })
  // 1,000 × 18.9011 = 18,901.10; 160 × 18.9011 = 3,024.176
  assert.deepEqual(shown(derive({ pagos: [payment] })[0]), {
    efecto: 'cuenta',
    motivo: null,
    mes: 4,
    base16: '18901.10',
    iva16: '3024.18',
  })
})

test('an invoice in euros paid in dollars: divided by EquivalenciaDR, times TipoCambioP, rounded once', () => {
  // 100 USD × EquivalenciaDR 0.897102 EUR/USD = 89.7102 EUR. IVA of 12.37 EUR ÷ 0.897102 × 18.9011 = 260.6243…
  const payment = pago({
    moneda: 'EUR',
    tipoCambio: d('18.9011'),
    equivalencia: d('0.897102'),
    pagado: d('89.71'),
    impuestos: [traslado('0.16', '77.34', '12.37')],
  })
  // 77.34 ÷ 0.897102 × 18.9011 = 1,629.4814…
  assert.deepEqual(shown(derive({ pagos: [payment] })[0]), {
    efecto: 'cuenta',
    motivo: null,
    mes: 4,
    base16: '1629.48',
    iva16: '260.62',
  })
})

test('withholdings in a payment follow it', () => {
  const impuestos = [traslado('0.16', '10000', '1600'), retencion('001', '1000'), retencion('002', '1066.67')]
  const [payment] = derive({ pagos: [pago({ direccion: 'recibido', rfcEmisor: 'XIQB891116QE4', impuestos })] })
  assert.deepEqual(shown(payment), {
    efecto: 'cuenta',
    motivo: null,
    mes: 4,
    base16: '10000.00',
    iva16: '1600.00',
    ivaRetenido: '1066.67',
    isrRetenido: '1000.00',
  })
})

test('Pagos 1.0: the taxes of the invoice in proportion to what was paid', () => {
  const old = (change: Partial<PagoAplicado>) => pago({ version: '1.0', impuestos: [], objetoImp: null, ...change })
  const impuestos = [traslado('0.16', '1000.00', '160.00'), retencion('002', '106.67')]
  const invoice = ppd({ total: d('1053.33'), impuestos, baseNoObjeto: d('0') })
  // 1,053.33 in three: 351.11 each. 160.00 × 351.11 ÷ 1,053.33 = 53.3333…; 106.67 × … = 35.5566…; 1,000 × … = 333.3333…
  const [, third] = derive({ facturas: [invoice], pagos: [old({ pagado: d('351.11') })] })
  assert.deepEqual(shown(third), {
    efecto: 'cuenta',
    motivo: null,
    mes: 4,
    base16: '333.33',
    iva16: '53.33',
    ivaRetenido: '35.56',
  })

  // Without its invoice nothing is known of the taxes: it waits.
  const [alone] = derive({ pagos: [old({})] })
  assert.deepEqual([alone!.efecto, alone!.motivo, alone!.iva16], ['sin_efecto', 'factura_desconocida', 0n])

  // Paid in dollars: SAT had TipoCambioDR written as 1 for a document in pesos. Its amounts are pesos already.
  const [, inUsd] = derive({ facturas: [invoice], pagos: [old({ tipoCambio: d('20'), pagado: d('1053.33') })] })
  assert.deepEqual(shown(inUsd), {
    efecto: 'cuenta',
    motivo: null,
    mes: 4,
    base16: '1000.00',
    iva16: '160.00',
    ivaRetenido: '106.67',
  })

  // A document in dollars paid in pesos, 0.05 dollars per peso: 160 USD ÷ 0.05 = 3,200 pesos.
  const usd = ppd({
    moneda: 'USD',
    tipoCambio: d('19'),
    total: d('1160'),
    impuestos: [traslado('0.16', '1000', '160')],
  })
  const [, converted] = derive({
    facturas: [usd],
    pagos: [old({ moneda: 'USD', equivalencia: d('0.05'), pagado: d('1160') })],
  })
  assert.deepEqual(shown(converted), { efecto: 'cuenta', motivo: null, mes: 4, base16: '20000.00', iva16: '3200.00' })
})

test('an invoice paid at once that nevertheless has a valid receipt counts by the receipt only', () => {
  const movimientos = derive({ facturas: [factura()], pagos: [pago()] })
  assert.deepEqual(
    movimientos.map(({ efecto, motivo }) => [efecto, motivo]),
    [
      ['sin_efecto', 'pagado_con_rep'],
      ['cuenta', null],
    ],
  )
  const cancelled = derive({ facturas: [factura()], pagos: [pago({ vigente: false })] })
  assert.deepEqual(
    cancelled.map(({ efecto, motivo }) => [efecto, motivo]),
    [
      ['cuenta', null],
      ['sin_efecto', 'cancelado'],
    ],
  )
})

test('a receipt of somebody else changes nothing of ours', () => {
  const foreign = [pago({ direccion: 'recibido', rfcEmisor: 'AAA010101AAA' }), pago({ rfcEmisor: 'AAA010101AAA' })]
  for (const payment of foreign) {
    const [invoice, receipt] = derive({ facturas: [factura()], pagos: [payment] })
    assert.deepEqual([invoice!.efecto, receipt!.efecto, receipt!.motivo], ['cuenta', 'sin_efecto', 'rep_ajeno'])
  }
})

test('a payment of a cancelled invoice does not count', () => {
  const [invoice, payment] = derive({ facturas: [ppd({ vigente: false })], pagos: [pago()] })
  assert.deepEqual([invoice!.motivo, payment!.motivo], ['cancelado', 'factura_cancelada'])
})

test('a receipt of 2.0 without taxes for a taxed invoice asks for a look; without object of tax it has a base', () => {
  assert.equal(derive({ facturas: [ppd()], pagos: [pago({ impuestos: [] })] })[1]!.revisar, 'rep_sin_impuestos')
  for (const objetoImp of ['01', '03', '04']) {
    const free = derive({ facturas: [ppd({ impuestos: [] })], pagos: [pago({ impuestos: [], objetoImp })] })[1]
    assert.deepEqual(shown(free), { efecto: 'cuenta', motivo: null, mes: 4, baseNoObjeto: '5800.00' }, objetoImp)
  }
})

test('what is no object of tax counts alike whether it is paid at once, by a receipt of 1.0 or by one of 2.0', () => {
  // 10,000 + 1,600 and 4,000 without IVA: 15,600. ImpuestosDR tells of the taxed part only; half of all is paid.
  const mixed = { total: d('15600.00'), baseNoObjeto: d('4000.00') }
  const whole = { base16: '10000.00', iva16: '1600.00', baseNoObjeto: '4000.00' }
  const half = { base16: '5000.00', iva16: '800.00', baseNoObjeto: '2000.00' }
  const paid = pago({ monto: d('7800.00'), pagado: d('7800.00') })
  assert.deepEqual(shown(derive({ facturas: [factura(mixed)] })[0]), {
    efecto: 'cuenta',
    motivo: null,
    mes: 3,
    ...whole,
  })
  for (const version of ['1.0', '2.0'] as const) {
    const [, receipt] = derive({ facturas: [ppd(mixed)], pagos: [{ ...paid, version }] })
    assert.deepEqual(shown(receipt), { efecto: 'cuenta', motivo: null, mes: 4, ...half }, version)
  }
  const [stranger] = derive({ facturas: [ppd({ ...mixed, rfcEmisor: 'AAA010101AAA' })], pagos: [paid] }).slice(1)
  assert.equal(stranger!.baseNoObjeto, 0n, 'of an invoice that is not its own a receipt says nothing')
})

test('an invoice that says it was paid at once and that receipts pay owes what they have not paid', () => {
  // 11,600 less a note of 2,320, of which 9,280 are paid afterwards: 1,280.00 of IVA is all that was ever collected.
  const later = pago({ monto: d('9280.00'), pagado: d('9280.00'), impuestos: [traslado('0.16', '8000', '1280')] })
  const set = { facturas: [factura()], egresos: [egreso({ fecha: '2026-03-20T09:00:00' })] }
  const [invoice, receipt, note] = derive({ ...set, pagos: [later] })
  assert.deepEqual(
    [invoice, receipt, note].map((one) => [one!.efecto, one!.motivo]),
    [
      ['sin_efecto', 'pagado_con_rep'],
      ['cuenta', null],
      ['sin_efecto', 'reduce_saldo'],
    ],
  )
  // Paid in full before: the note gives money back, as on any other.
  const before = { ...later, fecha: '2026-03-06T12:00:00', pagado: d('11600.00') }
  assert.equal(formatCentavos(derive({ ...set, pagos: [before] })[2]!.iva16), '-320.00')
})

test('a credit note on an invoice paid at once is negative on its own date', () => {
  const [, note] = derive({ facturas: [factura()], egresos: [egreso()] })
  assert.deepEqual(shown(note), { efecto: 'cuenta', motivo: null, mes: 5, base16: '-2000.00', iva16: '-320.00' })
  assert.deepEqual([note!.documento, formatCentavos(note!.total)], ['f1', '-2320.00'])
})

test('a credit note on an unpaid deferred invoice lowers its balance and no tax', () => {
  const [, note] = derive({ facturas: [ppd()], egresos: [egreso()] })
  assert.deepEqual([note!.efecto, note!.motivo], ['sin_efecto', 'reduce_saldo'])
})

test('a credit note on a partly paid deferred invoice moves only what exceeds the balance', () => {
  // 11,600 − 10,440 paid = 1,160 owed. Of a note of 2,320 half lowers the balance; 1,160 / 2,320 of its taxes move.
  const payment = pago({ pagado: d('10440.00'), monto: d('10440.00'), impuestos: [traslado('0.16', '9000', '1440')] })
  const [, , note] = derive({ facturas: [ppd()], pagos: [payment], egresos: [egreso()] })
  assert.deepEqual(shown(note), { efecto: 'cuenta', motivo: null, mes: 5, base16: '-1000.00', iva16: '-160.00' })
  assert.equal(formatCentavos(note!.total), '-1160.00')
})

test('a payment of a later day does not count for the balance of a credit note', () => {
  const late = pago({ fecha: '2026-05-21T12:00:00', pagado: d('11600.00') })
  assert.equal(derive({ facturas: [ppd()], pagos: [late], egresos: [egreso()] })[2]!.motivo, 'reduce_saldo')
})

test('a payment and a credit note of one day: whichever hours they say, what was paid is not owed', () => {
  // Receipts say noon whenever the money came in; the note is of nine o'clock. All 11,600 are paid: 320.00 go back.
  const whole = pago({ fecha: '2026-05-20T12:00:00', pagado: d('11600.00') })
  const [, , note] = derive({ facturas: [ppd()], pagos: [whole], egresos: [egreso()] })
  assert.deepEqual([note!.efecto, formatCentavos(note!.iva16)], ['cuenta', '-320.00'])
  // And when only the rest is paid that day, the note lowers what it lowered.
  const rest = { ...whole, pagado: d('9280.00') }
  assert.equal(derive({ facturas: [ppd()], pagos: [rest], egresos: [egreso()] })[2]!.motivo, 'reduce_saldo')
})

test('credit notes take a balance in the order of their dates', () => {
  // Owed 11,600 − 8,120 = 3,480. The first takes 2,320, the second finds 1,160: half of it moves, 160.00 of IVA.
  const payment = pago({ pagado: d('8120.00') })
  const second = egreso({ uuid: 'e0', fecha: '2026-05-21T09:00:00' })
  const notes = derive({ facturas: [ppd()], pagos: [payment], egresos: [second, egreso()] }).filter(
    ({ clase }) => clase === 'EGRESO',
  )
  assert.deepEqual(
    notes.map(({ uuid, efecto, iva16 }) => [uuid, efecto, formatCentavos(iva16)]),
    [
      ['e1', 'sin_efecto', '-320.00'],
      ['e0', 'cuenta', '-160.00'],
    ],
  )
})

test('a note over several invoices lowers every balance before anything moves', () => {
  // Note of 2,320 on f1 (owes 1,000) and f2 (owes 500): 820 move, 820 / 2,320 of 320.00 = 113.1034…
  const facturas = [ppd({ total: d('1000') }), ppd({ uuid: 'f2', total: d('500') })]
  const note = derive({ facturas, egresos: [egreso({ relacionados: ['f1', 'f2'] })] }).at(-1)
  assert.equal(formatCentavos(note!.iva16), '-113.10')
  const all = derive({
    facturas: [...facturas, factura({ uuid: 'f3' })],
    egresos: [egreso({ relacionados: ['f1', 'f3', 'f2'] })],
  }).at(-1)
  assert.deepEqual(
    [formatCentavos(all!.iva16), all!.documento],
    ['-113.10', 'f3'],
    'the rest is of the one paid at once',
  )
})

test('a deferred credit note has no tax effect and lowers the balance', () => {
  const payment = pago({ pagado: d('9280.00') })
  const deferred = egreso({ metodoPago: 'PPD' })
  const next = egreso({ uuid: 'e2', fecha: '2026-05-22T00:00:00' })
  const notes = derive({ facturas: [ppd()], pagos: [payment], egresos: [deferred, next] }).slice(2)
  // Owed 11,600 − 9,280 = 2,320: the deferred note takes all, the next one is money back.
  assert.deepEqual(
    notes.map(({ motivo, efecto }) => [efecto, motivo]),
    [
      ['sin_efecto', 'egreso_ppd'],
      ['cuenta', null],
    ],
  )
  assert.equal(formatCentavos(notes[1]!.iva16), '-320.00')
})

test('by the other policy a note follows its own method of payment', () => {
  const note = derive({ facturas: [ppd()], egresos: [egreso()] }, 'por-metodo-del-egreso').at(-1)
  assert.deepEqual([note!.efecto, formatCentavos(note!.iva16)], ['cuenta', '-320.00'])
  const deferred = derive(
    { facturas: [factura()], egresos: [egreso({ metodoPago: 'PPD' })] },
    'por-metodo-del-egreso',
  ).at(-1)
  assert.equal(deferred!.motivo, 'egreso_ppd')
})

test('an advance in three steps is taxed once, on a total paid at once and on a deferred one', () => {
  // Advance 11,600 (IVA 1,600); total of the sale 34,800 (IVA 4,800); the note 07 takes the advance back.
  const advance = factura({ uuid: 'a' })
  const note = egreso({ total: d('11600'), formaPago: '30', impuestos: [traslado('0.16', '10000', '1600')] })
  const total = { total: d('34800'), impuestos: [traslado('0.16', '30000', '4800')] }
  const atOnce = counted(derive({ facturas: [advance, factura(total)], egresos: [note] }))
  assert.equal(
    atOnce.reduce((sum, { iva16 }) => sum + iva16, 0n),
    480_000n,
    '1,600 + 4,800 − 1,600',
  )

  const rest = pago({ pagado: d('23200'), monto: d('23200'), impuestos: [traslado('0.16', '20000', '3200')] })
  const deferred = counted(derive({ facturas: [advance, ppd(total)], pagos: [rest], egresos: [note] }))
  // The payment may come before the note or after it: 34,800 − 23,200 = 11,600 is owed in either case.
  assert.equal(
    deferred.reduce((sum, { iva16 }) => sum + iva16, 0n),
    480_000n,
    '1,600 + 3,200',
  )
})

test('a note that names one invoice we have and one we lack counts by the one and asks for a look', () => {
  const named = egreso({ relacionados: ['f1', 'f9'] })
  // 2,320 given back of a PUE invoice: 2,000 at 16 % is 320.00. What f9 is may change that: PPD, its balance goes first.
  const note = derive({ facturas: [factura()], egresos: [named] }).at(-1)
  assert.deepEqual(
    [note!.efecto, note!.revisar, formatCentavos(note!.iva16)],
    ['cuenta', 'relacionado_desconocido', '-320.00'],
  )
})

test('a note that names nothing, or nothing we have, counts in full and asks for a look', () => {
  for (const [relacionados, revisar] of [
    [[], 'egreso_sin_relacion'],
    [['f9'], 'relacionado_desconocido'],
  ] as const) {
    const note = derive({ egresos: [egreso({ relacionados })] })[0]
    assert.deepEqual([note!.efecto, note!.revisar, formatCentavos(note!.iva16)], ['cuenta', revisar, '-320.00'])
  }
})

test("a stranger's note does not touch our invoices", () => {
  const [, ours, theirs] = derive({
    facturas: [ppd()],
    egresos: [
      egreso({ uuid: 'x', direccion: 'recibido', rfcEmisor: 'AAA010101AAA', total: d('11600') }),
      egreso({ uuid: 'y' }),
    ],
  }).toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1))
  assert.deepEqual(
    [ours!.uuid, ours!.revisar, theirs!.uuid, theirs!.motivo],
    ['x', 'relacionado_desconocido', 'y', 'reduce_saldo'],
  )
})

test('cancelled notes and notes on cancelled invoices do nothing', () => {
  const cancelled = derive({
    facturas: [ppd()],
    egresos: [egreso({ vigente: false }), egreso({ uuid: 'e2', total: d('13920') })],
  })
  assert.deepEqual(
    cancelled.slice(1).map(({ motivo, iva16 }) => [motivo, formatCentavos(iva16)]),
    [
      ['cancelado', '-320.00'],
      // 13,920 − 11,600 owed: the cancelled note took nothing of it. 2,320 / 13,920 of 320.00 = 53.3333…
      [null, '-53.33'],
    ],
  )
  assert.equal(derive({ facturas: [factura({ vigente: false })], egresos: [egreso()] })[1]!.motivo, 'factura_cancelada')
})

test('with IVA withheld on the original, the note corrects the month of the original (LIVA 7)', () => {
  const withheld = [traslado('0.16', '10000', '1600'), retencion('002', '1066.67')]
  const note = egreso({ impuestos: [traslado('0.16', '2000', '320'), retencion('002', '213.33')] })
  const [, onPaid] = derive({ facturas: [factura({ impuestos: withheld })], egresos: [note] })
  assert.deepEqual(shown(onPaid), {
    efecto: 'cuenta',
    motivo: null,
    mes: 3,
    base16: '-2000.00',
    iva16: '-320.00',
    ivaRetenido: '-213.33',
  })
  assert.equal(onPaid!.requiereComplementaria, true)
  const [, , onDeferred] = derive({
    facturas: [ppd({ impuestos: withheld })],
    pagos: [pago({ pagado: d('11600') })],
    egresos: [note],
  })
  assert.equal(onDeferred!.periodo.mes, 4, 'the month in which it was paid')
  const [, soon] = derive({
    facturas: [factura({ impuestos: withheld })],
    egresos: [{ ...note, fecha: '2026-03-31T23:59:59' }],
  })
  assert.deepEqual([soon!.periodo.mes, soon!.requiereComplementaria], [3, false], 'that month is not over')
})

test('received: what is not deductible is not creditable, whatever way it was paid', () => {
  const received = (change: Partial<Factura>) =>
    factura({ direccion: 'recibido', rfcEmisor: 'IIA040805DZ4', ...change })
  const paid = (change: Partial<PagoAplicado>) => pago({ direccion: 'recibido', rfcEmisor: 'IIA040805DZ4', ...change })
  const cash = { formaPago: '01', total: d('2320') }
  assert.equal(derive({ facturas: [received(cash)] })[0]!.motivo, 'efectivo_mayor_2000')
  assert.equal(derive({ facturas: [received({ ...cash, total: d('1740') })] })[0]!.efecto, 'cuenta')
  assert.equal(
    derive({ facturas: [received({ ...cash, total: d('580'), combustible: true })] })[0]!.motivo,
    'combustible_efectivo',
  )
  assert.equal(derive({ facturas: [received({ usoCfdi: 'S01' })] })[0]!.motivo, 'uso_sin_efectos')
  // 150 USD in cash are 2,700 pesos.
  assert.equal(
    derive({ facturas: [received({ ...cash, total: d('150'), moneda: 'USD', tipoCambio: d('18') })] })[0]!.motivo,
    'efectivo_mayor_2000',
  )
  // A receipt: the limit is for the payment as a whole, not for each document it settles.
  const twoDocuments = [
    paid({ formaPago: '01', monto: d('2320'), pagado: d('1160') }),
    paid({ n: 1, idDocumento: 'f2', formaPago: '01', monto: d('2320'), pagado: d('1160') }),
  ]
  assert.deepEqual(
    derive({ pagos: twoDocuments }).map(({ motivo }) => motivo),
    ['efectivo_mayor_2000', 'efectivo_mayor_2000'],
  )
  const deferred = received({ metodoPago: 'PPD', usoCfdi: 'D01' })
  assert.equal(
    derive({ facturas: [deferred], pagos: [paid({})] })[1]!.motivo,
    'uso_deduccion_personal',
    "the use is the invoice's",
  )
  // Issued documents have no such reasons.
  assert.equal(derive({ facturas: [factura({ ...cash, usoCfdi: 'S01' })] })[0]!.efecto, 'cuenta')
})

test('a note on something never credited takes no credit away', () => {
  const rejected = factura({ direccion: 'recibido', rfcEmisor: 'IIA040805DZ4', usoCfdi: 'S01' })
  const note = egreso({ direccion: 'recibido', rfcEmisor: 'IIA040805DZ4' })
  const [, derived] = derive({ facturas: [rejected], egresos: [note] })
  assert.deepEqual(
    [derived!.efecto, derived!.motivo, formatCentavos(derived!.iva16)],
    ['no_acreditable', 'egreso_de_rechazado', '-320.00'],
  )
  const [, onGood] = derive({ facturas: [{ ...rejected, usoCfdi: 'G03' }], egresos: [note] })
  assert.deepEqual([onGood!.efecto, formatCentavos(onGood!.iva16)], ['cuenta', '-320.00'])
})

test('an invoice without method of payment counts as paid at once and asks for a look', () => {
  const [only] = derive({ facturas: [factura({ metodoPago: null })] })
  assert.deepEqual([only!.clase, only!.efecto, only!.revisar], ['PUE', 'cuenta', 'sin_metodo_pago'])
})

test('what a listed issuer issued is never credited, whichever of its documents the SAT was asked for', () => {
  const listed = { direccion: 'recibido', emisor69b: true } as const
  const [invoice] = derive({ facturas: [factura(listed)] })
  assert.deepEqual([invoice!.efecto, invoice!.motivo], ['no_acreditable', 'emisor_69b'])
  const known = ppd({ direccion: 'recibido' })
  for (const both of [
    { facturas: [{ ...known, emisor69b: true }], pagos: [pago({ direccion: 'recibido' })] },
    { facturas: [known], pagos: [pago(listed)] },
  ]) {
    const payment = derive(both).find(({ clase }) => clase === 'REP')
    assert.deepEqual([payment!.efecto, payment!.motivo], ['no_acreditable', 'emisor_69b'])
  }
  const note = derive({ facturas: [factura(listed)], egresos: [egreso({ ...listed, relacionados: ['f1'] })] }).at(-1)
  assert.deepEqual([note!.efecto, note!.motivo], ['no_acreditable', 'egreso_de_rechazado'])
  // Which invoice it is on nobody knows: whichever it is, its IVA was never credited.
  for (const relacionados of [[], ['f9']]) {
    const alone = derive({ egresos: [egreso({ ...listed, relacionados })] })[0]
    assert.deepEqual([alone!.efecto, alone!.motivo], ['no_acreditable', 'egreso_de_rechazado'])
  }
  const [own] = derive({ facturas: [factura({ emisor69b: true })] })
  assert.equal(own!.efecto, 'cuenta', 'of what the company issues nothing is credited anyway')
})

test('totals of zero divide nothing', () => {
  const zero = { total: d('0'), impuestos: [] }
  assert.doesNotThrow(() =>
    derive({ facturas: [ppd(zero)], egresos: [egreso({ ...zero })], pagos: [pago({ version: '1.0', impuestos: [] })] }),
  )
})

const amount = fc.integer({ min: 1, max: 5_000_00 }).map((cents) => ({ units: BigInt(cents), places: 2 }))
const ids = fc.constantFrom('f0', 'f1', 'f2', 'f3')
const day = fc.integer({ min: 1, max: 28 }).map((n) => `2026-0${1 + (n % 9)}-${String(n).padStart(2, '0')}T10:00:00`)
const expedientes = fc.record({
  facturas: fc.uniqueArray(
    fc
      .record({
        uuid: ids,
        metodoPago: fc.constantFrom('PUE', 'PPD'),
        total: amount,
        fecha: day,
        vigente: fc.boolean(),
      })
      .map((change) => factura(change)),
    { selector: ({ uuid }) => uuid },
  ),
  egresos: fc.uniqueArray(
    fc
      .record({
        uuid: fc.constantFrom('e0', 'e1', 'e2'),
        total: amount,
        fecha: day,
        vigente: fc.boolean(),
        relacionados: fc.uniqueArray(ids),
      })
      .map((change) => egreso(change)),
    { selector: ({ uuid }) => uuid },
  ),
  pagos: fc.uniqueArray(
    fc
      .record({
        uuid: fc.constantFrom('p0', 'p1'),
        n: fc.integer({ min: 0, max: 3 }),
        idDocumento: ids,
        pagado: amount,
        fecha: day,
        vigente: fc.boolean(),
      })
      .map((change) => pago(change)),
    { selector: ({ uuid, n }) => `${uuid}${n}` },
  ),
})

test('property: the movements of a set do not depend on the order it comes in', () => {
  const sorted = (set: Expediente) =>
    movimientosOf(set)
      .map((one) => JSON.stringify(one, (_, value) => (typeof value === 'bigint' ? `${value}` : value)))
      .toSorted()
  fc.assert(
    fc.property(expedientes, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (set, random) => {
      const shuffled = <T>(list: readonly T[]): T[] =>
        list
          .map((one) => [random.next().value, one] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, one]) => one)
      const other = { facturas: shuffled(set.facturas), egresos: shuffled(set.egresos), pagos: shuffled(set.pagos) }
      assert.deepEqual(sorted(other), sorted(set))
    }),
  )
})

test('property: every document has its movement, once, and notes never give back more than they say', () => {
  fc.assert(
    fc.property(expedientes, (set) => {
      const movimientos = movimientosOf(set)
      assert.equal(movimientos.length, set.facturas.length + set.egresos.length + set.pagos.length)
      assert.equal(new Set(movimientos.map(({ uuid, n }) => `${uuid} ${n}`)).size, movimientos.length)
      for (const one of movimientos) {
        assert.equal(one.efecto === 'cuenta', one.motivo === null)
        if (one.clase !== 'EGRESO') continue
        const note = set.egresos.find(({ uuid }) => uuid === one.uuid)
        assert.ok(one.total <= 0n && -one.total <= note!.total.units)
        assert.ok(one.iva16 <= 0n && one.iva16 >= -320_00n)
      }
    }),
  )
})
