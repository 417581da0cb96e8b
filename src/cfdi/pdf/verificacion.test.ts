import assert from 'node:assert/strict'
import test from 'node:test'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { parseDecimal } from '../../fiscal/money.ts'
import type { Cfdi } from '../read/comprobante.ts'
import { parseCfdi } from '../read/parse.ts'
import { readXml } from '../read/xml.ts'
import { conNombre, nombreDe } from './catalogos.ts'
import { cifra, porcentaje } from './cifras.ts'
import { datosDe, enPalabras } from './datos.ts'
import { legible } from './legible.ts'
import { direccionDeCartaPorte, direccionDeVerificacion } from './verificacion.ts'

const UUID = '0a1b2c3d-0000-4000-8000-00000000000a'
const invoice = parseCfdi(Buffer.from(cfdiXml({ uuid: UUID, total: '1160.50' })))
const of = (changes: object): string => direccionDeVerificacion({ ...invoice, ...changes } as Cfdi)
const SAT = 'https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx'
const ID = 'id=0A1B2C3D-0000-4000-8000-00000000000A'

test('the address of a CFDI is the one of Anexo 20', () => {
  assert.equal(
    of({ sello: 'abcdefghijkl/OAgdg==' }),
    `${SAT}?${ID}&re=EKU9003173C9&rr=URE180429TM6&tt=1160.5&fe=/OAgdg==`,
  )
  // Without a seal it is looked up all the same.
  for (const sello of [null, '', 'corto', 'esto no es sello'])
    assert.equal(of({ sello }), `${SAT}?${ID}&re=EKU9003173C9&rr=URE180429TM6&tt=1160.5`)
  assert.equal(
    of({ version: '3.2', sello: 'abcdefghijkl/OAgdg==' }),
    `${SAT}?${ID}&re=EKU9003173C9&rr=URE180429TM6&tt=0000001160.500000`,
  )
  // What means something in an address is written so that it does not.
  assert.equal(
    of({ emisor: { ...invoice.emisor, rfc: 'Ñ&A010101AAA' }, sello: 'ab+cd+/=', total: parseDecimal('0') }),
    `${SAT}?${ID}&re=%C3%91%26A010101AAA&rr=URE180429TM6&tt=0.0&fe=ab%2Bcd%2B/=`,
  )
})

test('a certificate of withholding is looked up elsewhere, and a foreigner by the number of his country', () => {
  const retenciones = 'https://prodretencionverificacion.clouda.sat.gob.mx/'
  const receptor = { ...invoice.receptor, rfc: 'XEXX010101000' }
  const retencion = { numRegIdTrib: '12345678X' }
  const foreign = { tipo: 'R', version: '2.0', sello: 'abcdefghijkl/OAgdg==', receptor, retencion }
  assert.equal(of(foreign), `${retenciones}?${ID}&re=EKU9003173C9&nr=0000000000012345678X&tt=1160.5&fe=/OAgdg==`)
  assert.equal(
    of({ ...foreign, version: '1.0', receptor: invoice.receptor }),
    `${retenciones}?${ID}&re=EKU9003173C9&rr=URE180429TM6&tt=0000001160.500000`,
  )
})

test('a Carta Porte has an address of its own', () => {
  assert.equal(
    direccionDeCartaPorte({
      idCcp: 'CCC534bf-7740-45c1-bbce-083f8d7008c4',
      fechaOrigen: '2026-08-20T06:00:00',
      fechaTimbrado: '2026-08-20T05:00:23&x=1',
    }),
    'https://verificacfdi.facturaelectronica.sat.gob.mx/verificaccp/default.aspx?IdCCP=CCC534bf-7740-45c1-bbce-083f8d7008c4&FechaOrig=2026-08-20T06:00:00&FechaTimb=2026-08-20T05:00:23%26x%3D1',
  )
})

test('figures have thousands, and the decimals of the document', () => {
  const cases: [string, number, string][] = [
    ['0', 2, '0.00'],
    ['1234.5', 2, '1,234.50'],
    ['999999999999.123456', 2, '999,999,999,999.123456'],
    ['100', 0, '100'],
    ['1000', 0, '1,000'],
    ['0.5', 0, '0.5'],
    ['17.12', 4, '17.1200'],
  ]
  for (const [text, least, shown] of cases) assert.equal(cifra(parseDecimal(text), least), shown)
  assert.equal(cifra({ units: -123456n, places: 2 }), '-1,234.56')
  assert.equal(porcentaje(parseDecimal('0.16')), '16%')
  assert.equal(porcentaje(parseDecimal('0.106667')), '10.6667%')
  assert.equal(porcentaje(parseDecimal('0')), '0%')
  assert.equal(porcentaje(parseDecimal('1.6')), '160%')
})

test('keys have the words of the SAT, and a new one is printed as it is', () => {
  assert.equal(conNombre('regimen', '626'), '626 Régimen Simplificado de Confianza')
  assert.equal(conNombre('uso', 'CP01'), 'CP01 Pagos')
  assert.equal(conNombre('forma', '99'), '99 Por definir')
  assert.equal(conNombre('regimen', '699'), '699')
  assert.equal(conNombre('regimen', 'constructor'), 'constructor')
  assert.equal(conNombre('regimen', null), null)
  assert.equal(nombreDe('meses', '18'), 'Noviembre-Diciembre')
})

test('a text is printed so that it is read as what it is', () => {
  const drawn = (codePoint: number) => codePoint < 0x250
  assert.equal(legible('Peña & Cía. «S.A.»', drawn), 'Peña & Cía. «S.A.»')
  assert.equal(legible('a\u0000b\tc\u2028d', drawn), 'a b c d')
  assert.equal(legible('abc\u202egpj.exe\u200b\ufeff\u00ad', drawn), 'abcgpj.exe')
  assert.equal(legible('x😀ש\ud800', drawn), 'x\ufffd\ufffd\ufffd')
  assert.equal(legible('Pen\u0303a', drawn), 'Peña')
})

test('a complement without a drawing of its own is told whole, in words', () => {
  const root = readXml(ownFixture('cfdi/40/own-t-traslado-cartaporte.xml'))
  const [carta] = root.children.flatMap(({ children }) => children).filter(({ name }) => name === 'CartaPorte')
  assert.ok(carta)
  const told = datosDe(carta, 100)
  assert.deepEqual(
    told.map(({ nombre }) => nombre),
    ['Carta Porte', 'Ubicación', 'Domicilio', 'Ubicación', 'Domicilio', 'Mercancías', 'Mercancía'],
  )
  assert.match(told[1]?.valores ?? '', /^Tipo Ubicación: Origen · RFC Remitente Destinatario: EKU9003173C9/)
  assert.deepEqual(datosDe(carta, 3).slice(-1), [{ nombre: 'Hay más', valores: 'otros 4 elementos están en el XML' }])
  assert.equal(enPalabras('codigoPostal'), 'Código Postal')
})
