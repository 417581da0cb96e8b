import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { sharedFixtures } from '../../../test/support/fixtures.ts'
import { METADATA_ROW, metadataList, metadataRow } from '../../../test/support/sat-metadata.ts'
import { type ZipMember, zipArchive } from '../../../test/support/zip-archive.ts'
import { isIlegible } from './metadata.ts'
import { openMetadata } from './open-metadata.ts'

let folder: string
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'horux-metadata-'))
})
after(() => rmSync(folder, { recursive: true }))

let files = 0
function onDisk(members: readonly ZipMember[]): string {
  const file = path.join(folder, `${files++}.zip`)
  writeFileSync(file, zipArchive(members))
  return file
}

/** Of each row its UUID, state and third party; of what is none, why. */
async function read(file: string): Promise<string[]> {
  await using zip = await openMetadata(file)
  const found: string[] = []
  for await (const row of zip.rows())
    found.push(
      isIlegible(row)
        ? `${row.motivo}: ${row.texto.slice(0, 40)}`
        : [row.uuid.slice(0, 8), row.estatus, row.rfcTerceros, row.nombreTerceros].filter(Boolean).join(' '),
    )
  return found
}

const OTRA = '129C4D12-1415-4ACE-BE12-34E71C4EAB4E'
const terceros = (...rows: string[]) => metadataList(rows, { header: 'Uuid~RfcACuentaTerceros~NombreACuentaTerceros' })

test('rows of all lists come in the order of the package, with their third party wherever its file stands', async () => {
  const file = onDisk([
    { name: 'x_01.txt', data: metadataList([metadataRow(), metadataRow({ uuid: OTRA, estatus: '0' })]) },
    { name: 'x_Tercero.TXT', data: terceros(`${OTRA.toLowerCase()}~JUFA7608212V6~ADRIANA`, 'no') },
    { name: 'x_02.txt', data: metadataList([metadataRow({ uuid: OTRA })]), stored: true },
  ])
  const expected = [
    'e7215e3b vigente',
    '129c4d12 cancelado JUFA7608212V6 ADRIANA',
    '129c4d12 vigente JUFA7608212V6 ADRIANA',
  ]
  assert.deepEqual(await read(file), [...expected, 'columnas: no'])
  assert.deepEqual(await read(file), [...expected, 'columnas: no'], 'the same again')
})

test('files that are no lists are told of, and never opened', async () => {
  const file = onDisk([
    { name: '__MACOSX/._x_01.txt', data: randomBytes(200) },
    { name: '../../x.xml', data: '<a/>' },
    { name: 'carpeta/x_01.txt', data: metadataList([metadataRow()]) },
  ])
  assert.deepEqual(await read(file), ['e7215e3b vigente', 'archivo: __MACOSX/._x_01.txt', 'archivo: ../../x.xml'])
})

test('a damaged package gives no rows at all, rather than some', async () => {
  const list = metadataList(Array.from({ length: 5_000 }, () => metadataRow({ uuid: randomUUID() })))
  const good = { name: 'x_01.txt', data: list }
  for (const [code, members] of [
    ['zip.bad_crc', [good, { name: 'x_02.txt', data: list, says: { crc: 1 } }]],
    ['zip.bad_size', [good, { name: 'x_02.txt', data: list, says: { bytes: list.length + 40 } }]],
    ['zip.encrypted', [good, { name: 'x_02.txt', data: list, flags: 0x801 }]],
  ] as const)
    await assert.rejects(openMetadata(onDisk(members)), { code })
  const cut = path.join(folder, 'cortado.zip')
  writeFileSync(cut, zipArchive([good]).subarray(0, 900))
  await assert.rejects(openMetadata(cut), { code: 'zip.truncated' })
  const none = path.join(folder, 'ninguno.zip')
  writeFileSync(none, '<html>')
  await assert.rejects(openMetadata(none), { code: 'zip.not_zip' })
})

test('a package without rows, or without lists, has none', async () => {
  assert.deepEqual(await read(onDisk([{ name: 'x_01.txt', data: metadataList([]) }])), [])
  assert.deepEqual(await read(onDisk([])), [])
})

test('a list of 60 MB is read without being in memory, and who stops in the middle leaves nothing open', async () => {
  const rows = Array.from({ length: 1_000 }, (_, i) =>
    metadataRow({
      uuid: METADATA_ROW.uuid.replace(/^.{4}/, String(i).padStart(4, '0')),
      nombreEmisor: randomBytes(40).toString('hex'),
    }),
  )
  const data = Buffer.from(metadataList(rows).repeat(240))
  assert.ok(data.length > 55_000_000)
  const file = onDisk([{ name: 'x_01.txt', data }])
  await using zip = await openMetadata(file)
  const idle = process.memoryUsage().arrayBuffers
  let most = 0
  let count = 0
  for await (const row of zip.rows()) {
    assert.ok(!isIlegible(row))
    if (count++ % 1_000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - idle)
    if (count === 60_000) break
  }
  assert.ok(most < 30_000_000, `${most} bytes of buffers`)
})

test('the packages of the fixtures', async (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const found: Record<string, string[]> = {}
  for (const name of readdirSync(path.join(shared, 'packages')).filter((file) => /metadata.*\.zip$/.test(file)))
    found[name] = await read(path.join(shared, 'packages', name))
  assert.deepEqual(found, {
    'own-metadata.zip': [
      'e7215e3b vigente JUFA7608212V6 ADRIANA JUAREZ FERNANDEZ',
      '129c4d12 cancelado',
      '3b11a2c4 vigente',
      '4c22b3d5 vigente',
      '5d33c4e6 vigente',
    ],
    'phpcfdi-metadata-terceros.zip': [
      '11111111 vigente',
      '11111111 vigente AAAA010101AA1 PERSONA FISICA UNO',
      '11111111 vigente AAAA010101AA2 PERSONA FISICA DOS',
      '11111111 vigente AAAA010101AA3 PERSONA FISICA TRES',
      '11111111 vigente',
    ],
    'phpcfdi-metadata.zip': [
      'columnas: This is not an CSV file, is created to t',
      'e7215e3b vigente',
      '129c4d12 vigente',
      'columnas: other content',
      'archivo: __MACOSX/._45C5C344-DA01-497A-9271-5AA38',
      'archivo: empty-file',
    ],
  })
})
