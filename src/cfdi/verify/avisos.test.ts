import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import fc from 'fast-check'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture, ownFixtures, sharedFixtures } from '../../../test/support/fixtures.ts'
import { AppError } from '../../errors.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { parseCfdi, readComprobante } from '../read/parse.ts'
import { readXml } from '../read/xml.ts'
import { avisosOf } from './avisos.ts'
import { AVISOS, avisoOf } from './codigos.ts'

const avisos = (xml: string) => avisosOf(parseCfdi(Buffer.from(xml)))
const codes = (spec: CfdiSpec) => avisos(cfdiXml(spec)).map(({ code }) => code)

/** A fixture of ours with something written otherwise; a text that is not there would make a test that cannot fail. */
function altered(name: string, ...changes: [from: string | RegExp, to: string][]): string {
  return changes.reduce((xml, [from, to]) => {
    const changed = xml.replace(from, to)
    assert.notEqual(changed, xml, `${name} has no ${from}`)
    return changed
  }, ownFixture(name).toString('utf8'))
}

test('our fixtures square, every kind of them, to the last tolerance', () => {
  for (const name of ['cfdi/33', 'cfdi/40'].flatMap(ownFixtures))
    assert.deepEqual(avisosOf(parseCfdi(ownFixture(name))), [], name)
})

test('of all stamped fixtures these warn, for these reasons, and no other', (t: TestContext) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const found: Record<string, string[]> = {}
  let read = 0
  for (const where of ['cfdi/32', 'cfdi/33', 'cfdi/40', 'malformed', 'malformed/tolerable', 'malformed/hostil'])
    for (const name of readdirSync(path.join(folder, where)).filter((file) => file.endsWith('.xml'))) {
      const list = warningsOf(readFileSync(path.join(folder, where, name)))
      if (!list) continue
      read += 1
      if (list.length > 0) found[`${where}/${name}`] = list
    }
  assert.ok(read >= 80, `${read} were read`)
  assert.deepEqual(found, {
    // A stamp of 2017 that was pasted into documents of other days.
    'cfdi/33/cu-cfdi33-valid.xml': ['cfdi.stamped_before_issue'],
    'cfdi/33/nc-cfdi-to-pdf-payment-valid.xml': ['cfdi.rfc_digito', 'cfdi.stamped_before_issue'],
    'cfdi/33/nc-cfdi-to-pdf-valid.xml': ['cfdi.rfc_digito', 'cfdi.stamped_before_issue'],
    // AAA010101AAA, of SAT's old test certificates, ends in what is no check digit of it.
    'cfdi/33/nc-buzoncfdi-v33-valid.xml': ['cfdi.rfc_digito'],
    // The same on both sides, and issued four years before it was stamped.
    'cfdi/33/sw-package-member.xml': ['cfdi.rfc_digito', 'cfdi.stamped_late'],
    // A receiver whose RFC is of the few that SAT gave without their digit, or is misspelt.
    'cfdi/40/cu-cfdi40-valid.xml': ['cfdi.rfc_digito'],
    'malformed/own-totales-no-cuadran.xml': ['cfdi.total_mismatch'],
  })
})

