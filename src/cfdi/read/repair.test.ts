import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture, ownFixtures, sharedFixtures } from '../../../test/support/fixtures.ts'
import { AppError } from '../../errors.ts'
import { parseCfdi } from './parse.ts'
import { readXml } from './xml.ts'

const MENDED: Record<string, string[]> = {
  'own-doble-bom.xml': ['bom_repetido'],
  'own-basura-antes.xml': ['texto_antes'],
  'own-basura-despues.xml': ['texto_despues'],
  'own-latin1-declarado-utf8.xml': ['codificacion_declarada'],
  'own-utf8-declarado-utf16.xml': ['codificacion_declarada'],
}

for (const name of ownFixtures('malformed/tolerable')) {
  const mended = MENDED[path.basename(name)] ?? []
  test(`${name} is read, ${mended.length > 0 ? `mended: ${mended}` : 'as it is'}`, () => {
    const bytes = ownFixture(name)
    const before = Buffer.from(bytes)
    const cfdi = parseCfdi(bytes)
    assert.deepEqual(cfdi.reparaciones, mended)
    assert.equal(cfdi.xml, bytes, 'the bytes that came, not the copy')
    assert.deepEqual(bytes, before)
  })
}

// Ours are listed in parse.test.ts; these came from others. They are no CFDI to keep: two drafts without a date and an
// XML of something else.
test('every malformed file of other projects has its verdict too', (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const verdicts: Record<string, string> = {
    'cu-v32-dirty.xml': 'cfdi.missing',
    'cu-v32-dirty-errors.xml': 'cfdi.missing',
    'cu-xml-with-namespace-definitions-at-child-level.xml': 'cfdi.not_cfdi',
  }
  for (const place of ['malformed', 'malformed/hostil', 'malformed/tolerable']) {
    const own = new Set(ownFixtures(place).map((name) => path.basename(name)))
    for (const name of readdirSync(path.join(folder, place)).filter((name) => name.endsWith('.xml'))) {
      const bytes: Buffer = readFileSync(path.join(folder, place, name))
      if (own.has(name)) assert.deepEqual(bytes, ownFixture(`${place}/${name}`), name)
      else assert.throws(() => parseCfdi(bytes), { code: verdicts[name] ?? 'a verdict' }, name)
    }
  }
})

const UUID = '6e7e33b3-2ad5-4c5e-9a8c-1f4a3e0b7c11'
const receptor = { rfc: 'URE180429TM6', nombre: 'CAÑÓN Y COMPAÑÍA, MÉXICO' }
const plain = cfdiXml({ uuid: UUID, receptor, addenda: '<cfdi:Addenda><a b="1">x</a></cfdi:Addenda>' })
const put = (where: string, what: string) => {
  assert.ok(plain.includes(where))
  return plain.replace(where, () => what)
}

test('what the field puts around a sound document is mended, alone and together', () => {
  const cases: [what: string, bytes: Buffer | string, reparaciones: string[]][] = [
    ['nothing', plain, []],
    ['three marks', `\uFEFF\uFEFF\uFEFF${plain}`, ['bom_repetido']],
    ['a line before the declaration', `\n${plain}`, ['texto_antes']],
    ['a header of HTTP', `HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n${plain}`, ['texto_antes']],
    ['zeros behind', `${plain}\0\0\0`, ['texto_despues']],
    ['text and a comment behind', `${plain}basura <!-- fin --> más`, ['texto_despues']],
    ['latin1 that says to be UTF-8', Buffer.from(plain, 'latin1'), ['codificacion_declarada']],
    ['UTF-8 that says to be UTF-16', put('UTF-8', 'UTF-16'), ['codificacion_declarada']],
    ['UTF-8 that says to be something', put('UTF-8', 'utf8mb4'), ['codificacion_declarada']],
    ['an addenda with a tag that nobody closes', put('x</a>', 'x'), ['addenda_descartada']],
    ['an addenda with a stray &', put('x</a>', 'A & B</a>'), ['addenda_descartada']],
    ['an addenda with a control character', put('x</a>', '\u0001</a>'), ['addenda_descartada']],
    [
      'all of them',
      Buffer.from(`?? ${put('x</a>', 'A & B</a>')}\0`, 'latin1'),
      ['texto_antes', 'codificacion_declarada', 'texto_despues', 'addenda_descartada'],
    ],
  ]
  const { xml: _, reparaciones: __, ...expected } = parseCfdi(Buffer.from(plain))
  for (const [what, text, mended] of cases) {
    const bytes = Buffer.from(text as string)
    const { xml, reparaciones, ...read } = parseCfdi(bytes)
    assert.deepEqual([...reparaciones].sort(), [...mended].sort(), what)
    assert.equal(xml, bytes)
    const addenda = reparaciones.includes('addenda_descartada') ? { addenda: false } : {}
    assert.deepEqual(read, { ...expected, ...addenda }, what)
  }
})

