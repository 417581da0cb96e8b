import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { parseExpresion, readRequest } from '../../simulators/sat/soap.ts'
import { type Consultable, envelopeOf, expresionImpresa } from './expresion.ts'

const cfdi: Consultable = {
  uuid: 'cee4be01-adfa-4deb-8421-add60f0bedac',
  version: '4.0',
  rfcEmisor: 'H&E951128469',
  rfcReceptor: 'EKU9003173C9',
  total: '16800.000000',
  selloFin: 'IRy76Q==',
}

test('an expression has the parties, the total, the folio in upper case and the end of the seal', () => {
  assert.equal(
    expresionImpresa(cfdi),
    '?re=H&E951128469&rr=EKU9003173C9&tt=16800.0&id=CEE4BE01-ADFA-4DEB-8421-ADD60F0BEDAC&fe=IRy76Q==',
  )
})

for (const [total, plain, padded] of [
  ['0', '0.0', '0000000000.000000'],
  ['0.000000', '0.0', '0000000000.000000'],
  ['1.500000', '1.5', '0000000001.500000'],
  ['1160', '1160.0', '0000001160.000000'],
  ['1160.5', '1160.5', '0000001160.500000'],
  ['0.010000', '0.01', '0000000000.010000'],
  ['123456.789012', '123456.789012', '0000123456.789012'],
  ['100', '100.0', '0000000100.000000'],
  ['123456789012.340000', '123456789012.34', '123456789012.340000'],
] as const)
  test(`a total of ${total} is ${plain} since 3.3 and ${padded} in 3.2`, () => {
    assert.match(expresionImpresa({ ...cfdi, total }), new RegExp(`&tt=${plain}&`))
    const old = expresionImpresa({ ...cfdi, version: '3.2', total })
    assert.match(old, new RegExp(`&tt=${padded}&`))
    assert.ok(!old.includes('&fe='), 'and 3.2 has no seal')
  })

test('a seal that is not known, or is none, is left out', () => {
  for (const selloFin of [null, '', 'corto', ']]>]]>]]', '<script>', 'áéíóúñüñ', '12345678\n'])
    assert.ok(!expresionImpresa({ ...cfdi, selloFin }).includes('fe='), String(selloFin))
})

test('what is no total is a bug, and not asked', () => {
  for (const total of ['-1', '1,000.00', '1e3', 'NaN', ''])
    assert.throws(() => expresionImpresa({ ...cfdi, total }), RangeError)
})

test('what is asked for any CFDI reaches the service as it was meant', () => {
  const letters = fc.stringMatching(/^[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}$/)
  const spec = fc.record({
    uuid: fc.uuid(),
    version: fc.constantFrom('3.2', '3.3', '4.0'),
    rfcEmisor: letters,
    rfcReceptor: letters,
    total: fc.tuple(fc.bigInt(0n, 9_999_999_999n), fc.stringMatching(/^[0-9]{6}$/)).map(([a, b]) => `${a}.${b}`),
    selloFin: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{8}$/)),
  })
  fc.assert(
    fc.property(spec, (one) => {
      const sent = readRequest(envelopeOf(expresionImpresa(one)))
      const got = parseExpresion(sent)
      assert.ok(got, sent)
      assert.deepEqual([got.re, got.rr, got.id], [one.rfcEmisor, one.rfcReceptor, one.uuid.toUpperCase()])
      assert.equal(Number(got.tt), Number(one.total))
      assert.equal(got.fe, one.version === '3.2' ? null : one.selloFin)
    }),
    { numRuns: 500 },
  )
})

test('no text can leave its CDATA', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(']', '>', '<', '&', 'a', ']]>', '<![CDATA[')).map((parts) => parts.join('')),
      (text) => assert.equal(readRequest(envelopeOf(text)), text),
    ),
  )
})

test('the message is the one of the fixture', () => {
  const fixture = ownFixture('sat-ws/estado-cfdi/own-request-expresion-40.xml').toString()
  const expresion = readRequest(fixture)
  assert.equal(envelopeOf(expresion), fixture.trim())
  assert.equal(expresionImpresa(cfdi), expresion.replace('tt=16800.00', 'tt=16800.0'))
})
