import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { formatCentavos, parseCentavos } from '../fiscal/money.ts'
import { type Arrastre, arrastreHacia, baseIva, ivaMensual, type MesIva, SIN_ARRASTRE, type SumaIva } from './iva.ts'
import { type Gasto, IMPORTES, type Importes, rechazoDe, SIN_IMPORTES } from './movimiento.ts'

const m = parseCentavos

const suma = (
  direccion: SumaIva['direccion'],
  importes: Partial<Importes>,
  efecto: SumaIva['efecto'] = 'cuenta',
  motivo: SumaIva['motivo'] = null,
): SumaIva => ({
  ...SIN_IMPORTES,
  ...importes,
  direccion,
  efecto,
  motivo,
})

const mes = (sumas: SumaIva[], anterior: Arrastre = SIN_ARRASTRE) => ivaMensual(baseIva(sumas), anterior)

test('a month is what was collected, less what customers withheld, less what was paid to suppliers', () => {
  const iva = mes([
    suma('emitido', { base16: m('60000.00'), iva16: m('9600.00'), ivaRetenido: m('6400.00') }),
    suma('emitido', { base8: m('1000.00'), iva8: m('80.00') }),
    suma('recibido', { base16: m('15000.00'), iva16: m('2400.00') }),
  ])
  // 9,600 + 80 − 6,400 − 2,400 = 880
  assert.equal(formatCentavos(iva.ivaTrasladado), '9680.00')
  assert.equal(formatCentavos(iva.diferencia), '880.00')
  assert.equal(formatCentavos(iva.aCargo), '880.00')
  assert.equal(iva.aFavor, 0n)
})

test('a balance in favour is carried until later months use it up (LIVA 6)', () => {
  const enero = mes([suma('emitido', { iva16: m('3200.00') }), suma('recibido', { iva16: m('8000.00') })])
  const febrero = mes(
    [suma('emitido', { iva16: m('6400.00') }), suma('recibido', { iva16: m('3000.00') })],
    enero.arrastre,
  )
  const marzo = mes(
    [suma('emitido', { iva16: m('4800.00') }), suma('recibido', { iva16: m('1600.00') })],
    febrero.arrastre,
  )
  // 3,200 − 8,000 = −4,800
  assert.deepEqual([enero.aCargo, enero.aFavor, enero.remanente], [0n, m('4800.00'), m('4800.00')])
  // 6,400 − 3,000 = 3,400, all of it from the 4,800: 1,400 left
  assert.deepEqual([febrero.aCargo, febrero.saldoAFavorAplicado, febrero.remanente], [0n, m('3400.00'), m('1400.00')])
  // 4,800 − 1,600 = 3,200 − 1,400 = 1,800
  assert.deepEqual([marzo.aCargo, marzo.saldoAFavorAplicado, marzo.remanente], [m('1800.00'), m('1400.00'), 0n])
})

test('what we withhold from suppliers is not creditable this month but the next (LIVA 5-IV)', () => {
  // Fees of 10,000.00: IVA 1,600.00, of which two thirds, 1,066.67, are withheld and remitted by us.
  const sumas = [
    suma('emitido', { iva16: m('5000.00') }),
    suma('recibido', {
      base16: m('10000.00'),
      iva16: m('1600.00'),
      ivaRetenido: m('1066.67'),
      isrRetenido: m('1000.00'),
    }),
  ]
  const mayo = mes(sumas)
  // Paid to the supplier: 1,600.00 − 1,066.67 = 533.33. 5,000.00 − 533.33 = 4,466.67
  assert.equal(formatCentavos(mayo.ivaAcreditable), '533.33')
  assert.equal(formatCentavos(mayo.aCargo), '4466.67')
  assert.equal(formatCentavos(baseIva(sumas).ivaRetenidoATerceros), '1066.67')

  const junio = mes([suma('emitido', { iva16: m('5000.00') })], mayo.arrastre)
  // 5,000.00 − 1,066.67 = 3,933.33
  assert.equal(formatCentavos(junio.ivaAcreditable), '1066.67')
  assert.equal(formatCentavos(junio.aCargo), '3933.33')
  const julio = mes([suma('emitido', { iva16: m('5000.00') })], junio.arrastre)
  assert.equal(formatCentavos(julio.aCargo), '5000.00', 'it is credited once')
})

