import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sharedFixtures } from '../../../test/support/fixtures.ts'
import { type ZipMember, zipArchive } from '../../../test/support/zip-archive.ts'
import { AppError } from '../../errors.ts'
import { openZip, UPLOAD_LIMITS, type ZipLimits } from './zip.ts'

let folder: string
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'horux-zip-'))
})
after(() => rmSync(folder, { recursive: true }))

let files = 0
function onDisk(bytes: Buffer): string {
  const file = path.join(folder, `${files++}.zip`)
  writeFileSync(file, bytes)
  return file
}

/** What is read of each member, or the code it is refused with; of an archive that is refused, its code. */
async function read(bytes: Buffer | string, limits: ZipLimits = UPLOAD_LIMITS): Promise<string | [string, string][]> {
  try {
    await using zip = await openZip(typeof bytes === 'string' ? bytes : onDisk(bytes), limits)
    const found: [string, string][] = []
    for (const entry of zip.entries) {
      const content = await zip.read(entry).then(
        (data) => data.toString('utf8', 0, 40),
        (error: unknown) => codeOf(error),
      )
      found.push([entry.name, content])
    }
    return found
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  if (error instanceof AppError) return error.code
  throw error
}

const good: ZipMember = { name: 'buena.xml', data: '<a>bien</a>' }

test('members come in their order with their bytes, packed or stored, without the folders', async () => {
  const members = [{ name: 'uno/' }, good, { name: 'uno/dos/otra.xml', data: 'b', stored: true }, { name: 'vacio.xml' }]
  assert.deepEqual(await read(zipArchive(members)), [
    ['buena.xml', '<a>bien</a>'],
    ['uno/dos/otra.xml', 'b'],
    ['vacio.xml', ''],
  ])
  assert.deepEqual(await read(zipArchive([])), [])
})

test('an archive of 64 bits is read like one of 32', async () => {
  const members = [
    { ...good, zip64: true },
    { name: 'otra.xml', data: 'b', stored: true, zip64: true },
  ]
  const expected = [
    ['buena.xml', '<a>bien</a>'],
    ['otra.xml', 'b'],
  ]
  assert.deepEqual(await read(zipArchive(members, { zip64: true })), expected)
  assert.deepEqual(await read(zipArchive(members)), expected)
})

test('a comment, and a line break that a mail program appended, are no obstacle', async () => {
  const archive = zipArchive([good], { comment: 'PK\u0005\u0006 no soy el final' })
  assert.deepEqual(await read(Buffer.concat([archive, Buffer.from('\r\n')])), [['buena.xml', '<a>bien</a>']])
})

test('names are text whatever wrote them', async () => {
  const names = [
    { name: Buffer.from([0xa4, 0x2e, 0x78, 0x6d, 0x6c]), flags: 0 }, // ñ.xml by Windows
    { name: Buffer.from('ñ.xml'), flags: 0 }, // by macOS
    { name: '../../etc/ñ😀.xml' },
    { name: 'C:\\x.xml' },
  ]
  const found = await read(zipArchive(names.map((member) => ({ ...member, data: 'x' }))))
  assert.deepEqual(
    (found as [string, string][]).map(([name]) => name),
    ['ñ.xml', 'ñ.xml', '../../etc/ñ😀.xml', 'C:\\x.xml'],
  )
})

test('of a name as long as the format has it, the end is kept: a thousand of them would fill the memory', async () => {
  const long = Buffer.from(`${'ñ'.repeat(32_700)}/nota😀.xml`)
  const found = await read(
    zipArchive([
      { name: long, data: 'x' },
      { name: Buffer.alloc(65_535, 0x82), flags: 0, data: 'y' },
    ]),
  )
  const [[utf8 = '', x] = [], [windows = '', y] = []] = found as [string, string][]
  assert.deepEqual([x, y], ['x', 'y'])
  assert.match(utf8, /^ñ+\/nota😀\.xml$/)
  assert.match(windows, /^é+$/)
  assert.ok(utf8.length < 2_100 && windows.length < 2_100)
})

test('an index in another order than its members is read all the same', async () => {
  const members = Array.from(
    { length: 40 },
    (_, i): ZipMember => ({ name: `${i}`, data: `${i}`.repeat(60_000), stored: true }),
  )
  const archive = zipArchive(members)
  const at = archive.readUInt32LE(archive.length - 6)
  const lines: Buffer[] = []
  for (let from = at; from < archive.length - 22; from += 46 + archive.readUInt16LE(from + 28))
    lines.push(archive.subarray(from, from + 46 + archive.readUInt16LE(from + 28)))
  const mixed = lines.map((_, i) => lines[(i * 7) % 40] as Buffer)
  const found = await read(Buffer.concat([archive.subarray(0, at), ...mixed, archive.subarray(-22)]))
  assert.deepEqual(
    found,
    members.map((_, i) => [`${(i * 7) % 40}`, `${(i * 7) % 40}`.repeat(40).slice(0, 40)]),
  )
})

const badMembers: [string, ZipMember, string][] = [
  ['wrong CRC', { ...good, says: { crc: 1 } }, 'zip.bad_crc'],
  ['a password', { ...good, flags: 1 }, 'zip.encrypted'],
  ['AES', { ...good, says: { method: 99 } }, 'zip.encrypted'],
  ['more bytes than it says', { ...good, says: { bytes: 3 } }, 'zip.bad_size'],
  ['more bytes than none', { ...good, says: { bytes: 0 } }, 'zip.bad_size'],
  ['fewer bytes than it says', { ...good, says: { bytes: 90 } }, 'zip.bad_size'],
  ['a size of its packed bytes that lies', { ...good, says: { packed: 4 } }, 'zip.bad_data'],
  ['an unknown method', { ...good, says: { method: 12 } }, 'zip.method'],
  ['a link', { ...good, mode: 0o120777 }, 'zip.symlink'],
  ['what is no stream', { ...good, stored: true, says: { method: 8 } }, 'zip.bad_data'],
  ['too many bytes', { name: 'a.xml', data: Buffer.alloc(10 * 1024 ** 2 + 1), stored: true }, 'zip.entry_too_large'],
  ['too much in too little', { name: 'a.xml', data: Buffer.alloc(5 * 1024 ** 2) }, 'zip.ratio'],
]
for (const [what, member, code] of badMembers)
  test(`a member with ${what} is refused as ${code} and its neighbours are read`, async () => {
    const archive = zipArchive([good, { ...member, name: 'mala.xml' }, { ...good, name: 'otra.xml' }])
    assert.deepEqual(await read(archive), [
      ['buena.xml', '<a>bien</a>'],
      ['mala.xml', code],
      ['otra.xml', '<a>bien</a>'],
    ])
  })

const one = zipArchive([good])
const badArchives: [string, Buffer, string][] = [
  ['of zero bytes', Buffer.alloc(0), 'zip.empty_file'],
  ['that is none', Buffer.from('esto no es un zip, y es largo'), 'zip.not_zip'],
  ['of a few bytes', Buffer.from('PK'), 'zip.not_zip'],
  ['cut in its index', one.subarray(0, -30), 'zip.truncated'],
  ['cut in a member', one.subarray(0, 40), 'zip.truncated'],
  ['without its beginning', one.subarray(10), 'zip.damaged'],
  [
    'behind something else',
    zipArchive([good], { before: Buffer.alloc(9), says: { directoryOffset: 60 } }),
    'zip.damaged',
  ],
  ['with an index that is elsewhere', zipArchive([good], { says: { directoryOffset: 0 } }), 'zip.damaged'],
  ['with fewer members than it says', zipArchive([good], { says: { entries: 2 } }), 'zip.damaged'],
  ['whose members overlap', zipArchive([good, { ...good, name: 'dos.xml', says: { offset: 0 } }]), 'zip.overlap'],
  ['whose member reaches into its index', zipArchive([{ ...good, says: { packed: 4_000 } }]), 'zip.damaged'],
  [
    'of more bytes than may be',
    zipArchive(Array.from({ length: 3 }, (_, i) => ({ name: `${i}`, says: { bytes: 1024 ** 3 } }))),
    'zip.too_large',
  ],
  [
    'of 60,001 members',
    zipArchive(Array.from({ length: 60_001 }, (_, i) => ({ name: `${i}`, stored: true }))),
    'zip.too_many_entries',
  ],
  [
    'of 60,001 members that says to have one',
    zipArchive(
      Array.from({ length: 60_001 }, (_, i) => ({ name: `${i}`, stored: true })),
      { says: { entries: 1 } },
    ),
    'zip.too_many_entries',
  ],
]
for (const [what, bytes, code] of badArchives)
  test(`an archive ${what} is refused whole: ${code}`, async () => {
    assert.equal(await read(bytes), code)
  })

test('60,000 members are read', async () => {
  const archive = zipArchive(Array.from({ length: 60_000 }, (_, i) => ({ name: `${i}.xml`, stored: true })))
  await using zip = await openZip(onDisk(archive))
  assert.equal(zip.entries.length, 60_000)
})

test('members that begin in each other are refused although the index says otherwise', async () => {
  // The index knows nothing of the extra field of the local header, which pushes the bytes into the next member.
  const archive = zipArchive([good, { ...good, name: 'dos.xml' }])
  archive.writeUInt16LE(30, 28)
  const [first] = (await read(archive)) as [string, string][]
  assert.deepEqual(first, ['buena.xml', 'zip.overlap'])
})

test('whatever bytes of an archive are changed, it is read or refused with a code', async () => {
  const archive = zipArchive([good, { ...good, name: 'dos.xml', zip64: true }, { name: 'c/', mode: 0o40755 }], {
    zip64: true,
  })
  const change = fc.tuple(fc.nat(archive.length - 1), fc.nat(255))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(40), async (changes, cut) => {
      const bytes = Buffer.from(archive)
      for (const [at, value] of changes) bytes[at] = value
      await read(cut < 30 ? bytes : bytes.subarray(0, bytes.length - cut))
    }),
    { numRuns: 600 },
  )
})

