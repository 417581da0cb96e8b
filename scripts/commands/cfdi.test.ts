import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { ownFixtures, sharedFixtures } from '../../test/support/fixtures.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const FIXTURES = path.join(ROOT, 'test/fixtures')
let folder: string
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'horux-inspect-'))
})
after(() => rm(folder, { recursive: true }))

test('a folder of CFDI is read whole, shown as a table, and ends well', async () => {
  const { code, stdout, stderr } = await horux('inspect', path.join(FIXTURES, 'cfdi/40'))
  assert.equal(stderr, '')
  assert.equal(code, 0)
  const lines = stdout.trimEnd().split('\n')
  const cuantos = ownFixtures('cfdi/40').length
  assert.match(lines[0] ?? '', /^uuid +ver +tipo +fecha +emisor/)
  assert.equal(lines.filter((line) => /^[0-9a-f-]{36} {2}4\.0/.test(line)).length, cuantos)
  assert.match(
    lines.find((line) => line.endsWith('own-i-pue-iva16.xml')) ?? '',
    / EKU9003173C9 .* 11600\.00 {2}MXN +1600\.00 /,
  )
  assert.match(
    lines.at(-1) ?? '',
    new RegExp(`^${cuantos} archivos, ${cuantos} leídos, 0 no, 0 repetidos, 0 con avisos · E: 2 \\(`),
  )
})

test('as JSON every file is a line with what was understood, and the last one sums up', async () => {
  const { code, objects } = await json('--sello', path.join(FIXTURES, 'cfdi/40/own-p-rep2-dos-documentos.xml'))
  assert.equal(code, 0)
  const [found, { resumen }] = objects
  assert.equal(found.leido, true)
  assert.deepEqual([found.tipo, found.version, found.pagos, found.moneda, found.avisos], ['P', '4.0', 1, 'XXX', []])
  assert.deepEqual(found.complementos, ['pagos20'])
  assert.equal(found.sello.codigo, 'sello.no_corresponde', 'seals of our own fixtures are chance')
  assert.deepEqual(resumen, {
    archivos: 1,
    leidos: 1,
    noLeidos: 0,
    repetidos: 0,
    conAvisos: 0,
    tipos: { P: { cuantos: 1, totalMxn: '0.00' } },
  })
})

test('one that cannot be read is told with its reason, and costs the others nothing', async (t) => {
  const shared = sharedFixtures(t)
  if (!shared) return
  const { code, objects } = await json(path.join(shared, 'malformed'), path.join(folder, 'no-existe.xml'))
  assert.equal(code, 3)
  const by = (name: string) => objects.find(({ archivo }) => archivo?.endsWith(name))
  assert.deepEqual(refusal(by('/own-truncado.xml')), ['cuarentena', 'cfdi.not_xml'])
  assert.deepEqual(refusal(by('/own-vacio.xml')), ['rechazado', 'cfdi.empty'])
  assert.deepEqual(refusal(by('/own-sin-timbre.xml')), ['rechazado', 'cfdi.no_timbre'])
  assert.deepEqual(refusal(by('/own-xxe-file.xml')), ['rechazado', 'cfdi.doctype'])
  assert.deepEqual(refusal(by('/no-existe.xml')), ['rechazado', 'archivo.unreadable'])
  // Archives: a whole one that is none, and members one by one.
  assert.deepEqual(refusal(by('/own-no-es-zip.zip')), ['rechazado', 'zip.not_zip'])
  assert.deepEqual(refusal(by('/own-truncado.zip')), ['rechazado', 'zip.truncated'])
  assert.equal(objects.filter(({ archivo }) => archivo?.includes('own-3000-entradas-vacias.zip » ')).length, 3_000)
  assert.deepEqual(
    by('/own-totales-no-cuadran.xml')?.avisos.map(({ code }: { code: string }) => code),
    ['cfdi.total_mismatch'],
  )
  assert.deepEqual(by('/own-basura-antes.xml')?.reparaciones, ['texto_antes'])
  const { resumen } = objects.at(-1) ?? {}
  assert.equal(resumen.leidos + resumen.noLeidos, resumen.archivos)
  assert.equal(resumen.archivos, objects.length - 1)
  assert.ok(resumen.repetidos > 0, 'the tolerable ones are one document in many shapes')
})

test('for a company what is not its own is refused, and its side of the rest is told', async () => {
  const fixture = path.join(FIXTURES, 'cfdi/40/own-i-pue-iva16.xml')
  assert.equal((await json('--rfc', 'EKU9003173C9', fixture)).objects[0].direccion, 'emitido')
  assert.equal((await json('--rfc', 'ure180429tm6', fixture)).objects[0].direccion, 'recibido')
  const { code, objects } = await json('--rfc', 'XIQB891116QE4', fixture)
  assert.deepEqual([code, ...refusal(objects[0])], [3, 'rechazado', 'cfdi.foreign'])
  const bad = await horux('inspect', '--rfc', 'NADIE', fixture)
  assert.equal(bad.code, 1)
  assert.match(bad.stderr, /rfc\.invalid/)
})

test('folders below, other files, links and names that mislead', async () => {
  const where = path.join(folder, 'año')
  await mkdir(path.join(where, 'enero'), { recursive: true })
  await cp(path.join(FIXTURES, 'cfdi/40/own-i-global.xml'), path.join(where, 'enero/b\u202e[31m.xml'))
  await writeFile(path.join(where, 'factura.pdf'), '%PDF-1.7')
  await symlink(where, path.join(where, 'enero/arriba'))
  const { code, stdout } = await horux('inspect', where)
  assert.equal(code, 3)
  assert.match(stdout, /enero\/b�\[31m\.xml/)
  assert.match(stdout, /RECHAZADO .*factura\.pdf\n {4}carga\.not_xml: /)
  assert.match(stdout, /RECHAZADO .*enero\/arriba\n {4}archivo\.special: /)
  assert.match(stdout, /^3 archivos, 1 leídos, 2 no, /m)
  const empty = path.join(folder, 'vacia')
  await mkdir(empty)
  const nothing = await horux('inspect', empty)
  assert.deepEqual([nothing.code, nothing.stdout], [3, ''])
  assert.equal((await horux('inspect')).code, 2)
})

const refusal = (found: { estado: string; codigo: string } | undefined) => [found?.estado, found?.codigo]

async function json(...args: string[]) {
  const { code, stdout } = await horux('inspect', '--json', ...args)
  // biome-ignore lint/suspicious/noExplicitAny: read as whoever pipes it into jq reads it
  const objects: any[] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { code, objects }
}

/** Without a database, without any configuration. */
function horux(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const script = path.join(ROOT, 'scripts/horux.ts')
    const options = { env: { PATH: process.env['PATH'] ?? '' }, cwd: folder, maxBuffer: 64 * 1_048_576 }
    execFile(process.execPath, [script, 'cfdi', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    )
  })
}
