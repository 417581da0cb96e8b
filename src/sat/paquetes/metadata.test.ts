import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { sharedFixtures } from '../../../test/support/fixtures.ts'
import { METADATA_HEADER, METADATA_ROW, metadataList, metadataRow } from '../../../test/support/sat-metadata.ts'
import { inPieces } from '../../../test/support/sat-package.ts'
import { type Chunks, type FilaMetadata, type Ilegible, isIlegible, readMetadata, readTerceros } from './metadata.ts'

const read = (text: string | Buffer, lengths?: number[]) => collected(inPieces(text, lengths))

const collected = (chunks: Chunks) => all(readMetadata(chunks))

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}

const FILA: FilaMetadata = {
  uuid: 'e7215e3b-2dc5-4a40-ab10-c902ff9258df',
  rfcEmisor: 'EKU9003173C9',
  nombreEmisor: 'ESCUELA KEMPER URGATE',
  rfcReceptor: 'URE180429TM6',
  nombreReceptor: 'UNIVERSIDAD ROBOTICA ESPAÑOLA',
  rfcPac: 'SPR190613I52',
  fechaEmision: '2026-08-11T07:10:23',
  fechaCertificacion: '2026-08-11T07:10:51',
  monto: '1124.11',
  efecto: 'I',
  estatus: 'vigente',
  fechaCancelacion: null,
  rfcTerceros: null,
  nombreTerceros: null,
}
const OTRA = '129C4D12-1415-4ACE-BE12-34E71C4EAB4E'
const otra = { ...FILA, uuid: OTRA.toLowerCase() }

test('a row says what the SAT says, in the forms of the product', async () => {
  const cancelled = { uuid: OTRA, estatus: '0', fechaCancelacion: '2026-09-01 12:00:00' }
  assert.deepEqual(await read(metadataList([metadataRow(), metadataRow(cancelled)])), [
    FILA,
    { ...otra, estatus: 'cancelado', fechaCancelacion: '2026-09-01T12:00:00' },
  ])
})

