import assert from 'node:assert/strict'
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { ownFixture, sharedFixtures } from '../../../test/support/fixtures.ts'
import { readXml } from '../read/xml.ts'
import { BIENES } from './cadena/bienes.ts'
import { CARTA_PORTE } from './cadena/carta-porte.ts'
import { COMERCIO_EXTERIOR } from './cadena/comercio-exterior.ts'
import { COMPROBANTES, TIMBRES } from './cadena/comprobante.ts'
import { ENERGIA } from './cadena/energia.ts'
import { readFormatos } from './cadena/formato.ts'
import { PAGOS_Y_NOMINA } from './cadena/pagos-y-nomina.ts'
import { COMPLEMENTOS_DE_RETENCIONES } from './cadena/retenciones.ts'
import { VARIOS } from './cadena/varios.ts'
import { cadenaDelTimbre, cadenaOriginal } from './cadena-original.ts'
import { verifySello } from './sello.ts'

const CADENAS = path.resolve(import.meta.dirname, '../../../test/fixtures/cadena')

test("every version and every complement gives the text that SAT's own style sheets give", () => {
  const names = readdirSync(CADENAS).filter((name) => name.endsWith('.xml'))
  assert.equal(names.length, 5)
  for (const name of names) {
    const ours = cadenaOriginal(readXml(ownFixture(`cadena/${name}`)))
    assert.equal(ours?.cadena, ownFixture(`cadena/${name.replace('.xml', '.txt')}`).toString('utf8'), name)
    assert.deepEqual(ours?.desconocidos, [], name)
  }
})

test('no table names a child that it says nothing of', () => {
  const tables = [COMPROBANTES, PAGOS_Y_NOMINA, CARTA_PORTE, COMERCIO_EXTERIOR, ENERGIA, BIENES, VARIOS]
  for (const [key, formato] of readFormatos(...tables, COMPLEMENTOS_DE_RETENCIONES, TIMBRES))
    for (const [element, pasos] of formato)
      for (const paso of pasos) {
        if (paso.clase === 'atributo' || paso.clase === 'todos' || (paso.clase === 'hijos' && paso.pasos)) continue
        assert.ok(formato.has(paso.camino.at(-1) ?? ''), `${key} ${element} > ${paso.camino.join('/')}`)
      }
  assert.throws(() => readFormatos('urn:x 1\n  Nodo: Uno, Dos'), /not understood/)
  assert.throws(() => readFormatos('urn:x\n  Nodo: Uno'), /no version/)
})

test("real documents, sealed by others with the SAT's certificates, are found genuine", (t: TestContext) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const genuine = [
    '32/cu-cfdi32-real.xml', // SHA-1
    '33/cu-cfdi33-real.xml',
    '33/c2j-implocal.xml',
    '33/cu-created-pago-with-ns-at-root-33.xml', // Pagos 1.0
    '33/cu-created-with-discounts-33.xml',
    '33/nc-buzoncfdi-v33-valid-without-timbre.xml',
    '40/cu-cfdi40-real.xml',
    '40/cu-cfdi40-valid.xml',
    '40/cu-created-with-discounts-40.xml',
    '40/cu-created-cfdi40-pago20-valid.xml', // Pagos 2.0
  ]
  for (const name of genuine) {
    const bytes: Buffer = readFileSync(path.join(folder, 'cfdi', name))
    const { estado, codigo, certificado } = verifySello(bytes)
    assert.deepEqual([estado, codigo], ['valido', 'sello.valido'], name)
    assert.match(certificado?.numero ?? '', /^\d{20}$/, name)
    // One digit of the total, and nothing is left of it.
    const total = / [Tt]otal="(\d)/.exec(bytes.toString('utf8'))
    assert.ok(total, name)
    const other = String((Number(total[1]) + 1) % 10)
    const forged = bytes.toString('utf8').replace(total[0], total[0].slice(0, -1) + other)
    assert.equal(verifySello(Buffer.from(forged)).codigo, 'sello.no_corresponde', name)
  }
  // Sealed for a test years after the day they say: the seals fit, and their dates do not.
  for (const name of ['retenciones/cu-retenciones10.xml', 'retenciones/cu-retenciones20.xml'])
    assert.equal(
      verifySello(readFileSync(path.join(folder, 'cfdi', name))).codigo,
      'sello.certificado_no_vigente',
      name,
    )
})

