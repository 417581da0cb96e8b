import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { formatCentavos, parseCentavos } from '../fiscal/money.ts'
import { formatProporcion, type GastoReducido, parte, proporcionDe, reducir } from './acreditable.ts'
import { baseIva, ivaMensual, SIN_ARRASTRE, type SumaIva } from './iva.ts'
import { type Importes, SIN_IMPORTES } from './movimiento.ts'

const m = parseCentavos
const acts = (importes: Partial<Importes>) => proporcionDe({ ...SIN_IMPORTES, ...importes })

test('the proportion is cut at four decimals and never rounded up (CFF 17-A)', () => {
  for (const [importes, expected] of [
    [{ base16: m('100.00') }, '1.0000'],
    [{ baseExenta: m('100.00') }, '0.0000'],
    [{ base16: m('50000.00'), baseExenta: m('10000.00') }, '0.8333'],
    [{ base16: m('2.00'), baseNoObjeto: m('1.00') }, '0.6666'],
    [
      { base16: m('10.00'), base8: m('10.00'), base0: m('10.00'), baseOtra: m('10.00'), baseExenta: m('10.00') },
      '0.8000',
    ],
    [{ base16: m('99999.99'), baseExenta: m('0.01') }, '0.9999'],
  ] as const) {
    const found = acts(importes)
    assert.equal(found === null ? null : formatProporcion(found), expected)
  }
})

test('without acts there is no proportion, and credit notes leave it within 0 and 1', () => {
  assert.equal(acts({}), null)
  assert.equal(acts({ base16: m('-100.00') }), null)
  assert.equal(acts({ base16: m('-100.00'), baseExenta: m('300.00') }), 0n)
  assert.equal(acts({ base16: m('300.00'), baseExenta: m('-100.00') }), 10_000n)
})

test('what is credited of an expense: its use, its proportion, its deductible share, rounded once', () => {
  const of = (
    amount: string,
    destinoIva: 'gravado' | 'exento' | 'indistinto',
    porcentaje: string,
    proporcion?: bigint,
  ) => formatCentavos(parte(m(amount), { destinoIva, porcentajeDeducible: m(porcentaje) }, proporcion ?? null))
  assert.equal(of('160.00', 'gravado', '100.00'), '160.00')
  assert.equal(of('160.00', 'gravado', '8.50'), '13.60')
  assert.equal(of('160.00', 'exento', '100.00', 10_000n), '0.00')
  assert.equal(of('160.00', 'indistinto', '100.00', 8_333n), '133.33')
  assert.equal(of('160.00', 'indistinto', '50.00', 8_333n), '66.66') // 66.664
  assert.equal(of('160.00', 'indistinto', '100.00'), '0.00', 'no acts, no proportion')
  // 0.125: half a centavo goes away from zero, on both sides
  assert.equal(of('0.25', 'gravado', '50.00'), '0.13')
  assert.equal(of('-0.25', 'gravado', '50.00'), '-0.13')
})

const gasto = (change: Partial<GastoReducido>): GastoReducido => ({
  destinoIva: 'gravado',
  porcentajeDeducible: 100_00n,
  iva: m('1600.00'),
  ivaRetenido: 0n,
  veces: 1,
  ...change,
})

test('a month tells what it does not credit, and why, and credits the rest', () => {
  const sumas: SumaIva[] = [
    {
      ...SIN_IMPORTES,
      direccion: 'emitido',
      efecto: 'cuenta',
      motivo: null,
      base16: m('50000.00'),
      iva16: m('8000.00'),
      baseExenta: m('10000.00'),
    },
    {
      ...SIN_IMPORTES,
      direccion: 'recibido',
      efecto: 'cuenta',
      motivo: null,
      base16: m('40000.00'),
      iva16: m('6400.00'),
      ivaRetenido: m('1066.67'),
    },
  ]
  const base = baseIva(sumas, [
    gasto({ destinoIva: 'exento' }),
    gasto({ destinoIva: 'indistinto', porcentajeDeducible: 50_00n, ivaRetenido: m('1066.67') }),
    gasto({ porcentajeDeducible: 8_50n }),
  ])
  const iva = ivaMensual(base, SIN_ARRASTRE)
  // 1,600.00 whole; of 533.33: × 0.8333 = 444.42 (88.91 less), × 50 % = 222.21 (222.21 less); 1,600.00 − 136.00
  assert.deepEqual(
    Object.fromEntries(Object.entries(base.reducido.porMotivo).map(([key, value]) => [key, formatCentavos(value)])),
    { destino_exento: '1600.00', proporcion: '88.91', no_deducible: '1686.21' },
  )
  assert.equal(formatCentavos(base.reducido.pagado), '3375.12')
  // 6,400.00 − 1,066.67 − 3,375.12
  assert.equal(formatCentavos(iva.ivaAcreditable), '1958.21')
  // Remitted whole; credited next month as its document is: 1,066.67 × 0.8333 × 50 % = 444.43
  assert.equal(formatCentavos(base.ivaRetenidoATerceros), '1066.67')
  assert.equal(formatCentavos(iva.arrastre.ivaRetenidoPorAcreditar), '444.43')
})

test('property: reasons add up to what is not credited, and a document and its whole refund leave nothing', () => {
  const cents = fc.bigInt({ min: 0n, max: 100_000_000n })
  const one = fc.record({
    destinoIva: fc.constantFrom('gravado', 'exento', 'indistinto'),
    porcentajeDeducible: fc.bigInt({ min: 0n, max: 100_00n }),
    iva: cents,
    ivaRetenido: cents,
    veces: fc.integer({ min: 1, max: 3 }),
  })
  const proporcion = fc.option(fc.bigInt({ min: 0n, max: 10_000n }))
  fc.assert(
    fc.property(fc.array(one as fc.Arbitrary<GastoReducido>), proporcion, (gastos, proporcion) => {
      const { pagado, retenido, porMotivo } = reducir(gastos, proporcion)
      assert.equal(
        Object.values(porMotivo).reduce((sum, part) => sum + part, 0n),
        pagado,
      )
      const netos = gastos.reduce((sum, { iva, ivaRetenido, veces }) => sum + (iva - ivaRetenido) * BigInt(veces), 0n)
      const retenidos = gastos.reduce((sum, { ivaRetenido, veces }) => sum + ivaRetenido * BigInt(veces), 0n)
      if (gastos.every(({ iva, ivaRetenido }) => iva >= ivaRetenido)) assert.ok(pagado >= 0n && pagado <= netos)
      assert.ok(retenido >= 0n && retenido <= retenidos)
      const refunds = gastos.map((gasto) => ({ ...gasto, iva: -gasto.iva, ivaRetenido: -gasto.ivaRetenido }))
      const both = reducir([...gastos, ...refunds], proporcion)
      assert.deepEqual([both.pagado, both.retenido], [0n, 0n])
    }),
  )
})