test('the archives of the fixtures: what cannot be read has its code', async (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const verdicts: Record<string, string | number | string[]> = {
    'own-3000-entradas-vacias.zip': 3000,
    'own-bomba-40mb.zip': ['zip.entry_too_large'],
    'own-cero-bytes.zip': 'zip.empty_file',
    'own-crc-malo.zip': ['zip.bad_crc', '<?xml', '<?xml'],
    'own-marcado-cifrado.zip': ['zip.encrypted', '<?xml', '<?xml'],
    'own-no-es-zip.zip': 'zip.not_zip',
    'own-truncado.zip': 'zip.truncated',
    'own-zip-anidado.zip': ['PK\u0003\u0004'],
    'own-zip-slip.zip': ['<?xml', '<?xml', '<?xml', '<?xml', '<?xml', '<?xml'],
    'own-cfdi-36.zip': 36,
    'own-cfdi-con-un-xml-roto.zip': 7,
    'own-cfdi-mitad-1.zip': 18,
    'own-cfdi-mitad-2-con-repetidos.zip': 21,
    'own-cfdi-nombre-no-coincide.zip': 6,
    'own-cfdi-rfc-ajeno.zip': 3,
    'own-cfdi-uuid-duplicado.zip': 3,
    'own-cfdi-vacio.zip': 0,
    'own-metadata.zip': 2,
    'own-stored.zip': ['<?xml', '<?xml', '<?xml'],
    'phpcfdi-cfdi.zip': 6,
    'phpcfdi-metadata-terceros.zip': 2,
    'phpcfdi-metadata.zip': 5,
  }
  const archives = ['malformed/zip', 'packages'].flatMap((name) =>
    readdirSync(path.join(shared, name))
      .filter((file) => file.endsWith('.zip'))
      .map((file) => path.join(shared, name, file)),
  )
  assert.equal(archives.length, Object.keys(verdicts).length)
  for (const archive of archives) {
    const found = await read(archive)
    const name = path.basename(archive)
    const verdict = verdicts[name]
    if (typeof verdict === 'number') {
      assert.equal(found.length, verdict, name)
      assert.ok(
        (found as [string, string][]).every(([, content]) => !content.startsWith('zip.')),
        name,
      )
    } else if (typeof verdict === 'string') assert.equal(found, verdict, name)
    else
      assert.deepEqual(
        (found as [string, string][]).map(([, content]) =>
          content.startsWith('zip.') ? content : content.slice(0, content.startsWith('PK') ? 4 : 5),
        ),
        verdict,
        name,
      )
  }
})