test('a month without movements still credits what the one before withheld', () => {
  const junio = mes([], { saldoAFavor: 0n, ivaRetenidoPorAcreditar: m('1066.67') })
  assert.deepEqual([junio.aCargo, junio.aFavor, junio.remanente], [0n, m('1066.67'), m('1066.67')])
})

test('a balance brought along replaces what was carried, but not what was withheld the month before (LIVA 5-IV)', () => {
  const periodo = { ejercicio: 2025, mes: 12 }
  // December: 1,600.00 paid, 1,066.67 of it withheld: 533.33 in favour. January credits the 1,066.67.
  const base = baseIva([suma('recibido', { iva16: m('1600.00'), ivaRetenido: m('1066.67') })])
  const diciembre: MesIva = { periodo, base, iva: ivaMensual(base, SIN_ARRASTRE) }
  const reaching = (mes: number, desde: number) =>
    arrastreHacia({ ejercicio: 2026, mes }, diciembre, { saldoAFavor: 500_00n, desde: { ejercicio: 2026, mes: desde } })
  assert.deepEqual(reaching(1, 1), { saldoAFavor: 500_00n, ivaRetenidoPorAcreditar: 1066_67n })
  assert.deepEqual(
    reaching(2, 1),
    { saldoAFavor: 1566_67n, ivaRetenidoPorAcreditar: 0n },
    'an empty January credited it',
  )
  assert.deepEqual(
    reaching(2, 2),
    { saldoAFavor: 500_00n, ivaRetenidoPorAcreditar: 0n },
    'January was before the opening',
  )
  assert.deepEqual(reaching(1, 2), { saldoAFavor: 533_33n, ivaRetenidoPorAcreditar: 1066_67n }, 'not open yet')
  assert.deepEqual(reaching(12, 1), { saldoAFavor: 1566_67n, ivaRetenidoPorAcreditar: 0n })
})

test('rejected expenses are not credited, are told by reason, and what was withheld on them is remitted but never credited', () => {
  const sumas = [
    suma('emitido', { iva16: m('1000.00') }),
    suma('recibido', { iva16: m('320.00') }, 'no_acreditable', 'efectivo_mayor_2000'),
    suma('recibido', { iva16: m('160.00'), ivaRetenido: m('106.67') }, 'no_acreditable', 'uso_sin_efectos'),
    suma('recibido', { iva16: m('-16.00') }, 'no_acreditable', 'egreso_de_rechazado'),
    suma('recibido', { iva16: m('999.00') }, 'sin_efecto', 'ppd_sin_pago'),
    suma('emitido', { iva16: m('999.00') }, 'sin_efecto', 'cancelado'),
  ]
  const base = baseIva(sumas)
  assert.equal(formatCentavos(base.noAcreditable), '464.00')
  assert.deepEqual(base.noAcreditablePorMotivo, {
    efectivo_mayor_2000: m('320.00'),
    uso_sin_efectos: m('160.00'),
    egreso_de_rechazado: m('-16.00'),
  })
  assert.equal(formatCentavos(base.ivaRetenidoATerceros), '106.67')
  const iva = ivaMensual(base, SIN_ARRASTRE)
  assert.equal(formatCentavos(iva.aCargo), '1000.00')
  assert.equal(iva.arrastre.ivaRetenidoPorAcreditar, 0n)
})