const readable: [string, string | Buffer, Partial<FilaMetadata>[]][] = [
  ['ends in LF', metadataList([metadataRow()], { end: '\n' }), [{}]],
  ['has no end at all', `${METADATA_HEADER}\r\n${metadataRow()}`, [{}]],
  ['is behind the mark of UTF-8', `\uFEFF${metadataList([metadataRow()])}`, [{}]],
  ['is behind two of them', `\uFEFF\uFEFF${metadataList([metadataRow()])}`, [{}]],
  ['is Latin-1', Buffer.from(metadataList([metadataRow()]), 'latin1'), [{}]],
  [
    'is Latin-1 beside one of UTF-8',
    Buffer.concat([
      Buffer.from(metadataList([metadataRow()])),
      Buffer.from(`${metadataRow({ uuid: OTRA, nombreEmisor: '€ÑÚ' }).replace('€', '\x80')}\r\n`, 'latin1'),
    ]),
    [{}, { uuid: otra.uuid, nombreEmisor: '€ÑÚ' }],
  ],
  [
    'has quotes, which are letters',
    metadataList([metadataRow({ nombreEmisor: 'EL "7 MARES' })]),
    [{ nombreEmisor: 'EL "7 MARES' }],
  ],
  [
    'has a line feed in a name, and lines end in CR LF',
    metadataList([
      metadataRow({ nombreEmisor: '"PATITO SA\n"', nombreReceptor: '\nLA\n\nBUENA' }),
      metadataRow({ uuid: OTRA }),
    ]),
    [{ nombreEmisor: '"PATITO SA"', nombreReceptor: 'LABUENA' }, { uuid: otra.uuid }],
  ],
  [
    'has a line feed in a name, and lines end in LF',
    metadataList([metadataRow({ nombreEmisor: '"PATITO SA\n"' }), metadataRow({ uuid: OTRA })], { end: '\n' }),
    [{ nombreEmisor: '"PATITO SA"' }, { uuid: otra.uuid }],
  ],
  [
    'ends in LF although its header ends in CR LF',
    `${METADATA_HEADER}\r\n${metadataRow()}\n${metadataRow({ uuid: OTRA })}\n`,
    [{}, { uuid: otra.uuid }],
  ],
  [
    'has ~ in its names',
    metadataList([metadataRow({ nombreEmisor: 'ESCUELA~KEMPER', nombreReceptor: '~UNO~~' })]),
    [{ nombreEmisor: 'ESCUELA~KEMPER', nombreReceptor: '~UNO~~' }],
  ],
  [
    'has blank names',
    metadataList([metadataRow({ nombreEmisor: '', nombreReceptor: ' ' })]),
    [{ nombreEmisor: '', nombreReceptor: '' }],
  ],
  ['has a blank amount', metadataList([metadataRow({ monto: '' })]), [{ monto: null }]],
  [
    'has an amount with marks of thousands',
    metadataList([metadataRow({ monto: '1,234,567.8' })]),
    [{ monto: '1234567.8' }],
  ],
  [
    'has lower case',
    metadataList([metadataRow({ uuid: METADATA_ROW.uuid.toLowerCase(), rfcEmisor: 'eku9003173c9' })]),
    [{}],
  ],
  [
    'has an RFC with & and with Ñ',
    metadataList([metadataRow({ rfcEmisor: 'H&E951128469', rfcReceptor: 'ÑAÑ010101AB1' })]),
    [{ rfcEmisor: 'H&E951128469', rfcReceptor: 'ÑAÑ010101AB1' }],
  ],
  [
    'has no date of cancellation although it is cancelled',
    metadataList([metadataRow({ estatus: '0' })]),
    [{ estatus: 'cancelado' }],
  ],
  [
    'says its state in words',
    metadataList([metadataRow({ estatus: 'Cancelado', efecto: 'Nómina' })]),
    [{ estatus: 'cancelado', efecto: 'N' }],
  ],
  ['has no last column', metadataList([metadataRow().slice(0, -1)]), [{}]],
  [
    'has columns more, of which some are known',
    metadataList([`${metadataRow()}~JUFA7608212V6~ADRIANA~algo`], {
      header: `${METADATA_HEADER}~RfcACuentaTerceros~NombreACuentaTerceros~Otra`,
    }),
    [{ rfcTerceros: 'JUFA7608212V6', nombreTerceros: 'ADRIANA' }],
  ],
  [
    'has its columns in another order',
    'Estatus~Uuid~RfcReceptor~RfcEmisor~RfcPac~FechaCertificacionSat~FechaEmision~Monto\r\n' +
      `1~${METADATA_ROW.uuid}~URE180429TM6~EKU9003173C9~SPR190613I52~2026-08-11 07:10:51~2026-08-11T07:10:23~1124.11\r\n`,
    [{ nombreEmisor: '', nombreReceptor: '', efecto: '' }],
  ],
  ['has no header', `${metadataRow()}\r\n`, [{}]],
  [
    'has its header again in the middle',
    metadataList([metadataRow(), METADATA_HEADER, metadataRow({ uuid: OTRA })]),
    [{}, { uuid: otra.uuid }],
  ],
  ['comes among blank lines', metadataList(['', metadataRow(), ' ', '']), [{}]],
  ['comes twice', metadataList([metadataRow(), metadataRow({ estatus: '0' })]), [{}, { estatus: 'cancelado' }]],
  ['has control characters', metadataList([metadataRow({ nombreEmisor: 'A\0B\tC\x7f' })]), [{ nombreEmisor: 'ABC' }]],
  [
    'has the name of something inherited',
    metadataList([metadataRow({ efecto: 'constructor' })]),
    [{ efecto: 'CONSTRUCTOR' }],
  ],
]
for (const [what, list, rows] of readable)
  test(`a row that ${what} is read`, async () => {
    const expected = rows.map((row) => ({ ...FILA, ...row }))
    assert.deepEqual(await read(list), expected)
    for (const length of [1, 2, 3, 50]) assert.deepEqual(await read(list, [length]), expected)
  })