/** What `stream` gives of each member: its bytes, or the code it ends with. */
async function streamed(archive: Buffer, limits: ZipLimits = UPLOAD_LIMITS): Promise<string[]> {
  await using zip = await openZip(onDisk(archive), limits)
  const found: string[] = []
  for (const entry of zip.entries) {
    const pieces: Buffer[] = []
    try {
      for await (const piece of zip.stream(entry)) pieces.push(piece)
      found.push(Buffer.concat(pieces).toString('latin1'))
    } catch (error) {
      found.push(codeOf(error))
    }
  }
  return found
}

test('a member comes in pieces as it comes whole, and what is wrong with it is said at its end', async () => {
  const long = randomBytes(300_000).toString('hex')
  const members: ZipMember[] = [
    good,
    { name: 'largo.txt', data: long },
    { name: 'sin-comprimir.txt', data: long, stored: true },
    { name: 'vacio.txt' },
    { name: 'crc.txt', data: long, says: { crc: 1 } },
    { name: 'mas.txt', data: long, says: { bytes: long.length - 1 } },
    { name: 'menos.txt', data: long, says: { bytes: long.length + 1 } },
    { name: 'metodo.txt', data: 'x', says: { method: 12 } },
    // Its first block is of a kind that there is not. Of random bytes one row in 170 is a stream that ends somewhere.
    { name: 'roto.txt', data: Buffer.alloc(4_000, 0xff), stored: true, says: { method: 8 } },
    { name: 'cortado.txt', data: long, says: { packed: 70_000 } },
    { ...good, name: 'otra.xml' },
  ]
  assert.deepEqual(await streamed(zipArchive(members)), [
    '<a>bien</a>',
    long,
    long,
    '',
    'zip.bad_crc',
    'zip.bad_size',
    'zip.bad_size',
    'zip.method',
    'zip.bad_data',
    'zip.bad_data',
    '<a>bien</a>',
  ])
})