test('where there are two ways to understand a document, or a datum would be touched, it is refused', () => {
  const [head = '', tail = ''] = plain.split(/(?<=CAÑÓN)/)
  const other = cfdiXml({ uuid: '00000000-2ad5-4c5e-9a8c-1f4a3e0b7c11' })
  const cases: [what: string, bytes: Buffer | string, code: string][] = [
    ['two documents in one file', plain + other, 'cfdi.not_xml'],
    [
      'two documents, the second without its declaration',
      `${plain}\n${other.slice(other.indexOf('<cfdi'))}`,
      'cfdi.not_xml',
    ],
    ['a stray & in a name', put('CAÑÓN Y', 'CAÑÓN & Y'), 'cfdi.not_xml'],
    ['a < in a name', put('CAÑÓN Y', 'CAÑÓN < Y'), 'cfdi.not_xml'],
    ['a reference without its semicolon', put('CAÑÓN Y', 'CAÑÓN&#xA Y'), 'cfdi.not_xml'],
    ['a control character in a name', put('CAÑÓN Y', 'CAÑÓN\u0001Y'), 'cfdi.not_xml'],
    ['half UTF-8 and half latin1', Buffer.concat([Buffer.from(head), Buffer.from(tail, 'latin1')]), 'cfdi.encoding'],
    ['UTF-8 cut in the middle of a letter', Buffer.from(put('Ñ', '\u00c3'), 'latin1'), 'cfdi.encoding'],
    ['letters that Spanish does not have', Buffer.from(put('CAÑÓN', 'CAæþN'), 'latin1'), 'cfdi.encoding'],
    ['an addenda that may end in two places', put('x</a>', '& </cfdi:Addenda><b>'), 'cfdi.not_xml'],
    ['an addenda that does not end', plain.slice(0, plain.indexOf('</cfdi:Addenda>')), 'cfdi.not_xml'],
    ['a document that does not end', plain.slice(0, -20), 'cfdi.not_xml'],
    ['a document of which only the beginning is junk', 'hola', 'cfdi.not_xml'],
    ['a DOCTYPE behind junk', `x${put('<cfdi:Comprobante', '<!DOCTYPE a><cfdi:Comprobante')}`, 'cfdi.doctype'],
    ['a DOCTYPE behind the document', `${plain}<!DOCTYPE a>`, 'cfdi.doctype'],
  ]
  for (const [what, text, code] of cases) {
    assert.throws(
      () => parseCfdi(Buffer.from(text as string)),
      (error) => error instanceof AppError && error.code === code,
      what,
    )
  }
})

test('what the field declares in odd ways needs no mending', () => {
  const same = [
    put('xmlns:cfdi=', 'xmlns:schemaLocation="http://www.sat.gob.mx/cfd/4 x.xsd" xmlns:cfdi='),
    plain.replaceAll('cfdi:', 'x:').replace('xmlns:cfdi', 'xmlns:x'),
    plain.replaceAll('cfdi:', '').replace('xmlns:cfdi', 'xmlns'),
    plain.replaceAll('tfd:', 'cfdi:').replace('xmlns:tfd', 'xmlns:cfdi'),
    put('<cfdi:Complemento>', '<cfdi:Complemento/><cfdi:Complemento>'),
    put('<a b="1">x</a>', '<nadie:lo declaró:así="1"/>'),
  ]
  const { xml: _, ...expected } = parseCfdi(Buffer.from(plain))
  for (const text of same) {
    const { xml: _, ...read } = parseCfdi(Buffer.from(text))
    assert.deepEqual(read, expected, text.slice(0, 200))
  }
})

test('a document is not half read because its tree was mended: readXml stays strict', () => {
  assert.throws(() => readXml(Buffer.from(`x${plain}`)), { code: 'cfdi.not_xml' })
})
