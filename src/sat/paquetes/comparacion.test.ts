import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { ownFixture, ownFixtures, sharedFixtures } from '../../../test/support/fixtures.ts'
import { metadataList, metadataRow } from '../../../test/support/sat-metadata.ts'
import { inPieces } from '../../../test/support/sat-package.ts'
import { type ZipMember, zipArchive } from '../../../test/support/zip-archive.ts'
import { refusalByName } from '../../cfdi/bulk/verdict.ts'
import { openZip, SAT_LIMITS } from '../../cfdi/bulk/zip.ts'
import { parseCfdi } from '../../cfdi/read/parse.ts'
import { AppError } from '../../errors.ts'
import { receivePackage } from '../descarga/receive-package.ts'
import { isIlegible } from './metadata.ts'
import { openMetadata } from './open-metadata.ts'

// What @nodecfdi/sat-ws-descarga-masiva reads of the same bytes. docs/comparacion-sat.md says it in words: both change together.

/** Of a package of CFDI: what each reader got out of it, and what it said of the rest. */
interface Paquete {
  ours: string[]
  /** Members that ours did not read: each has its code. */
  told: Record<string, string>
  theirs: string[]
}

test('of every package of CFDI ours reads what theirs reads, and says of the rest what it is', async (t) => {
  const [theirs, shared] = [yardstick(t), sharedFixtures(t)]
  if (!theirs || !shared) return
  const folder = temporary(t)
  const found: Record<string, unknown> = {}
  for (const file of packagesIn(shared, folder)) {
    const result = await readBoth(theirs, file)
    const damaged = Object.values(result.told).filter((code) => code === 'zip.bad_crc')
    // A superset, but for bytes that are not those that were packed: theirs does not look.
    assert.equal(missing(result.theirs, result.ours).length, damaged.length, path.basename(file))
    const dropped = missing(result.ours, result.theirs)
    const { told } = result
    if (dropped.length + Object.keys(told).length > 0)
      found[path.basename(file)] = {
        ...(dropped.length > 0 && { dropped }),
        ...(Object.keys(told).length > 0 && { told }),
      }
  }
  assert.deepEqual(found, {
    // Theirs leaves these out without a word: `count()` does not count them.
    'formas.zip': { dropped: FORMAS.map(([name]) => uuidOf(name)).toSorted() },
    'own-cfdi-con-un-xml-roto.zip': { told: { '00000000-0000-4000-8000-000000000001.xml': 'cfdi.not_xml' } },
    'own-crc-malo.zip': { told: { '5663de75-81fc-4a93-ae4b-2b3b61c002fe.xml': 'zip.bad_crc' } },
    'phpcfdi-cfdi.zip': {
      told: {
        '00000000-0000-0000-0000-000000000000.xml': 'cfdi.not_xml',
        '__MACOSX/.aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee.xml': 'carga.system_file',
        'empty-file': 'cfdi.empty',
        'other.txt': 'cfdi.not_xml',
      },
    },
  })
})

test('of every list ours reads what theirs reads, and says of the rest what it is', async (t) => {
  const [theirs, shared] = [yardstick(t), sharedFixtures(t)]
  if (!theirs || !shared) return
  const folder = temporary(t)
  const found: Record<string, unknown> = {}
  for (const file of listsIn(shared, folder)) {
    const name = path.basename(file, '.zip')
    await using zip = await openMetadata(file)
    const rows: string[] = []
    const told: string[] = []
    for await (const row of zip.rows())
      if (isIlegible(row)) told.push(`${row.motivo}: ${row.uuid ?? row.texto.slice(0, 22)}`)
      else
        rows.push(
          [
            row.uuid,
            row.rfcEmisor,
            row.nombreEmisor,
            row.rfcReceptor,
            row.nombreReceptor,
            row.monto,
            row.estatus,
            row.rfcTerceros ?? '',
          ].join('|'),
        )
    const reader = await theirs.MetadataPackageReader.createFromFile(file)
    const items = await reader.metadataToArray()
    const their = items.map((item) => {
      const field = (key: string) => String(item.get(key) ?? '')
      const estatus =
        ({ '0': 'cancelado', '1': 'vigente' } as Record<string, string>)[field('estatus')] ?? field('estatus')
      return [
        field('uuid').toLowerCase(),
        field('rfcEmisor'),
        field('nombreEmisor'),
        field('rfcReceptor'),
        field('nombreReceptor'),
        field('monto'),
        estatus,
        field('rfcACuentaTerceros'),
      ].join('|')
    })
    const same = their.filter((row) => rows.includes(row)).length
    found[name] = [rows.length, their.length, same, ...told]
    // Whatever theirs names, ours has read, or told with its UUID.
    const uuids = new Set([...rows.map((row) => row.slice(0, 36)), ...told.map((line) => line.slice(-36))])
    for (const row of their) if (/^[\da-f-]{36}\|/.test(row)) assert.ok(uuids.has(row.slice(0, 36)), `${name}: ${row}`)
  }
  // Ours, theirs, and how many of theirs say the same as ours; then what ours told.
  assert.deepEqual(found, LISTS)
})