test('credit notes may turn either side around', () => {
  // We gave back more than we collected: −160.00 − 100.00 = −260.00, in favour.
  assert.equal(
    formatCentavos(mes([suma('emitido', { iva16: m('-160.00') }), suma('recibido', { iva16: m('100.00') })]).aFavor),
    '260.00',
  )
  // A supplier gave back more than we paid: 0 − (−160.00) = 160.00 due.
  assert.equal(formatCentavos(mes([suma('recibido', { iva16: m('-160.00') })]).aCargo), '160.00')
})

test('only the payment is rounded to pesos (CFF 20)', () => {
  assert.equal(formatCentavos(mes([suma('emitido', { iva16: m('2400.50') })]).importeAPagar), '2400.00')
  assert.equal(formatCentavos(mes([suma('emitido', { iva16: m('2400.51') })]).importeAPagar), '2401.00')
})

test('which payments to suppliers are creditable', () => {
  const gasto: Gasto = { usoCfdi: 'G03', formaPago: '03', pago: m('58000.00'), combustible: false, emisor69b: false }
  const cases: [Partial<Gasto>, ReturnType<typeof rechazoDe>][] = [
    [{}, null],
    [{ usoCfdi: 'S01' }, 'uso_sin_efectos'],
    [{ usoCfdi: 'D01' }, 'uso_deduccion_personal'],
    [{ usoCfdi: 'D10' }, 'uso_deduccion_personal'],
    [{ usoCfdi: 'D11' }, null],
    [{ usoCfdi: 'I04' }, null], // an investment is depreciated for ISR; its IVA is creditable
    [{ usoCfdi: 'P01' }, null],
    [{ usoCfdi: null }, null],
    [{ formaPago: '01' }, 'efectivo_mayor_2000'],
    [{ formaPago: '01', pago: m('2000.01') }, 'efectivo_mayor_2000'],
    [{ formaPago: '01', pago: m('2000.00') }, null],
    [{ formaPago: '01', pago: m('580.00'), combustible: true }, 'combustible_efectivo'],
    [{ formaPago: '04', pago: m('580.00'), combustible: true }, null],
    [{ emisor69b: true }, 'emisor_69b'],
    [{ emisor69b: true, usoCfdi: 'S01' }, 'emisor_69b'],
    [{ formaPago: null }, null],
    [{ formaPago: '99' }, null],
  ]
  for (const [change, reason] of cases)
    assert.equal(
      rechazoDe({ ...gasto, ...change }),
      reason,
      JSON.stringify(change, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
    )
})

const importes = fc.record(
  Object.fromEntries(IMPORTES.map((key) => [key, fc.bigInt({ min: -(10n ** 9n), max: 10n ** 12n })])),
) as fc.Arbitrary<Importes>
const sumas = fc.array(
  fc.record({
    importes,
    direccion: fc.constantFrom('emitido', 'recibido'),
    efecto: fc.constantFrom('cuenta', 'no_acreditable', 'sin_efecto'),
  }),
)

test('property: balances are conserved, nothing is both due and in favour, and carries are never negative', () => {
  fc.assert(
    fc.property(fc.array(sumas, { minLength: 1, maxLength: 12 }), (meses) => {
      let arrastre = SIN_ARRASTRE
      let diferencias = 0n
      let pagado = 0n
      for (const parts of meses) {
        const iva = mes(
          parts.map(({ importes, direccion, efecto }) => suma(direccion, importes, efecto)),
          arrastre,
        )
        assert.ok(iva.aCargo >= 0n && iva.aFavor >= 0n && (iva.aCargo === 0n || iva.aFavor === 0n))
        assert.ok(iva.remanente >= 0n && iva.saldoAFavorAplicado >= 0n)
        assert.ok(iva.aCargo === 0n || iva.remanente === 0n, 'a balance is used before anything is due')
        diferencias += iva.diferencia
        pagado += iva.aCargo
        arrastre = iva.arrastre
      }
      // Over the months: what was due minus what is still in favour is the sum of the differences.
      assert.equal(pagado - arrastre.saldoAFavor, diferencias)
    }),
  )
})
