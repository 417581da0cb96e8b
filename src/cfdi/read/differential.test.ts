import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import fc from 'fast-check'
import { ownFixture, ownFixtures, sharedFixtures } from '../../../test/support/fixtures.ts'
import { type Judged, judge } from '../../../test/support/saxes-reader.ts'
import { AppError } from '../../errors.ts'
import { readXml, type XmlElement } from './xml.ts'

// The reader is our own, so another one judges it: whatever saxes refuses must be refused, and what both accept must be
// the same tree. What ours refuses beyond that is listed, so that it cannot grow unseen.

/** How many mutated documents: more by hand, `HORUX_FUZZ=1000000 node --test …`. */
const RUNS = Number(process.env['HORUX_FUZZ'] ?? 10_000)

const STRICTER: RegExp[] = [
  /DOCTYPE/,
  // A second byte-order mark, which saxes skips: mended, and told.
  /\(línea 1, columna 1\): hay texto fuera del comprobante/,
  // saxes lets <?a?b?> and colons in targets pass.
  /hay una instrucción con un nombre|la sintaxis no es correcta/,
]

test('every document at hand is the tree that saxes reads, or refused by both', (t) => {
  const folders = ['cfdi/33', 'cfdi/40', 'malformed', 'malformed/hostil', 'malformed/tolerable']
  const own = folders.flatMap(ownFixtures).map((name) => [name, ownFixture(name)] as const)
  for (const [name, bytes] of own) compare(bytes, name)
  const folder = sharedFixtures(t)
  if (!folder) return
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.xml')) compare(readFileSync(path.join(folder, name)), name)
})

test('of the documents that are mutated ours reads as many as saxes', () => {
  for (const seed of [...SEEDS, ...INVOICES]) {
    const theirs = outcome(() => judge(seed)).error === undefined ? 'read' : 'refused'
    assert.equal(compare(seed), theirs, seed.toString())
  }
})

test(`property: ${RUNS} mutated documents are read as saxes does, or refused`, () => {
  const seen = { read: 0, refused: 0 }
  fc.assert(
    fc.property(document(), (bytes) => {
      seen[compare(bytes)] += 1
    }),
    { numRuns: RUNS },
  )
  // Mutations that only ever broke documents, or never, would compare nothing.
  assert.ok(seen.read > RUNS / 20 && seen.refused > RUNS / 20, JSON.stringify(seen))
})

function compare(bytes: Uint8Array, name?: string): 'read' | 'refused' {
  const copy = Buffer.from(bytes)
  const ours = outcome(() => treeOf(readXml(bytes)))
  // Into a thing this deep saxes would look for minutes.
  const theirs = isTooDeep(ours.error) ? ours : outcome(() => judge(bytes))
  assert.ok(copy.equals(bytes), 'a reader writes nothing')
  const about = () => `${name ?? JSON.stringify(copy.toString('latin1'))}\nsaxes: ${theirs.error}\nours: ${ours.error}`
  if (ours.error !== undefined) {
    assert.ok(ours.error instanceof AppError && ours.error.code.startsWith('cfdi.'), about())
    assert.doesNotMatch(ours.error.mensaje, /[\p{Cc}\p{Cs}]/u)
    if (theirs.error === undefined) {
      const { mensaje, code } = ours.error
      assert.ok(code.startsWith('cfdi.too_') || STRICTER.some((known) => known.test(mensaje)), about())
    }
    return 'refused'
  }
  assert.equal(theirs.error, undefined, about())
  assert.equal(JSON.stringify(ours.tree), JSON.stringify(theirs.tree), about())
  return 'read'
}

const isTooDeep = (error: unknown): boolean => error instanceof AppError && error.code === 'cfdi.too_deep'

function outcome(read: () => Judged): { tree?: Judged; error?: unknown } {
  try {
    return { tree: read() }
  } catch (error) {
    return { error }
  }
}

const treeOf = ({ namespace, name, attributes, children }: XmlElement): Judged => {
  for (const attribute of Object.keys(attributes)) assert.equal(typeof attributes[attribute], 'string')
  return { namespace, name, attributes: Object.entries(attributes), children: children.map(treeOf) }
}