const LISTS = {
  // All of it, without a word.
  'own-bom.txt': [5, 0, 0],
  // Letters of Latin-1 become marks of what cannot be read.
  'own-latin1.txt': [5, 5, 3],
  // The rest of the name becomes a row, and its own one loses its receiver and its state.
  'lf-en-nombre-de-lf.txt': [2, 3, 1],
  // The state becomes the effect, the receiver a part of a name.
  'own-tilde-en-nombre.txt': [2, 2, 1],
  // Theirs gives words as a row, a day that is none as it is, and an amount with its comma.
  'own-monto-en-blanco-y-basura.txt': [
    2,
    4,
    1,
    'columnas: basura sin separadores',
    'fecha: 3b11a2c4-0d5e-4f6a-8b7c-9d0e1f2a3b4c',
  ],
  'phpcfdi-metadata': [
    2,
    2,
    2,
    'columnas: This is not an CSV fil',
    'columnas: other content',
    'archivo: __MACOSX/._45C5C344-DA',
    'archivo: empty-file',
  ],
  'own-columnas-extra.txt': [5, 5, 5],
  'own-columnas-faltantes.txt': [5, 5, 5],
  'own-comillas.txt': [3, 3, 3],
  'own-duplicados-vigente-y-cancelado.txt': [4, 4, 4],
  'own-lf-dentro-de-nombre.txt': [5, 5, 5],
  'own-lf.txt': [5, 5, 5],
  'own-metadata': [5, 5, 5],
  'own-normal-crlf.txt': [5, 5, 5],
  'own-solo-encabezado.txt': [0, 0, 0],
  'phpcfdi-metadata-terceros': [5, 5, 5],
  'phpcfdi-metadata.txt': [2, 2, 2],
}

test('of every answer ours takes what theirs takes, but for what is no package', async (t) => {
  const [theirs, shared] = [yardstick(t), sharedFixtures(t)]
  if (!theirs || !shared) return
  const folder = temporary(t)
  const found: Record<string, string> = {}
  for (const name of ['descarga', 'fallas'])
    for (const file of readdirSync(path.join(shared, 'sat-ws', name))) {
      const body = readFileSync(path.join(shared, 'sat-ws', name, file))
      const ours = await receivePackage(inPieces(body), path.join(folder, 'x.zip'), {
        signal: new AbortController().signal,
      }).then(
        ({ codigo, paquete }) => `${codigo} ${paquete?.bytes ?? 0}`,
        (error: unknown) => codeOf(error),
      )
      const their = attempt(() => {
        const result = new theirs.DownloadTranslator().createDownloadResultFromSoapResponse(body.toString('utf8'))
        return `${result.getStatus().getCode()} ${Buffer.from(result.getPackageContent(), 'base64').length}`
      })
      if (their !== ours) found[file] = `${ours} | ${their}`
    }
  // Ours, and what theirs makes of the same.
  assert.deepEqual(found, ANSWERS)
})

const ANSWERS = {
  'own-200-cuerpo-vacio.xml': 'sat.no_disponible | Error',
  'own-200-html-en-vez-de-soap.html': 'sat.no_disponible | ParseError',
  'own-200-truncada.xml': 'sat.no_disponible | ParseError',
  'own-500-fault-action-not-supported.xml': 'sat.no_disponible | NaN 0',
  'own-500-fault-internal.xml': 'sat.no_disponible | NaN 0',
  'own-500-fault-invalid-security.xml': 'sat.seguridad | NaN 0',
  'own-502-bad-gateway.html': 'sat.no_disponible | NaN 0',
  'own-503-html-mantenimiento.html': 'sat.no_disponible | ParseError',
  // Seventeen bytes of what is no base64.
  'own-response-5000-base64-roto.xml': 'sat.respuesta_ilegible | 5000 17',
  'request.xml': 'sat.respuesta_ilegible | NaN 0',
}

interface Yardstick {
  CfdiPackageReader: { createFromFile(file: string): Promise<{ cfdisToArray(): Promise<{ uuid: string }[]> }> }
  MetadataPackageReader: {
    createFromFile(file: string): Promise<{ metadataToArray(): Promise<{ get(key: string): unknown }[]> }>
  }
  DownloadTranslator: new () => {
    createDownloadResultFromSoapResponse(text: string): {
      getStatus(): { getCode(): number }
      getPackageContent(): string
    }
  }
}