const ilegible: [string, string[], [motivo: string, texto: RegExp, uuid: string | null][]][] = [
  ['that is words', ['basura sin separadores'], [['columnas', /^basura sin separadores$/, null]]],
  [
    'with a day that is none',
    [metadataRow({ fechaEmision: '2026-02-30 10:00:00' })],
    [['fecha', /^E7215E3B.*~$/, FILA.uuid]],
  ],
  [
    'with a date written otherwise',
    [metadataRow({ fechaEmision: '15/08/2026 18:00' })],
    [['fecha', /15\/08/, FILA.uuid]],
  ],
  [
    'whose date of cancellation cannot be read',
    [metadataRow({ fechaCancelacion: 'ayer' })],
    [['fecha', /ayer/, FILA.uuid]],
  ],
  ['with an amount that is none', [metadataRow({ monto: '1,48.17' })], [['monto', /1,48/, FILA.uuid]]],
  ['with a state that is none', [metadataRow({ estatus: '2' })], [['estatus', /~2~/, FILA.uuid]]],
  ['with an RFC that is none', [metadataRow({ rfcEmisor: 'NO' })], [['columnas', /~NO~/, FILA.uuid]]],
  ['that is cut', [metadataRow().slice(0, 90)], [['columnas', /^E721/, FILA.uuid]]],
  ['with a UUID that is none', [metadataRow({ uuid: 'X' })], [['columnas', /^X~/, null]]],
  ['whose name hides an RFC', [metadataRow({ nombreEmisor: 'A~URE180429TM6~B' })], [['ambigua', /A~URE/, FILA.uuid]]],
  [
    'that is longer than any',
    [metadataRow({ nombreEmisor: 'x'.repeat(70_000) })],
    [['demasiado_larga', /^E721.*x{4000}$/, FILA.uuid]],
  ],
  ['with a NUL', ['a\0b'], [['columnas', /^a\uFFFDb$/, null]]],
]
for (const [what, rows, expected] of ilegible)
  test(`a row ${what} is told as it came, and costs the others nothing`, async () => {
    for (const end of ['\r\n', '\n']) {
      const found = await read(metadataList([metadataRow(), ...rows, metadataRow({ uuid: OTRA })], { end }))
      assert.deepEqual([found[0], found.at(-1)], [FILA, otra])
      const told = found.slice(1, -1)
      assert.equal(told.length, expected.length)
      for (const [i, [motivo, texto, uuid]] of expected.entries()) {
        const row = told[i] as Ilegible
        assert.deepEqual({ motivo: row.motivo, uuid: row.uuid }, { motivo, uuid })
        assert.match(row.texto, texto)
        assert.ok(Buffer.byteLength(row.texto) <= 4_096)
      }
    }
  })

test('words behind a whole row do not take it with them', async () => {
  const list = `${METADATA_HEADER}\r\n${metadataRow()}\nsobra\r\n${metadataRow({ uuid: OTRA })}\r\n`
  assert.deepEqual(await read(list), [FILA, { motivo: 'columnas', texto: 'sobra', uuid: null }, otra])
})

test('companion rows are read by the same rules', async () => {
  const uuid = METADATA_ROW.uuid
  const list = `Uuid~RfcACuentaTerceros~NombreACuentaTerceros\r\n${uuid}~JUFA7608212V6~ADRIANA\n~ "JUÁREZ"\r\nno\r\n${OTRA}~NO~x\r\n`
  assert.deepEqual(await all(readTerceros(inPieces(list, [7]))), [
    { uuid: FILA.uuid, rfc: 'JUFA7608212V6', nombre: 'ADRIANA~ "JUÁREZ"' },
    { motivo: 'columnas', texto: 'no', uuid: null },
    { motivo: 'columnas', texto: `${OTRA}~NO~x`, uuid: otra.uuid },
  ])
})

test('whatever the names of a list are, its rows are read back', async () => {
  const word = fc.string({ unit: fc.constantFrom('A', 'ñ', '"', '~', '\n', ' ', '&', '1', '€'), maxLength: 12 })
  const rows = fc.array(fc.record({ nombreEmisor: word, nombreReceptor: word }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(rows, fc.boolean(), fc.integer({ min: 1, max: 300 }), async (names, latin1, length) => {
      const list = metadataList(names.map((name) => metadataRow(name)))
      const bytes = latin1 && !list.includes('€') ? Buffer.from(list, 'latin1') : Buffer.from(list)
      const clean = (name: string) => name.replaceAll('\n', '').trim()
      assert.deepEqual(
        await read(bytes, [length]),
        names.map(({ nombreEmisor, nombreReceptor }) => ({
          ...FILA,
          nombreEmisor: clean(nombreEmisor),
          nombreReceptor: clean(nombreReceptor),
        })),
      )
    }),
    { numRuns: 300 },
  )
})

test('whatever the bytes are, reading them ends, loses no row, and is the same in any pieces', async () => {
  const piece = fc.oneof(
    fc.constantFrom(metadataRow(), METADATA_HEADER, '\r\n', '\n', '\r', '~', METADATA_ROW.uuid, '\uFEFF', '0', '\0'),
    fc.string({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 20 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 60 }), async (pieces, length) => {
      const bytes = Buffer.concat(pieces.map((one) => Buffer.from(one as string)))
      const whole = await read(bytes)
      assert.deepEqual(await read(bytes, [length]), whole)
      for (const row of whole) if (isIlegible(row)) assert.ok(row.texto.isWellFormed() && !row.texto.includes('\0'))
      const begun = bytes
        .toString('latin1')
        .split('\n')
        .filter((line) => line.replace(/^(ï»¿)+/, '').startsWith(`${METADATA_ROW.uuid}~`))
      assert.ok(whole.filter((row) => row.uuid === FILA.uuid).length >= begun.length)
    }),
    { numRuns: 1_000 },
  )
})

