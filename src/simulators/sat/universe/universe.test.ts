import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { complementosOf, TFD } from '../../../cfdi/read/complementos.ts'
import { parseCfdi } from '../../../cfdi/read/parse.ts'
import { readDocument } from '../../../cfdi/read/repair.ts'
import { childrenOf } from '../../../cfdi/read/xml.ts'
import { avisosOf } from '../../../cfdi/verify/avisos.ts'
import { cadenaDelTimbre } from '../../../cfdi/verify/cadena-original.ts'
import { verifySello } from '../../../cfdi/verify/sello.ts'
import { checkFiel } from '../../../fiel/check-fiel.ts'
import { hasCheckDigit, isRfc } from '../../../fiscal/rfc.ts'
import { createUniverse, DEMO_SEED, type InventedUniverse } from './create-universe.ts'
import { createCredentials } from './credentials.ts'
import type { RegistroCfdi } from './universe.ts'

const universe = createUniverse()
const KEMPER = 'EKU9003173C9'
const NOW = '2026-11-28T12:00:00'

test('the same seed gives the same bytes, to every process and in whatever order they are asked for', () => {
  const again = createUniverse()
  const expected = digest(documents(again, '2026-05').reverse())
  assert.equal(digest(documents(universe, '2026-05').reverse()), expected)
  // Written down: a change here changes what every development machine has downloaded already.
  assert.equal(expected.slice(0, 16), EXPECTED)
  assert.notEqual(digest(documents(createUniverse({ seed: 'otra' }), '2026-05')), expected)
})

const EXPECTED = 'dcfd5ad789b0e098'

test('what is issued in a month does not depend on what day it is, and time only adds', () => {
  const early = documents(universe, '2026-03', '2026-03-15T00:00:00')
  const late = documents(universe, '2026-03')
  assert.ok(early.length > 20 && late.length > early.length)
  assert.deepEqual(
    early.map(({ uuid }) => uuid).sort(),
    late
      .filter((one) => one.fechaTimbrado <= '2026-03-15T00:00:00')
      .map(({ uuid }) => uuid)
      .sort(),
  )
})

test('every document is one that the product reads and verifies, seals and sums, without a warning', () => {
  const seen = new Set<string>()
  for (const mes of ['2025-01', '2025-02', '2026-02', '2026-08'])
    for (const one of documents(universe, mes)) {
      const xml = one.xml()
      const cfdi = parseCfdi(xml)
      assert.deepEqual(avisosOf(cfdi), [], `${one.efecto} ${one.uuid}`)
      assert.equal(verifySello(xml).codigo, 'sello.valido', one.uuid)
      assert.equal(cfdi.uuid.toUpperCase(), one.uuid)
      assert.equal(cfdi.fecha, one.fechaEmision)
      assert.deepEqual([cfdi.emisor.rfc, cfdi.receptor.rfc], [one.emisor.rfc, one.receptor.rfc])
      for (const complemento of one.complementos) assert.ok(cfdi.complementos.includes(complemento), complemento)
      seen.add(cfdi.tipo)
    }
  assert.deepEqual([...seen].sort(), ['E', 'I', 'N', 'P', 'R', 'T'])
})

test('a company gets some sixty documents a month, and two years of them fit in the plan of the demonstration', () => {
  const all = ofKemper('2025-01-01T00:00:00', NOW)
  assert.ok(all.size > 1_200 && all.size < 1_900, String(all.size))
})