test('what cannot be judged is not judged, and says why', (t: TestContext) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const read = (name: string) => readFileSync(path.join(folder, 'cfdi', name), 'utf8')
  const outcome = (xml: string) => {
    const { estado, codigo } = verifySello(Buffer.from(xml))
    return [estado, codigo]
  }
  const real = read('40/cu-cfdi40-real.xml')
  const certificado = / Certificado="([^"]+)"/.exec(real)?.[1] ?? ''
  const detallista = verifySello(Buffer.from(read('33/c2j-detallista.xml')))
  assert.equal(detallista.codigo, 'sello.complemento_desconocido')
  assert.match(detallista.mensaje, /\{http:\/\/www\.sat\.gob\.mx\/detallista\}detallista/)
  assert.deepEqual(outcome(real.replace(certificado, '')), ['no_verificable', 'sello.sin_certificado'])
  assert.deepEqual(outcome(real.replace(certificado, 'bm8gc295IG5hZGE=')), [
    'no_verificable',
    'sello.certificado_ilegible',
  ])
  assert.deepEqual(outcome(real.replace(certificado, certificado + 'A'.repeat(20_000))), [
    'no_verificable',
    'sello.certificado_ilegible',
  ])
  const elliptic = readFileSync(path.join(folder, 'fiel/own-raros/certificado-ec-p256.cer')).toString('base64')
  assert.deepEqual(outcome(real.replace(certificado, elliptic)), ['no_verificable', 'sello.certificado_ilegible'])
  assert.deepEqual(outcome(real.replace(/ Sello="[^"]+"/, ' Sello=" "')), ['invalido', 'sello.sin_sello'])
  assert.deepEqual(outcome(real.replace(/ Sello="[^"]+"/, ' Sello="¡no!"')), ['invalido', 'sello.no_corresponde'])
  // A complement of tomorrow beside a seal that fits without it changes nothing: the seal proves itself.
  const unknown = real.replace('<cfdi:Complemento>', '<cfdi:Complemento><n:Nuevo xmlns:n="urn:nuevo" A="1"/>')
  assert.notEqual(unknown, real)
  assert.deepEqual(outcome(unknown), ['valido', 'sello.valido'])
})

test('our own seal, through the same text: what it binds is bound, and nothing else', (t: TestContext) => {
  const csd = openCsd(t, 'own-csd-valid-2046-EKU9003173C9')
  if (!csd) return
  // The certificate is good from 2024, and some documents are older.
  const sealed = (name: string) => sealWith(csd, text(name).replace(/ Fecha="\d{4}/, ' Fecha="2026'))
  for (const name of SEALED) assert.equal(verifySello(Buffer.from(sealed(name))).codigo, 'sello.valido', name)

  const xml = sealed('cfdi/40/own-i-pue-iva16.xml')
  const outcome = (changed: string) => verifySello(Buffer.from(changed)).codigo
  assert.equal(outcome(xml.replace('Total="11600.00"', 'Total="11600.0"')), 'sello.no_corresponde')
  assert.equal(outcome(xml.replace(/Descripcion="/, 'Descripcion="x')), 'sello.no_corresponde')
  assert.equal(outcome(xml.replace(/Descripcion="/, 'Descripcion="  ')), 'sello.valido', 'blanks collapse')
  assert.equal(
    outcome(xml.replace(/Descripcion="/, 'Descripcion="\u00a0')),
    'sello.no_corresponde',
    'a no-break space is none',
  )
  assert.equal(outcome(xml.replaceAll('cfdi:', 'x:').replace('xmlns:cfdi', 'xmlns:x')), 'sello.valido', 'prefixes')
  assert.equal(
    outcome(xml.replace('</cfdi:Comprobante>', '<cfdi:Addenda><a/></cfdi:Addenda></cfdi:Comprobante>')),
    'sello.valido',
    'the addenda is not sealed',
  )
  const broken = xml.replace(/ Sello="([^"]{40})/, ' Sello="$1&#10;  ')
  assert.notEqual(broken, xml)
  assert.equal(outcome(broken), 'sello.valido', 'a seal in several lines')
})

test('a seal that fits is still refused when the certificate is not the one it should be', (t: TestContext) => {
  const csd = openCsd(t, 'own-csd-valid-2046-EKU9003173C9')
  const other = openCsd(t, 'own-fiel-rfc-con-enie-ONO120726RX3')
  const expired = openCsd(t, 'own-fiel-expired-2023-EKU9003173C9')
  if (!csd || !other || !expired) return
  const invoice = text('cfdi/40/own-i-pue-iva16.xml')
  const outcome = (xml: string) => {
    const { estado, codigo, mensaje } = verifySello(Buffer.from(xml))
    assert.equal(estado, codigo === 'sello.valido' ? 'valido' : 'invalido')
    return [codigo, mensaje]
  }
  assert.deepEqual(outcome(sealWith(csd, invoice, { numero: '30001000000500003416' })), [
    'sello.numero_certificado',
    'El documento dice sellarse con el certificado 30001000000500003416 y trae el 30001000000999900003.',
  ])
  assert.deepEqual(outcome(sealWith(other, invoice)), [
    'sello.rfc_certificado',
    'El emisor es EKU9003173C9 y el certificado es de OÑO120726RX3.',
  ])
  const enie = invoice.replace('<cfdi:Emisor Rfc="EKU9003173C9"', '<cfdi:Emisor Rfc="OÑO120726RX3"')
  assert.equal(outcome(sealWith(other, enie))[0], 'sello.valido')
  // An acquirer's provider seals in the name of who sells to it.
  const acquirer = invoice.replace('<cfdi:Emisor ', '<cfdi:Emisor FacAtrAdquirente="0000000001" ')
  assert.equal(outcome(sealWith(other, acquirer))[0], 'sello.valido')
  assert.equal(outcome(sealWith(expired, invoice))[0], 'sello.certificado_no_vigente')
  const stamped = sealWith(csd, invoice).replace(/SelloCFD="[^"]+"/, 'SelloCFD="QUJD"')
  assert.equal(outcome(stamped)[0], 'sello.timbre_distinto')
})

test('what the PAC sealed is written as printed representations print it', () => {
  const timbre = readXml(
    Buffer.from(
      '<t:TimbreFiscalDigital xmlns:t="http://www.sat.gob.mx/TimbreFiscalDigital" SelloSAT="c" NoCertificadoSAT="2" SelloCFD="s" RfcProvCertif="P" FechaTimbrado="F" UUID="U" Version="1.1"/>',
    ),
  )
  assert.equal(cadenaDelTimbre(timbre), '||1.1|U|F|P|s|2||')
})

const SEALED = [
  'cfdi/33/own-i-pue-iva16.xml',
  'cfdi/33/own-p-pagos10.xml',
  'cfdi/33/own-i-dos-complementos.xml',
  'cfdi/40/own-i-pue-iva16.xml',
  'cfdi/40/own-i-caracteres.xml',
  'cfdi/40/own-i-global.xml',
  'cfdi/40/own-i-terceros.xml',
  'cfdi/40/own-i-implocal-hotel.xml',
  'cfdi/40/own-i-multi-relaciones.xml',
  'cfdi/40/own-i-addenda-grande.xml',
  'cfdi/40/own-n-nomina12.xml',
  'cfdi/40/own-n-nomina12-extraordinaria.xml',
  'cfdi/40/own-p-rep2-dos-documentos.xml',
  'cfdi/40/own-t-traslado-cartaporte.xml',
]

const text = (name: string): string => ownFixture(name).toString('utf8')

interface Csd {
  certificado: string
  numero: string
  key: KeyObject
}

function openCsd(t: TestContext, name: string): Csd | undefined {
  const folder = sharedFixtures(t)
  if (!folder) return undefined
  const where = path.join(folder, 'fiel', name)
  const cer = readFileSync(path.join(where, 'cert.cer'))
  const passphrase = readFileSync(path.join(where, 'password.txt'), 'utf8').trim()
  const key = createPrivateKey({
    key: readFileSync(path.join(where, 'key.key')),
    format: 'der',
    type: 'pkcs8',
    passphrase,
  })
  return { certificado: cer.toString('base64'), numero: NUMEROS[name] ?? '', key }
}

const NUMEROS: Readonly<Record<string, string>> = {
  'own-csd-valid-2046-EKU9003173C9': '30001000000999900003',
  'own-fiel-rfc-con-enie-ONO120726RX3': '30001000000999900006',
  'own-fiel-expired-2023-EKU9003173C9': '30001000000999900004',
}

/** The document sealed anew: certificate, its number, seal, and the seal in its stamp. */
function sealWith({ certificado, numero, key }: Csd, xml: string, said = { numero }): string {
  const named = xml
    .replace(/ NoCertificado="[^"]*"/, ` NoCertificado="${said.numero}"`)
    .replace(/ Certificado="[^"]*"/, ` Certificado="${certificado}"`)
  assert.notEqual(named, xml)
  const cadena = cadenaOriginal(readXml(Buffer.from(named)))?.cadena ?? ''
  const sello = sign('sha256', Buffer.from(cadena), key).toString('base64')
  return named.replace(/ Sello="[^"]*"/, ` Sello="${sello}"`).replace(/ SelloCFD="[^"]*"/, ` SelloCFD="${sello}"`)
}