/** Installed for the measurements only. */
function yardstick(t: TestContext): Yardstick | undefined {
  try {
    return createRequire(path.resolve(import.meta.dirname, '../../../bench/package.json'))(
      '@nodecfdi/sat-ws-descarga-masiva',
    )
  } catch {
    t.skip('@nodecfdi/sat-ws-descarga-masiva is not installed (npm install in bench)')
    return undefined
  }
}

async function readBoth(theirs: Yardstick, file: string): Promise<Paquete> {
  const found: Paquete = { ours: [], told: {}, theirs: [] }
  await using zip = await openZip(file, SAT_LIMITS)
  for (const entry of zip.entries)
    try {
      const refused = refusalByName(entry.name)
      if (refused) throw refused
      found.ours.push(parseCfdi(await zip.read(entry)).uuid)
    } catch (error) {
      found.told[entry.name] = codeOf(error)
    }
  const reader = await theirs.CfdiPackageReader.createFromFile(file)
  found.theirs = (await reader.cfdisToArray()).map(({ uuid }) => uuid)
  return found
}

/** What of `some` is not in `others`, each as often as it is there. */
function missing(some: readonly string[], others: readonly string[]): string[] {
  const rest = [...others]
  return some
    .filter((one) => {
      const at = rest.indexOf(one)
      if (at !== -1) rest.splice(at, 1)
      return at === -1
    })
    .toSorted()
}

/** Those of the fixtures, and one of CFDI that are written otherwise than most. */
function packagesIn(shared: string, folder: string): string[] {
  const formas = path.join(folder, 'formas.zip')
  writeFileSync(formas, zipArchive(FORMAS.map(([name, data]) => ({ name, data: data(uuidOf(name)) }))))
  const packages = readdirSync(path.join(shared, 'packages')).filter((name) => /^(?!.*metadata).*\.zip$/.test(name))
  return [
    ...packages.map((name) => path.join(shared, 'packages', name)),
    path.join(shared, 'malformed/zip/own-crc-malo.zip'),
    formas,
  ]
}

const XML = ownFixtures('cfdi/40').map((name) => ownFixture(name).toString('utf8'))[0] ?? ''
const withUuid = (uuid: string) => XML.replace(/(?<=TimbreFiscalDigital[^>]* UUID=")[^"]+/, uuid)
const uuidOf = (name: string) => `${name.slice(0, 8)}-0000-4000-8000-000000000000`

/** Each is well-formed, and means the same as the others. */
const FORMAS: [name: string, xml: (uuid: string) => string][] = [
  [
    '00000001-comillas-simples.xml',
    (uuid) => withUuid(uuid).replace(/(?<=TimbreFiscalDigital[^>]* UUID=)"([^"]+)"/, "'$1'"),
  ],
  ['00000002-espacios.xml', (uuid) => withUuid(uuid).replace(/(?<=TimbreFiscalDigital[^>]* UUID)="/, ' = "')],
  [
    '00000003-espacio-por-omision.xml',
    (uuid) => withUuid(uuid).replaceAll('cfdi:', '').replace('xmlns:cfdi=', 'xmlns='),
  ],
  ['00000004/en-una-carpeta.xml', withUuid],
]

/** Lists of the fixtures, each as a package. */
function listsIn(shared: string, folder: string): string[] {
  const lists = readdirSync(path.join(shared, 'metadata')).filter(
    (name) => name.endsWith('.txt') && name !== 'own_tercero.txt',
  )
  const made = lists.map((name) => {
    const file = path.join(folder, `${name}.zip`)
    const members: ZipMember[] = [{ name: 'x_01.txt', data: readFileSync(path.join(shared, 'metadata', name)) }]
    writeFileSync(file, zipArchive(members))
    return file
  })
  const broken = path.join(folder, 'lf-en-nombre-de-lf.txt.zip')
  const rows = [metadataRow({ nombreEmisor: 'LA\nBUENA' }), metadataRow({ uuid: uuidOf('00000002') })]
  writeFileSync(broken, zipArchive([{ name: 'x_01.txt', data: metadataList(rows, { end: '\n' }) }]))
  made.push(broken)
  const packages = readdirSync(path.join(shared, 'packages')).filter((name) => /metadata.*\.zip$/.test(name))
  return [...made, ...packages.map((name) => path.join(shared, 'packages', name))]
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'horux-comparacion-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function attempt(work: () => string): string {
  try {
    return work()
  } catch (error) {
    return `${(error as Error).name}`
  }
}

function codeOf(error: unknown): string {
  if (error instanceof AppError) return error.code
  throw error
}