test('of everything that is seldom there is one: another rate, another currency, other people, other names', () => {
  const month = documents(universe, '2026-08')
  const texts = month.map((one) => one.xml().toString())
  for (const sign of [
    'TasaOCuota="0.080000"',
    'TasaOCuota="0.000000"',
    'TipoFactor="Exento"',
    'Moneda="USD"',
    'MonedaP="USD"',
  ])
    assert.ok(
      texts.some((text) => text.includes(sign)),
      sign,
    )
  assert.ok(month.some(({ terceros }) => terceros))
  assert.ok(month.some(({ receptor }) => receptor.rfc === 'XAXX010101000'))
  assert.ok(month.some(({ receptor }) => receptor.rfc === 'XEXX010101000'))
  assert.ok(month.some(({ emisor }) => /["~]/.test(emisor.nombre) && emisor.nombre.includes('\n')))
  assert.ok(month.some(({ emisor }) => universe.find(emisor.rfc)?.efos === '100'))
  for (const letter of ['Ñ', '&'])
    assert.ok(
      month.some(({ emisor }) => emisor.rfc.includes(letter)),
      letter,
    )
  assert.ok(texts.some((text) => text.includes('TipoRelacion="04"')))
})

test('invoices to the demonstration company are cancelled late, some of them in the month after', () => {
  const cancelled = received('2026-08').filter(({ cancelacion }) => cancelacion)
  assert.ok(cancelled.length >= 2)
  assert.ok(cancelled.some(({ cancelacion }) => (cancelacion?.fecha ?? '').startsWith('2026-09')))
})

test('a document is found by its folio fiscal in any case, once it is stamped', () => {
  const [one] = received('2026-10')
  assert.ok(one)
  assert.deepEqual(universe.findCfdi(one.uuid.toLowerCase(), NOW)?.xml(), one.xml())
  assert.equal(universe.findCfdi(one.uuid, '2026-09-30T00:00:00'), undefined)
  assert.equal(universe.findCfdi('00000000-0000-4000-8000-000000000000', NOW), undefined)
})

test('everybody has an RFC that could be, and an e.firma that the vault takes where nothing is real', () => {
  const [authority] = universe.autoridades.map((der) => new X509Certificate(der))
  assert.ok(authority)
  for (const { rfc } of universe.contribuyentes) {
    assert.ok(isRfc(rfc) && hasCheckDigit(rfc), rfc)
    const efirma = universe.efirmaDe(rfc)
    assert.ok(efirma)
    const certificate = new X509Certificate(efirma.cer)
    assert.ok(certificate.verify(authority.publicKey))
    const key = createPrivateKey({ key: efirma.key, format: 'der', type: 'pkcs8', passphrase: efirma.password })
    assert.ok(certificate.checkPrivateKey(key))
    const partes = { certificado: efirma.cer, llave: efirma.key, contrasena: Buffer.from(efirma.password) }
    const esperado = { rfc, now: new Date('2026-11-28T18:00:00Z') }
    assert.equal(checkFiel(partes, { ...esperado, pruebas: true, autoridades: null }).rfc, rfc)
    // Not where things are real: the authority says of itself that it is for tests.
    assert.throws(() => checkFiel(partes, { ...esperado, pruebas: false, autoridades: null }), {
      code: 'fiel.emisor_de_pruebas',
    })
  }
  assert.equal(universe.efirmaDe('AAA010101AAA'), undefined)
})

test('keys that were kept are the ones that would be made', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-universe-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const own = { seed: 'guardada', folder }
  const first = createUniverse(own).efirmaDe(KEMPER)
  assert.ok(readdirSync(folder).length > 0)
  assert.deepEqual(createUniverse(own).efirmaDe(KEMPER), first)
  assert.deepEqual(createUniverse({ seed: 'guardada' }).efirmaDe(KEMPER), first)
})

test('a month may be made as large as a test wants, in order and without keeping it', () => {
  const large = createUniverse({ volumen: { mes: '2026-07', cfdis: 3_000 } })
  const list = [...large.cfdis(KEMPER, question('recibidos', '2026-07'))]
  assert.equal(list.length, 3_000 + received('2026-07').length)
  assert.deepEqual(
    list.map(({ fechaEmision }) => fechaEmision),
    list.map(({ fechaEmision }) => fechaEmision).sort(),
  )
  assert.equal(new Set(list.map(({ uuid }) => uuid)).size, list.length)
  const one = list.find(({ uuid }) => uuid.startsWith('000005DC'))
  assert.ok(one)
  assert.deepEqual(avisosOf(parseCfdi(one.xml())), [])
  assert.deepEqual(large.findCfdi(one.uuid, NOW)?.xml(), one.xml())
})

test('the PAC seals the stamp that it puts on a document', () => {
  const [one] = received('2026-08')
  assert.ok(one)
  const [timbre] = complementosOf(readDocument(one.xml()).root).flatMap((node) =>
    childrenOf(node, TFD, 'TimbreFiscalDigital'),
  )
  assert.ok(timbre)
  const { key, numero } = createCredentials(DEMO_SEED).pac()
  assert.equal(timbre.get('NoCertificadoSAT'), numero)
  const sello = Buffer.from(timbre.get('SelloSAT') ?? '', 'base64')
  assert.ok(verify('sha256', Buffer.from(cadenaDelTimbre(timbre) ?? ''), createPublicKey(key), sello))
})

/** By `now`, of everybody, each once. */
function documents(of: InventedUniverse, mes: string, now = NOW): RegistroCfdi[] {
  const found = of.contribuyentes.flatMap(({ rfc }) =>
    (['cfdi', 'retenciones'] as const).flatMap((servicio) => [
      ...of.cfdis(rfc, { ...question('emitidos', mes), servicio, now }),
    ]),
  )
  return found.sort((a, b) => (a.uuid < b.uuid ? -1 : 1))
}

const received = (mes: string) => [...universe.cfdis(KEMPER, question('recibidos', mes))]

function ofKemper(desde: string, hasta: string): Set<string> {
  const of = (direccion: 'emitidos' | 'recibidos', servicio: 'cfdi' | 'retenciones') =>
    [...universe.cfdis(KEMPER, { servicio, direccion, desde, hasta, now: NOW })].map(({ uuid }) => uuid)
  return new Set([
    ...of('emitidos', 'cfdi'),
    ...of('recibidos', 'cfdi'),
    ...of('emitidos', 'retenciones'),
    ...of('recibidos', 'retenciones'),
  ])
}

const question = (direccion: 'emitidos' | 'recibidos', mes: string) =>
  ({ servicio: 'cfdi', direccion, desde: `${mes}-01T00:00:00`, hasta: `${mes}-31T23:59:59`, now: NOW }) as const

const digest = (list: readonly RegistroCfdi[]): string =>
  list.reduce((hash, one) => hash.update(one.xml()), createHash('sha256')).digest('hex')
