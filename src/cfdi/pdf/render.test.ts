import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture, ownFixtures, sharedFixtures } from '../../../test/support/fixtures.ts'
import { type Printed, readPdf } from '../../../test/support/printed.ts'
import { AppError } from '../../errors.ts'
import { parseCfdi } from '../read/parse.ts'
import { cifra } from './cifras.ts'
import { importeConLetra } from './importe-con-letra.ts'
import { MOST_CONCEPTOS, renderPdf } from './render.ts'
import { direccionDeVerificacion } from './verificacion.ts'

const print = (xml: Uint8Array | string, estado: 'vigente' | 'cancelado' = 'vigente') =>
  renderPdf(parseCfdi(Buffer.from(xml)), { estado })
const printed = async (xml: Uint8Array | string, estado?: 'cancelado'): Promise<Printed> =>
  readPdf(await print(xml, estado))
const fixture = (name: string) => printed(ownFixture(`cfdi/40/${name}.xml`))

function has({ text }: Printed, ...all: (string | null)[]): void {
  for (const one of all) assert.ok(text.includes(one ?? 'nothing'), `«${one}» in ${text}`)
}

async function holds(xml: Buffer, name: string): Promise<void> {
  const cfdi = parseCfdi(xml)
  const read = await printed(xml)
  const { uuid, emisor, receptor, total, tipo, moneda, timbre, sello } = cfdi
  has(read, uuid.toUpperCase(), emisor.rfc, receptor.rfc, 'Este documento es una representación impresa de un CFDI')
  if (tipo !== 'P' && tipo !== 'T') has(read, cifra(total))
  const words = importeConLetra(total, moneda)
  if (words && (tipo === 'I' || tipo === 'E' || tipo === 'N')) has(read, words)
  // Seals take several lines.
  const solid = read.text.replaceAll(' ', '')
  for (const seal of [sello, timbre.selloSat]) if (seal) assert.ok(solid.includes(seal), `${name}: ${seal}`)
  if (timbre.selloSat) assert.ok(solid.includes(`|${uuid.toUpperCase()}|`) || solid.includes(`|${uuid}|`), name)
  assert.equal(read.codes[0], direccionDeVerificacion(cfdi), name)
  assert.deepEqual(read.size, [612, 792])
  within(read, name)
  assert.doesNotMatch(read.text, /CANCELADO|null|undefined|\[object/, name)
}

/** Half an inch of margin, and the foot of the page below it. */
function within({ extent: [left, bottom, right, top] }: Printed, name: string): void {
  assert.ok(left >= 35.5 && bottom >= 20 && right <= 576.5 && top <= 760, `${name}: ${[left, bottom, right, top]}`)
}

test('every CFDI of this project is printed whole, and its code leads to it', async () => {
  const names = [...ownFixtures('cfdi/33'), ...ownFixtures('cfdi/40')]
  assert.ok(names.length > 40)
  for (const name of names) await holds(ownFixture(name), name)
})

test('every stamped CFDI of other projects is printed whole', async (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  let count = 0
  for (const name of globSync(`${folder}/cfdi/*/{cu,nc,c2j,sw}-*.xml`)) {
    const xml = readFileSync(name)
    try {
      parseCfdi(xml)
    } catch (error) {
      assert.ok(error instanceof AppError)
      continue
    }
    await holds(xml, name)
    count++
  }
  assert.ok(count >= 9, `${count} of them are stamped`)
})

test('an invoice says its keys in words, its taxes by concept and its total in words', async () => {
  const read = await fixture('own-i-ppd-iva16-honorarios')
  has(
    read,
    'Factura H 17',
    '612 Personas Físicas con Actividades Empresariales y Profesionales',
    'G03 Gastos en general',
    '99 Por definir',
    'PPD Pago en parcialidades o diferido',
    'IVA 16% sobre 30,000.00: 4,800.00 · Retención ISR 10% sobre 30,000.00: 3,000.00',
    'Retención IVA 10.6667%',
    'Total MXN 28,599.99',
    '(VEINTIOCHO MIL QUINIENTOS NOVENTA Y NUEVE PESOS 99/100 M.N.)',
    'Página 1 de 1',
    'Cadena original del complemento de certificación ||1.1|F2F7DCCB-728A-49C2-BCFB-45DA23B1C3B7|2026-08-05T12:00:23|',
  )
  assert.equal(read.pages.length, 1)
  assert.equal(read.info['CreationDate'], 'D:20260805180023Z', 'the moment of the stamp, in UTC')
})

test('what is particular of a document stands on it', async () => {
  has(await fixture('own-i-implocal-hotel'), 'ISH')
  has(await fixture('own-i-global'), 'Factura global', 'Periodo')
  has(await fixture('own-i-terceros'), 'A cuenta de ADRIANA JUAREZ FERNANDEZ · RFC JUFA7608212V6 · 601')
  has(await fixture('own-i-ppd-usd'), 'DÓLARES', 'Total USD', 'Tipo de cambio')
  has(await fixture('own-i-export-iva0'), 'Exportación', 'IVA 0%')
  has(await fixture('own-i-solo-exento'), 'IVA exento')
  has(await fixture('own-i-sustituye-04'), '04 Sustitución de los CFDI previos')
  has(await fixture('own-e-nota-credito-01'), 'Nota de crédito', '01 Nota de crédito de los documentos relacionados')
  const carta = await fixture('own-t-traslado-cartaporte')
  has(carta, 'Comprobante de traslado', 'Complemento Carta Porte', 'Tornillería', 'Tipo Ubicación: Origen')
  assert.match(
    carta.codes[1] ?? '',
    /verificaccp\/default\.aspx\?IdCCP=CCC534bf-7740-45c1-bbce-083f8d7008c4&FechaOrig=/,
  )
  const leyendas = ownFixture('cfdi/40/own-i-pue-iva16.xml')
    .toString()
    .replace(
      '<cfdi:Complemento>',
      `<cfdi:Complemento><l:LeyendasFiscales xmlns:l="http://www.sat.gob.mx/leyendasFiscales" version="1.0"><l:Leyenda textoLeyenda="Bienes de la región fronteriza"/></l:LeyendasFiscales><x:Raro xmlns:x="urn:raro" clave="7"/>`,
    )
  has(await printed(leyendas), 'Leyendas fiscales Bienes de la región fronteriza', 'Complemento Raro', 'Clave: 7')
})

test('a payment receipt shows what it pays, and a payroll what it is made of', async () => {
  has(
    await fixture('own-p-rep3-con-retenciones'),
    'Recibo electrónico de pago',
    'Fecha de pago 2026-08-28 12:00:00',
    '28,599.99 MXN',
    '(VEINTIOCHO MIL QUINIENTOS NOVENTA Y NUEVE PESOS 99/100 M.N.)',
    'F2F7DCCB-728A-49C2-BCFB-45DA23B1C3B7 1 28,599.99 28,599.99 0.00 MXN',
    'Saldo insoluto',
    'Serie y folio: H 17',
  )
  has(await fixture('own-p-rep4-usd-pagado-en-mxn'), 'Equivalencia')
  has(
    await fixture('own-n-nomina12'),
    'Recibo de nómina',
    'CACX760510MGTSHC04',
    '001 P001 Sueldo 11,800.00 0.00 11,800.00',
    '002 D002 ISR 1,800.00',
    'Subsidio para el empleo',
    '02 Sueldos',
    '04 Quincenal',
  )
})

test('a certificate of withholding has its own form', async (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const stamp = `<tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" Version="1.1" UUID="0A1B2C3D-0000-4000-8000-000000000009" FechaTimbrado="2022-01-13T12:00:00"/>`
  const bare = readFileSync(`${folder}/cfdi/retenciones/cu-retenciones20.xml`, 'utf8')
  const close = /<\/(\w+):Complemento>/.exec(bare)
  const xml = close
    ? bare.replace(close[0], `${stamp}${close[0]}`)
    : bare.replace(/<\/(\w+):Retenciones>/, `<$1:Complemento>${stamp}</$1:Complemento></$1:Retenciones>`)
  const read = await printed(xml)
  has(read, 'Constancia de retenciones', 'Monto de la operación', 'Total retenido', 'de un CFDI de retenciones')
  assert.match(read.codes[0] ?? '', /^https:\/\/prodretencionverificacion\.clouda\.sat\.gob\.mx\/\?id=0A1B2C3D-0000/)
})

test('the same document in the same state has the same bytes', async () => {
  const xml = ownFixture('cfdi/40/own-n-nomina12.xml')
  const first = await print(xml)
  await print(ownFixture('cfdi/40/own-i-caracteres.xml'))
  assert.deepEqual(await print(xml), first)
  assert.notDeepEqual(await print(xml, 'cancelado'), first)
})

test('a cancelled document says so on every page', async () => {
  const { pages } = await printed(manyConcepts(200), 'cancelado')
  assert.ok(pages.length > 3)
  for (const page of pages) assert.match(page, /CANCELADO/)
})

test('five thousand concepts take their pages, each with its header and its number', async () => {
  const { pages } = await printed(manyConcepts(5_000))
  assert.ok(pages.length > 100)
  const last = pages.length - 1
  for (const [n, page] of pages.entries()) {
    assert.ok(page.includes(`Página ${n + 1} de ${pages.length}`))
    if (n < last) assert.match(page, /Clave SAT.*Descripción/)
  }
  const numbers = [...pages.join('\n').matchAll(/Renglón (\d+) del pedido/g)].map(([, n]) => Number(n))
  assert.deepEqual(
    numbers,
    Array.from({ length: 5_000 }, (_, n) => n),
  )
})

test('a document that nobody would read on paper is refused', async () => {
  const cfdi = parseCfdi(Buffer.from(cfdiXml()))
  const many = { ...cfdi, conceptos: { ...cfdi.conceptos, count: MOST_CONCEPTOS + 1 } }
  await assert.rejects(renderPdf(many, { estado: 'vigente' }), { code: 'cfdi.pdf_too_large' })
})

test('no text breaks the page: nothing is drawn outside of it, and what cannot be drawn is seen to be missing', async () => {
  const names = [
    '&lt;script&gt;alert(1)&lt;/script&gt; &amp; CÍA',
    '\u202eEVIL\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627',
    '😀👩‍👩‍👧‍👦🇲🇽 漢字',
    'X'.repeat(1_000),
    'palabra '.repeat(125),
    'a&#x9;b&#xA;c&#xD;d',
    'Ñandú Çelik Øre Ωμέγα Жук',
    ') Tj ET (\\',
    '%PDF-1.7 endobj',
  ]
  for (const nombre of names) {
    const spec: CfdiSpec = {
      serie: nombre.slice(0, 25).replace(/&[^;]*$/, ''),
      emisor: { rfc: 'EKU9003173C9', nombre: nombre.replaceAll('&', '\u0001') },
      receptor: { rfc: 'URE180429TM6', nombre: nombre.replaceAll('&', '\u0001') },
    }
    const xml = cfdiXml(spec)
      .replaceAll('&#1;', '&')
      .replaceAll('\u0001', '&')
      .replace('Descripcion="Servicio"', `Descripcion="${nombre}"`)
    const bytes = await print(xml)
    const read = await readPdf(bytes)
    has(read, 'Total MXN 116.00', 'Página 1 de 1')
    assert.doesNotMatch(read.text, /[\u202a-\u202e\u0000-\u0008]/)
    within(read, nombre)
  }
  const emoji = await printed(cfdiXml({ receptor: { rfc: 'URE180429TM6', nombre: 'TACOS 😀 SA' } }))
  has(emoji, 'TACOS \ufffd SA')
})

test('a description as long as the reader takes goes on over pages, whole', async () => {
  const words = Array.from({ length: 2_500 }, (_, n) => `p${n}`)
  const xml = cfdiXml().replace('Descripcion="Servicio"', `Descripcion="${words.join(' ')}"`)
  const { pages, text } = await printed(xml)
  assert.ok(pages.length > 2)
  const found = [...text.matchAll(/\bp(\d+)\b/g)].map(([, n]) => Number(n))
  assert.deepEqual(found, [...words.keys()])
})

function manyConcepts(count: number): string {
  return cfdiXml().replace(/<cfdi:Concepto .*?<\/cfdi:Concepto>/, (one) =>
    Array.from({ length: count }, (_, n) =>
      one.replace('Descripcion="Servicio"', `Descripcion="Renglón ${n} del pedido"`),
    ).join(''),
  )
}
