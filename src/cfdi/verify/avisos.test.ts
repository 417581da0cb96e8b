import assert from 'node:assert/strict'
import test from 'node:test'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture, ownFixtures } from '../../../test/support/fixtures.ts'
import { parseCfdi } from '../read/parse.ts'
import { avisosOf } from './avisos.ts'

const codes = (spec: CfdiSpec) => avisosOf(parseCfdi(Buffer.from(cfdiXml(spec)))).map(({ code }) => code)

test('the fixtures square, taxes of every kind included', () => {
  for (const name of ['cfdi/33', 'cfdi/40'].flatMap(ownFixtures)) {
    assert.deepEqual(avisosOf(parseCfdi(ownFixture(name))), [], name)
  }
})

test('a total that its parts do not make is told; a centavo is rounding', () => {
  assert.deepEqual(codes({ total: '116.00' }), [])
  assert.deepEqual(codes({ total: '116.01' }), [])
  assert.deepEqual(codes({ total: '115.98' }), ['cfdi.total_mismatch'])
  assert.deepEqual(codes({ total: '106.00', descuento: '10.00' }), [])
  assert.deepEqual(codes({ total: '105.33', retenciones: [{ impuesto: '002', importe: '10.67' }] }), [])
  assert.deepEqual(codes({ total: '99999.99' }), ['cfdi.total_mismatch'])
})

test('the taxes of a receipt that its documents do not make are told', () => {
  const receipt = ownFixture('cfdi/40/own-p-rep4-usd-pagado-en-mxn.xml').toString('utf8')
  const wrong = receipt.replace('TotalTrasladosImpuestoIVA16="11287.73"', 'TotalTrasladosImpuestoIVA16="11287.75"')
  const [aviso] = avisosOf(parseCfdi(Buffer.from(wrong)))
  assert.equal(aviso?.code, 'cfdi.payment_mismatch')
  assert.equal(aviso?.mensaje, 'Los totales del pago dicen 11287.75 de IVA y sus documentos suman 11287.73.')
})

test('sums that the document says of its own taxes are checked', () => {
  const invoice = ownFixture('cfdi/40/own-i-pue-iva16.xml').toString('utf8')
  const wrong = invoice.replace('TotalImpuestosTrasladados="1600.00"', 'TotalImpuestosTrasladados="1700.00"')
  assert.deepEqual(
    avisosOf(parseCfdi(Buffer.from(wrong))).map(({ code }) => code),
    ['cfdi.taxes_mismatch'],
  )
})