test('many lines that belong to nothing take the time that they are long', async () => {
  const list = `${METADATA_HEADER}\n${METADATA_ROW.uuid}~${'~\n'.repeat(100_000)}`
  const started = process.cpuUsage()
  const rows = await read(list, [65_536])
  // CPU, not the clock: who else uses the machine is no fault of the reader.
  assert.ok(process.cpuUsage(started).user < 20_000_000)
  assert.ok(rows.length > 1 && rows.every(isIlegible))
})

test('300,000 rows are read in a memory that does not grow with them', async () => {
  async function* list(count: number) {
    yield Buffer.from(`${METADATA_HEADER}\r\n`)
    const rows = Buffer.from(`${metadataRow()}\r\n`.repeat(250))
    for (let done = 0; done < count; done += 250) yield rows
  }
  const count = async (rows: number) => {
    let found = 0
    for await (const row of readMetadata(list(rows))) if (!isIlegible(row)) found++
    return found
  }
  assert.equal(await count(50_000), 50_000)
  const idle = process.memoryUsage.rss()
  assert.equal(await count(300_000), 300_000)
  const grown = (process.memoryUsage.rss() - idle) / 1024 ** 2
  assert.ok(grown < 60, `${grown.toFixed(0)} MiB more`)
})

test('the lists of the fixtures: every row is read, or told', async (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const A = 'e7215e3b-2dc5-4a40-ab10-c902ff9258df'
  const B = '129c4d12-1415-4ace-be12-34e71c4eab4e'
  const five = [
    A,
    `${B} cancelado`,
    '3b11a2c4-0d5e-4f6a-8b7c-9d0e1f2a3b4c',
    '4c22b3d5-1e6f-4a7b-9c8d-0e1f2a3b4c5d',
    '5d33c4e6-2f7a-4b8c-8d9e-1f2a3b4c5d6e',
  ]
  const verdicts: Record<string, string[]> = {
    'own-bom.txt': five,
    'own-columnas-extra.txt': five,
    'own-columnas-faltantes.txt': five,
    'own-comillas.txt': five.slice(0, 3),
    'own-duplicados-vigente-y-cancelado.txt': [A, `${A} cancelado`, `${B} cancelado`, `${B} cancelado`],
    'own-latin1.txt': five,
    'own-lf-dentro-de-nombre.txt': five,
    'own-lf.txt': five,
    'own-monto-en-blanco-y-basura.txt': [A, `${B} cancelado`, 'columnas: null', `fecha: ${five[2]}`],
    'own-normal-crlf.txt': five,
    'own-solo-encabezado.txt': [],
    'own-tilde-en-nombre.txt': five.slice(0, 2),
    'own_tercero.txt': [`${A} JUFA7608212V6 ADRIANA JUAREZ FERNANDEZ`],
    'phpcfdi-metadata.txt': [A, B],
  }
  const found: typeof verdicts = {}
  for (const file of readdirSync(path.join(shared, 'metadata')).filter((name) => name.endsWith('.txt'))) {
    const bytes = readFileSync(path.join(shared, 'metadata', file))
    found[file] = file.includes('_tercero')
      ? (await all(readTerceros([bytes]))).map((row) => Object.values(row).join(' '))
      : (await read(bytes)).map((row) =>
          isIlegible(row) ? `${row.motivo}: ${row.uuid}` : row.uuid + (row.estatus === 'cancelado' ? ' cancelado' : ''),
        )
  }
  assert.deepEqual(found, verdicts)
  const names = async (file: string) =>
    ((await read(readFileSync(path.join(shared, 'metadata', file)))) as FilaMetadata[]).map((row) => row.nombreEmisor)
  assert.deepEqual((await names('own-tilde-en-nombre.txt'))[0], 'ESCUELA~KEMPER')
  assert.deepEqual((await names('own-lf-dentro-de-nombre.txt')).slice(0, 2), [
    '"PATITO SA"',
    'HERRERIA "LABUENA" & CIA',
  ])
  const [latin1, utf8] = await Promise.all(
    ['own-latin1.txt', 'own-normal-crlf.txt'].map((file) => read(readFileSync(path.join(shared, 'metadata', file)))),
  )
  assert.deepEqual(latin1, utf8)
})