// Small documents with everything XML has are broken in more ways per byte than invoices are; both are tried.
const SEEDS: readonly Buffer[] = [
  '<a/>',
  '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<a b="c" d=\'e\'/>\n<!-- f -->\n',
  "<?xml version='1.0'?><!-- - --><?pi a?b ?><a xmlns='u'><b xmlns=''/><c:d xmlns:c='v' c:e='1' e='2'/></a><?z?>",
  '<a:b xmlns:a="u" xmlns:c="v" a:x="1" c:x="2" x="3"><a:Addenda><d:e f:g="1" f:g="2"/></a:Addenda><c:f/></a:b>',
  '<r><Addenda><x:y:z/>&amp;<![CDATA[<>&]]>]] ></Addenda><b>]]&gt;</b></r>',
  '<a b="&lt;&gt;&amp;&quot;&apos;&#65;&#x41;&#xA;&#10;\t\n\r\r\n x"> &#9; texto &amp; más ]] > </a>',
  '<a><![CDATA[ ]] ]> & < ]]]><b><!----><c\n\tx\n=\n"1"\ty = \'2\' /></b\n></a>',
  '<año Año="ñ" ñ="é€😀"><ñ:é xmlns:ñ="ü" ñ:á="1"/>�</año>',
  // Words that the tokenizer knows, of lengths around four, and values whose odd characters stand at every place of four.
  '<Rfc Rfc="#" UUID =\'"\' Nombre="a#b>c" Año="ñ" Antigüedad="1" Total="a\'&lt;bcd\tef" Rfcñ="1" Totalé="2" Certificado="abcdefgh#i&amp;jkl\n" xmlns=\'abcdé\'/>',
  '<Pago FechaPago="2" ImporteDR="1" ImporteD="2" ImporteDRX="3" TotalTrasladosImpuestoIVA16="4" TotalTrasladosImpuestoIVA8="5" a="" ab="" abc=""/>',
  '<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="es" xmlns:b="u" xmlns:c="u" b:x="1" c:y="2"/>',
  '<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" xmlns:schemaLocation="x" Sello="AbC+/=="><cfdi:Emisor Rfc="A&amp;Ñ"/></cfdi:Comprobante>',
]
  .map((text) => Buffer.from(text))
  .concat(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a b="ñ\u0080"/>', 'latin1'))
  .concat(Buffer.from('\uFEFF<a b="ñ😀"><c/></a>', 'utf16le'))

const INVOICES: readonly Buffer[] = [
  'cfdi/40/own-i-pue-iva16.xml',
  'cfdi/40/own-i-caracteres.xml',
  'cfdi/33/own-i-dos-complementos.xml',
  'malformed/tolerable/own-addenda-cdata.xml',
  'malformed/tolerable/own-prefijo-redefinido-en-hijo.xml',
].map(ownFixture)

const PIECES: readonly Buffer[] = [
  ...[
    '<',
    '>',
    '/>',
    '</',
    '</a>',
    '<b>',
    '<b/>',
    '<b x="1">',
    '=',
    '"',
    "'",
    ' ',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '&',
    ';',
    ':',
  ],
  ...[
    '&amp;',
    '&lt;',
    '&nbsp;',
    '&#0;',
    '&#x1F;',
    '&#65;',
    '&#x10FFFF;',
    '&#x110000;',
    '&#xD800;',
    '&#xFFFE;',
    '&#xA',
    '&#;',
  ],
  ...[
    '&#x;',
    '&#X41;',
    '&;',
    ']]>',
    ']]',
    '<![CDATA[',
    '<!--',
    '-->',
    '--',
    '<?',
    '?>',
    '<?xml version="1.0"?>',
    '<?x y?>',
  ],
  ...[
    '<?xml?>',
    '<!DOCTYPE a>',
    '<!',
    'xmlns=""',
    ' xmlns="u"',
    ' xmlns:b="u"',
    ' xmlns:b=""',
    ' b:x="1"',
    ' x="1"',
    ' x="2"',
  ],
  ...[
    ' xml:x="1"',
    ' xmlns:xmlns="u"',
    'xmlns:',
    '<xmlns:a/>',
    '<b:c/>',
    '<:a/>',
    '<a:/>',
    '<1/>',
    '<-/>',
    '<a.b-c/>',
    '<Addenda>',
  ],
  ...[
    '</Addenda>',
    '<Addenda/>',
    '\0',
    '\u0001',
    '\u007f',
    '\u0085',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\ufffd',
    '\ufffe',
    '\uffff',
    'ñ',
    'Ñ',
    '€',
  ],
  ...[
    '😀',
    '\u0300',
    '\u00b7',
    '\u037e',
    'encoding="latin1"',
    "encoding='utf-16'",
    'standalone="no"',
    '__proto__="1"',
    'constructor="1"',
  ],
]
  .map((text) => Buffer.from(text))
  .concat(
    [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xef, 0xbf], [0xef, 0xbb, 0xbf], [0xff, 0xfe], [0]].map((b) =>
      Buffer.from(b),
    ),
  )

type Mutation = { at: number; length: number; kind: number; piece: Buffer; from: number }

function document(): fc.Arbitrary<Buffer> {
  const mutation: fc.Arbitrary<Mutation> = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 0, max: 12 }),
    kind: fc.integer({ min: 0, max: 5 }),
    piece: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...PIECES) },
      fc.uint8Array({ maxLength: 4 }).map((b) => Buffer.from(b)),
    ),
  })
  const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => Buffer.concat(pieces))
  const seed = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...SEEDS) },
    { weight: 2, arbitrary: fc.constantFrom(...INVOICES) },
    { weight: 1, arbitrary: soup.map((bytes) => Buffer.concat([Buffer.from('<a>'), bytes, Buffer.from('</a>')])) },
    { weight: 1, arbitrary: soup },
  )
  return fc
    .tuple(seed, fc.array(mutation, { maxLength: 3 }))
    .map(([bytes, mutations]) => mutations.reduce(mutate, bytes))
}

function mutate(bytes: Buffer, { at, from, length, kind, piece }: Mutation): Buffer {
  const place = Math.floor(at * bytes.length)
  const before = bytes.subarray(0, place)
  const other = Math.floor(from * bytes.length)
  if (kind <= 1) return Buffer.concat([before, piece, bytes.subarray(place)])
  if (kind === 2) return Buffer.concat([before, piece, bytes.subarray(place + length)])
  if (kind === 3) return Buffer.concat([before, bytes.subarray(place + length)])
  if (kind === 4) return Buffer.concat([before, bytes.subarray(other, other + length * 3), bytes.subarray(place)])
  return Buffer.concat([
    before,
    bytes.subarray(place, place + 1).map((byte) => byte ^ (1 << (length & 7))),
    bytes.subarray(place + 1),
  ])
}