function warningsOf(bytes: Buffer): string[] | undefined {
  try {
    return avisosOf(parseCfdi(bytes)).map(({ code }) => code)
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}

test('a total that its parts do not make is told; a centavo is rounding', () => {
  assert.deepEqual(codes({ total: '116.00' }), [])
  assert.deepEqual(codes({ total: '116.01' }), [])
  assert.deepEqual(codes({ total: '115.98' }), ['cfdi.total_mismatch'])
  assert.deepEqual(codes({ total: '106.00', descuento: '10.00' }), [])
  assert.deepEqual(codes({ total: '105.33', retenciones: [{ impuesto: '002', importe: '10.67' }] }), [])
  assert.deepEqual(codes({ total: '99999.99' }), ['cfdi.total_mismatch'])
})

test('local taxes are part of a total', () => {
  const hotel = 'cfdi/40/own-i-implocal-hotel.xml'
  const written = /TotaldeTraslados="([\d.]+)"/.exec(ownFixture(hotel).toString('utf8'))?.[1]
  assert.deepEqual(
    avisos(altered(hotel, [`TotaldeTraslados="${written}"`, 'TotaldeTraslados="0.00"'])).map(({ code }) => code),
    ['cfdi.total_mismatch'],
  )
})

test('sums that the document says of its own taxes are checked', () => {
  const [aviso] = avisos(
    altered('cfdi/40/own-i-pue-iva16.xml', [
      'TotalImpuestosTrasladados="1600.00"',
      'TotalImpuestosTrasladados="1700.00"',
    ]),
  )
  assert.equal(aviso?.code, 'cfdi.taxes_mismatch')
  assert.equal(aviso?.mensaje, 'El total de impuestos trasladados dice 1700 y sus partes suman 1600.')
})

const CONCEPTO = (importe: string, valor = importe, cantidad = '1', rest = '') =>
  `<cfdi:Concepto ClaveProdServ="84111506" Cantidad="${cantidad}" Descripcion="x" ValorUnitario="${valor}" Importe="${importe}"${rest}/>`

/** An invoice without taxes whose lines are these. */
const invoice = (lines: string, root: { subtotal: string; total?: string; moneda?: string; descuento?: string }) =>
  cfdiXml({
    traslados: [],
    subtotal: root.subtotal,
    total: root.total ?? root.subtotal,
    ...(root.descuento && { descuento: root.descuento }),
    ...(root.moneda && { moneda: root.moneda, tipoCambio: '0.12' }),
  }).replace(/<cfdi:Conceptos>.*<\/cfdi:Conceptos>/, `<cfdi:Conceptos>${lines}</cfdi:Conceptos>`)

test('the subtotal and the discount are what the lines say together', () => {
  const two = CONCEPTO('10.00') + CONCEPTO('20.00', '20.00', '1', ' Descuento="5.00"')
  assert.deepEqual(avisos(invoice(two, { subtotal: '30.00', descuento: '5.00', total: '25.00' })), [])
  assert.deepEqual(avisos(invoice(two, { subtotal: '30.02', descuento: '5.00', total: '25.02' })), [
    { code: 'cfdi.subtotal_mismatch', mensaje: 'El subtotal dice 30.02 y los conceptos suman 30.' },
  ])
  assert.deepEqual(avisos(invoice(two, { subtotal: '30.00', total: '30.00' })), [
    { code: 'cfdi.discount_mismatch', mensaje: 'El descuento dice 0 y los de los conceptos suman 5.' },
  ])
  assert.deepEqual(avisos(invoice(CONCEPTO('10.004999') + CONCEPTO('0.999999'), { subtotal: '11.00' })), [])
})

test('an amount is quantity times price, give or take what was rounded away of them', () => {
  const says = (importe: string, valor: string, cantidad: string) =>
    avisos(invoice(CONCEPTO(importe, valor, cantidad), { subtotal: importe }))
  assert.deepEqual(says('862.07', '86.21', '10'), [], 'the price is rounded: 86.206897')
  assert.deepEqual(says('862.07', '86.206897', '10'), [])
  assert.deepEqual(says('33.33', '100', '0.33'), [], 'a third, written with two decimals')
  assert.deepEqual(says('1082.50', '23.99', '45.123'), [])
  assert.deepEqual(says('140.00', '100.00', '1'), [
    { code: 'cfdi.concept_mismatch', mensaje: 'El importe del concepto 1 dice 140, y 1 por 100 son 100.' },
  ])
  assert.equal(says('863.07', '86.206897', '10')[0]?.code, 'cfdi.concept_mismatch')
  const yen = invoice(CONCEPTO('1000', '333.4', '3'), { subtotal: '1000', moneda: 'JPY' })
  assert.deepEqual(avisos(yen), [], 'a currency without cents rounds to its unit')
})

test('five thousand wrong lines are one warning', () => {
  const [aviso, ...others] = avisos(invoice(CONCEPTO('140.00', '100.00').repeat(5_000), { subtotal: '700000.00' }))
  assert.deepEqual(others, [])
  assert.equal(aviso?.mensaje, 'El importe del concepto 1 dice 140, y 1 por 100 son 100. Hay otros 4999 casos iguales.')
  assert.match(avisoOf('cfdi.concept_mismatch', ['Uno.', 'Dos.'])[0]?.mensaje ?? '', /^Uno\. Hay otro caso igual\.$/)
})

test('a tax is base times rate, and that of the document the sum of its concepts', () => {
  const iva = (base: string, importe: string, tasa?: string) => ({ base, importe, ...(tasa && { tasa }) })
  const wrong: CfdiSpec = { traslados: [iva('100.00', '15.00')], total: '115.00' }
  assert.deepEqual(avisos(cfdiXml(wrong)), [
    {
      code: 'cfdi.concept_tax_mismatch',
      mensaje: 'El impuesto 002 del concepto 1 dice 15, y 100 por 0.16 son 16.',
    },
  ])
  assert.deepEqual(codes({ traslados: [iva('0.86', '0.14')], subtotal: '0.86', total: '1.00' }), [])
  assert.deepEqual(codes({ traslados: [iva('100.00', '10.67', '0.106666')], total: '110.67' }), [])
  const document = altered(
    'cfdi/40/own-i-pue-iva16.xml',
    // The last one is that of the document.
    [/(<cfdi:Impuestos Total[\s\S]*Importe=")1600\.00"/, '$11610.00"'],
    ['TotalImpuestosTrasladados="1600.00"', 'TotalImpuestosTrasladados="1610.00"'],
    ['Total="11600.00"', 'Total="11610.00"'],
  )
  assert.deepEqual(avisos(document), [
    {
      code: 'cfdi.taxes_of_concepts',
      mensaje: 'El traslado de 002 (Tasa 0.16) del comprobante dice 1610 y sus conceptos suman 1600.',
    },
  ])
})

test('receipts and transfers are of nothing, in no currency', () => {
  const pago: CfdiSpec = {
    tipo: 'P',
    fecha: '2026-02-01T10:00:00',
    pagos: [{ fecha: '2026-01-31T12:00:00', monto: '100.00', documentos: [{ id: UUID, pagado: '100.00' }] }],
  }
  assert.deepEqual(codes(pago), [])
  assert.deepEqual(codes({ ...pago, total: '100.00' }), ['cfdi.not_zero'])
  assert.deepEqual(codes({ ...pago, moneda: 'MXN' }), ['cfdi.currency_xxx'])
  assert.deepEqual(codes({ moneda: 'XXX' }), ['cfdi.currency_xxx'])
  assert.deepEqual(codes({ tipo: 'T', moneda: 'XXX', subtotal: '0', total: '0', traslados: [] }), [])
  assert.deepEqual(codes({ tipo: 'T', moneda: 'MXN', subtotal: '0', total: '7', traslados: [] }), ['cfdi.not_zero'])
})

test('the balances of a receipt hold', () => {
  const receipt = 'cfdi/40/own-p-rep1-parcialidad1.xml'
  const written = /ImpSaldoInsoluto="([\d.]+)"/.exec(ownFixture(receipt).toString('utf8'))?.[1]
  const found = avisos(altered(receipt, [`ImpSaldoInsoluto="${written}"`, 'ImpSaldoInsoluto="1.00"']))
  assert.deepEqual(
    found.map(({ code }) => code),
    ['cfdi.payment_balance'],
  )
  assert.match(
    found[0]?.mensaje ?? '',
    /^El saldo insoluto de [\w-]{36} dice 1, y 58000 menos lo pagado \d+ son \d+\.$/,
  )
})

test('what a payment settles does not exceed it; conversion may round', () => {
  const rep = (monto: string, documentos: { pagado: string; moneda?: string; equivalencia?: string }[]): CfdiSpec => ({
    tipo: 'P',
    fecha: '2026-02-01T10:00:00',
    pagos: [{ fecha: '2026-01-31T12:00:00', monto, documentos: documentos.map((one) => ({ id: UUID, ...one })) }],
  })
  assert.deepEqual(codes(rep('100.00', [{ pagado: '60.00' }, { pagado: '40.00' }])), [])
  assert.deepEqual(codes(rep('120.00', [{ pagado: '100.00' }])), [], 'a payment may be larger')
  assert.deepEqual(avisos(cfdiXml(rep('100.00', [{ pagado: '60.00' }, { pagado: '40.02' }]))), [
    { code: 'cfdi.payment_exceeded', mensaje: 'El pago 1 es de 100 y a sus documentos se aplican 100.02.' },
  ])
  // 5,137.42 USD that were 96,426.29 in the bank: no rate of six places makes exactly that.
  const usd = { pagado: '5137.42', moneda: 'USD', equivalencia: '0.053278' }
  assert.deepEqual(codes(rep('96426.29', [usd])), [])
  assert.deepEqual(codes(rep('96400.00', [usd])), ['cfdi.payment_exceeded'])
})

test('every total of Pagos 2.0 is checked, not only that of IVA at 16', () => {
  const usd = 'cfdi/40/own-p-rep4-usd-pagado-en-mxn.xml'
  const wrong = altered(usd, ['TotalTrasladosImpuestoIVA16="11287.73"', 'TotalTrasladosImpuestoIVA16="11287.76"'])
  assert.deepEqual(avisos(wrong), [
    {
      code: 'cfdi.payment_mismatch',
      mensaje: 'TotalTrasladosImpuestoIVA16 dice 11287.76 y los pagos suman 11287.73.',
    },
  ])
  for (const [name, fixture] of [
    ['TotalRetencionesIVA', 'cfdi/40/own-p-rep3-con-retenciones.xml'],
    ['TotalRetencionesISR', 'cfdi/40/own-p-rep3-con-retenciones.xml'],
    ['TotalTrasladosBaseIVA16', usd],
    ['TotalTrasladosBaseIVA8', 'cfdi/40/own-p-rep2-dos-documentos.xml'],
    ['TotalTrasladosImpuestoIVA8', 'cfdi/40/own-p-rep2-dos-documentos.xml'],
    ['MontoTotalPagos', usd],
  ] as const) {
    const [aviso, ...rest] = avisos(altered(fixture, [new RegExp(`${name}="[\\d.]+"`), `${name}="0.77"`]))
    assert.equal(aviso?.code, 'cfdi.payment_mismatch', name)
    assert.match(aviso.mensaje, new RegExp(`^${name} dice 0\\.77 y los pagos suman [\\d.]+\\.$`))
    assert.deepEqual(rest, [])
  }
})

test('the taxes of a payment are those of its documents', () => {
  const wrong = altered('cfdi/40/own-p-rep3-con-retenciones.xml', [/ImporteP="[\d.]+"/, 'ImporteP="0.01"'])
  assert.ok(avisos(wrong).some(({ code }) => code === 'cfdi.payment_taxes'))
})

test('a receipt of a payment that is still to come is told; of later the same day it is not', () => {
  const rep = (fecha: string): CfdiSpec => ({
    tipo: 'P',
    fecha: '2026-02-01T10:00:00',
    pagos: [{ fecha, monto: '1.00', documentos: [{ id: UUID, pagado: '1.00' }] }],
  })
  assert.deepEqual(codes(rep('2026-02-01T12:00:00')), [])
  assert.deepEqual(codes(rep('2026-02-02T12:00:00')), ['cfdi.payment_in_future'])
})

test('payroll says the same in its complement, in its lines and in its document', () => {
  const nomina = 'cfdi/40/own-n-nomina12.xml'
  const text = ownFixture(nomina).toString('utf8')
  for (const name of ['TotalPercepciones', 'TotalDeducciones', 'TotalGravado']) {
    const value = new RegExp(`${name}="([\\d.]+)"`).exec(text)?.[1] ?? ''
    const found = avisos(altered(nomina, [`${name}="${value}"`, `${name}="1${value}"`]))
    assert.deepEqual(
      found.map(({ code }) => code),
      ['cfdi.payroll_mismatch'],
      name,
    )
  }
})

test('payroll of CFDI 3.2, which sums otherwise, is left alone', () => {
  const nomina = 'cfdi/40/own-n-nomina12.xml'
  const wrong: [RegExp, string] = [/ TotalDeducciones="/, ' TotalDeducciones="9']
  assert.deepEqual(avisos(altered(nomina, wrong)).length, 1)
  assert.deepEqual(avisos(altered(nomina, wrong, [/(<nomina12:Nomina[^>]*) Version="1\.2"/, '$1 Version="1.1"'])), [])
})

test('a discount of CFDI 3.2, which is a concept below zero, has the tolerance of any other', () => {
  const cfdi32 = (importe: string, total: string) => `<?xml version="1.0"?>
    <c:Comprobante xmlns:c="http://www.sat.gob.mx/cfd/3" version="3.2" fecha="2016-01-15T12:00:00" subTotal="${total}"
      total="${total}" tipoDeComprobante="ingreso" formaDePago="PAGO EN UNA SOLA EXHIBICION" metodoDePago="03">
    <c:Emisor rfc="EKU9003173C9"/><c:Receptor rfc="URE180429TM6"/><c:Conceptos>
      <c:Concepto cantidad="1" descripcion="Servicio" valorUnitario="1000" importe="1000"/>
      <c:Concepto cantidad="0.333" descripcion="Descuento" valorUnitario="-1000.00" importe="${importe}"/>
    </c:Conceptos><c:Impuestos/><c:Complemento><t:TimbreFiscalDigital version="1.0"
      xmlns:t="http://www.sat.gob.mx/TimbreFiscalDigital" UUID="00000000-0000-4000-8000-000000000001"
      FechaTimbrado="2016-01-15T12:00:10"/></c:Complemento></c:Comprobante>`
  assert.deepEqual(avisos(cfdi32('-333.33', '666.67')), [])
  assert.deepEqual(
    avisos(cfdi32('-334.33', '665.67')).map(({ code }) => code),
    ['cfdi.concept_mismatch'],
  )
})

test('what was withheld is the sum of its lines', (t: TestContext) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const read = (name: string) =>
    avisosOf(readComprobante(readXml(readFileSync(path.join(folder, 'cfdi/retenciones', name)))))
  assert.deepEqual(read('cu-retenciones10.xml'), [])
  assert.deepEqual(read('cu-retenciones20.xml'), [
    { code: 'cfdi.withholding_mismatch', mensaje: 'El monto retenido dice 0 y sus impuestos suman 200.' },
  ])
})

test('the check digit of an RFC, and no word on the generic ones', () => {
  assert.deepEqual(codes({ receptor: { rfc: 'XAXX010101000' } }), [])
  assert.deepEqual(codes({ receptor: { rfc: 'XEXX010101000' } }), [])
  assert.deepEqual(codes({ receptor: { rfc: 'OÑO120726RX3' } }), [])
  assert.deepEqual(codes({ receptor: { rfc: 'URE180429TM7' } }), ['cfdi.rfc_digito'])
})

test('the stamp comes after the issue and within 72 hours, in whatever zone', () => {
  const stamped = (fecha: string, timbrado: string) =>
    avisos(cfdiXml({ fecha }).replace(/FechaTimbrado="[^"]+"/, `FechaTimbrado="${timbrado}"`)).map(({ code }) => code)
  assert.deepEqual(stamped('2026-01-15T12:00:00', '2026-01-15T11:00:10'), [], 'Cancún is an hour ahead')
  assert.deepEqual(stamped('2026-01-15T12:00:00', '2026-01-18T13:59:00'), [], 'Tijuana is two behind')
  assert.deepEqual(stamped('2026-01-15T12:00:00', '2026-01-15T08:59:00'), ['cfdi.stamped_before_issue'])
  assert.deepEqual(stamped('2026-01-15T12:00:00', '2026-01-18T15:01:00'), ['cfdi.stamped_late'])
})

test('property: whatever numbers a document that can be read carries, it is told in short sentences and never fails', () => {
  const texts = ['cfdi/33', 'cfdi/40'].flatMap(ownFixtures).map((name) => ownFixture(name).toString('utf8'))
  const written = fc.oneof(
    fc.bigInt({ min: 0n, max: 999_999_999_999n }).map(String),
    fc.tuple(fc.nat(999_999), fc.nat(999_999)).map(([a, b]) => `${a}.${b}`),
    fc.constantFrom('0', '0.000001', '999999999999.999999', '0.00', '.5', '1'),
  )
  let read = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(), written), { maxLength: 12 }),
      (text, changes) => {
        let xml = text
        for (const [where, value] of changes) {
          const numbers = [...xml.matchAll(/="(\d+\.?\d*)"/g)]
          const { 0: found, index } = numbers[where % numbers.length] as RegExpExecArray
          xml = `${xml.slice(0, index)}="${value}"${xml.slice(index + found.length)}`
        }
        let cfdi: Cfdi
        try {
          cfdi = parseCfdi(Buffer.from(xml))
        } catch (error) {
          assert.ok(error instanceof AppError)
          return
        }
        read += 1
        const list = avisosOf(cfdi)
        assert.equal(new Set(list.map(({ code }) => code)).size, list.length, 'each code once')
        for (const { code, mensaje } of list) assert.ok(code in AVISOS && mensaje.length < 400, mensaje)
      },
    ),
    { numRuns: 1_500 },
  )
  assert.ok(read > 300, `${read} could be read`)
})

const UUID = '5c1a1e63-1111-4000-8000-00000000c0de'