test('of a member in pieces no more is in memory than some of them, and who stops in the middle leaves nothing open', async () => {
  // 300 MB that pack to 300 kB.
  const archive = zipArchive([{ name: 'grande.txt', data: Buffer.alloc(300_000_000, 'abcdefghij\r\n') }, good])
  const limits = { ...UPLOAD_LIMITS, entryBytes: 1024 ** 3, ratio: 2_000 }
  await using zip = await openZip(onDisk(archive), limits)
  const [large, small] = zip.entries
  assert.ok(large && small)
  let bytes = 0
  let most = 0
  for await (const piece of zip.stream(large)) {
    bytes += piece.length
    most = Math.max(most, piece.length)
  }
  assert.equal(bytes, 300_000_000)
  assert.ok(most <= 64 * 1024)
  for await (const _ of zip.stream(large)) break
  assert.equal((await zip.read(small)).toString(), '<a>bien</a>')
})

test('whatever bytes of an archive are changed, its pieces are its bytes or end with a code', async () => {
  const data = 'línea de texto que se repite\r\n'.repeat(50)
  const archive = zipArchive([
    { name: 'uno.txt', data },
    { name: 'dos.txt', data, stored: true },
  ])
  const change = fc.tuple(fc.nat(archive.length - 1), fc.nat(255))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      const bytes = Buffer.from(archive)
      for (const [at, value] of changes) bytes[at] = value
      try {
        const found = await streamed(bytes)
        const whole = (await read(bytes)) as [string, string][]
        // Both say the same of each member, be it a code.
        assert.deepEqual(
          found.map((text) => (text.startsWith('zip.') ? text : Buffer.from(text, 'latin1').toString('utf8', 0, 40))),
          whole.map(([, text]) => text),
        )
      } catch (error) {
        codeOf(error)
      }
    }),
    { numRuns: 300 },
  )
})
