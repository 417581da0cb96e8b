import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test, { after, before } from 'node:test'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { download, readCsv, readXlsx, readZip, type Workbook } from '../../../test/support/exported.ts'
import { sharedFixtures } from '../../../test/support/fixtures.ts'
import { type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { COLUMNAS } from './columns.ts'
import { columnName } from './xlsx-xml.ts'

const RFC = 'EKU9003173C9'
const FACTURA = '0a1b2c3d-0000-4000-8000-000000000001'
const DOLARES = '0a1b2c3d-0000-4000-8000-000000000002'
const PAGO = '0a1b2c3d-0000-4000-8000-000000000003'
const HOSTIL = '0a1b2c3d-0000-4000-8000-000000000004'

let product: Product
let tenant: Tenant
const ended: (() => Promise<void>)[] = []
const xmls = new Map<string, string>()

before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
  tenant = await product.createTenant({ rfc: RFC })
  const upload = async (spec: CfdiSpec & { uuid: string }) => {
    const xml = cfdiXml(spec)
    xmls.set(spec.uuid, xml)
    const answer = await tenant.post('/api/cfdi', xml)
    assert.equal(answer.statusCode, 200, answer.body)
  }
  await upload({
    uuid: FACTURA,
    serie: 'A',
    folio: '007',
    fecha: '2026-01-31T23:59:59',
    subtotal: '1234567890.10',
    total: '1432098752.52',
    traslados: [{ base: '1234567890.10', importe: '197530862.42' }],
  })
  await upload({
    uuid: DOLARES,
    fecha: '2024-02-29T00:00:00',
    moneda: 'USD',
    tipoCambio: '17.123456',
    emisor: { rfc: 'CACX7605101P8', nombre: 'XOCHILT CASAS CHAVEZ' },
    receptor: { rfc: RFC },
    relacionados: [{ tipoRelacion: '04', uuids: [FACTURA, PAGO] }],
  })
  await upload({
    uuid: PAGO,
    tipo: 'P',
    fecha: '2026-02-10T10:00:00',
    pagos: [
      {
        fecha: '2026-02-09T12:00:00',
        monto: '500.00',
        documentos: [
          { id: FACTURA, pagado: '300.00' },
          { id: HOSTIL, pagado: '200.00' },
        ],
      },
    ],
  })
  await upload({
    uuid: HOSTIL,
    serie: '+1',
    folio: '-2+3',
    fecha: '2026-03-01T08:30:01',
    receptor: { rfc: 'URE180429TM6', nombre: `=HYPERLINK("http://malo";"_x000D_ <b>\u202eé😀&amp;` },
    addenda: '',
  })
  await tenant.db((db) =>
    db
      .updateTable('cfdis')
      .set({ estado: 'cancelado', fecha_cancelacion: '2026-03-05T09:00:00', cancelacion_conocida_en: new Date() })
      .where('uuid_fiscal', '=', HOSTIL)
      .execute(),
  )
})
after(async () => {
  for (const end of ended) await end()
})

test('a CSV says what the list says, in its order, with exact amounts', async () => {
  const rows = readCsv(await download(product, tenant, 'csv'))
  assert.deepEqual(
    rows.map((row) => row['UUID']),
    [HOSTIL, PAGO, FACTURA, DOLARES],
  )
  const [hostil, pago, factura, dolares] = rows as [Row, Row, Row, Row]
  assert.deepEqual(pick(factura, ['Tipo', 'Dirección', 'Estado', 'Folio', 'Fecha de emisión', 'Total', 'IVA 16 %']), [
    'I - Ingreso',
    'Emitido',
    'Vigente',
    '007',
    '2026-01-31 23:59:59',
    '1432098752.52',
    '197530862.42',
  ])
  assert.deepEqual(
    pick(dolares, ['Dirección', 'Moneda', 'Tipo de cambio', 'Total', 'Total MXN', 'CFDI relacionados']),
    ['Recibido', 'USD', '17.123456', '116.00', '1986.32', `04: ${FACTURA}, ${PAGO}`],
  )
  assert.deepEqual(pick(pago, ['Fecha de pago', 'Pagado MXN', 'Documentos pagados', 'Total']), [
    '2026-02-09 12:00:00',
    '500.00',
    '2',
    '0.00',
  ])
  assert.deepEqual(pick(hostil, ['Estado', 'Fecha de cancelación']), ['Cancelado', '2026-03-05 09:00:00'])
})

type Row = Record<string, string>
const pick = (row: Row, names: string[]) => names.map((name) => row[name])

test('no cell of a CSV is a formula, and none says what it does not show', async () => {
  const [hostil] = readCsv(await download(product, tenant, 'csv', { estado: 'cancelado' }))
  assert.equal(hostil?.['Serie'], "'+1")
  assert.equal(hostil?.['Folio'], "'-2+3")
  assert.match(hostil?.['Nombre receptor'] ?? '', /^'=HYPERLINK\("http:\/\/malo";"_x000D_ <b>�é😀&amp;$/)
})

test('a workbook has typed cells: numbers to the centavo, civil dates, and strings that nothing computes', async () => {
  const { sheets } = await readXlsx(await download(product, tenant, 'xlsx'))
  const [cfdi, resumen] = sheets
  assert.ok(cfdi && resumen)
  assert.deepEqual(
    sheets.map(({ name }) => name),
    ['CFDI', 'Resumen'],
  )
  assert.equal(cfdi.pane, 'A2')
  assert.equal(cfdi.filter, `A1:${columnName(COLUMNAS.length - 1)}5`)
  const cell = (row: number, title: string) => cfdi.rows.get(row)?.get(letterOf(title))

  assert.deepEqual(pickCell(cell(4, 'Total')), ['number', '1432098752.52', '4'])
  assert.deepEqual(pickCell(cell(4, 'Folio')), ['text', '007', '49'])
  assert.deepEqual(pickCell(cell(5, 'Tipo de cambio')), ['number', '17.123456', '164'])
  // A spreadsheet's day 60 is a 29 February 1900 that never was; from then on it counts as here.
  assert.deepEqual(pickCell(cell(5, 'Fecha de emisión')), ['number', '45351', '165'])
  assert.equal(civilOf(cell(4, 'Fecha de emisión')?.value), '2026-01-31T23:59:59')
  assert.equal(cell(4, 'Fecha de cancelación'), undefined)

  const hostil = cell(2, 'Nombre receptor')
  assert.deepEqual([hostil?.type, hostil?.value], ['text', '=HYPERLINK("http://malo";"_x000D_ <b>�é😀&amp;'])
  assert.equal(hostil?.style['quotePrefix'], '1', 'edited, it is still no formula')
  assert.equal(cell(4, 'Nombre receptor')?.style['quotePrefix'], undefined)
  assert.equal(hostil?.style['fontId'], '1', 'what was cancelled is struck through')
  assert.equal(cell(4, 'Nombre receptor')?.style['fontId'], '0')
  for (const { rows } of sheets)
    for (const row of rows.values()) for (const one of row.values()) assert.equal(one.formula, false)

  assert.deepEqual(totalsOf(cfdi), {
    'Suma de vigentes, en pesos (3)': '1432100738.84',
    'Suma de cancelados, en pesos (1)': '116.00',
  })
  const words = [...resumen.rows.values()].map((row) => [...row.values()].map(({ value }) => value))
  assert.deepEqual(words[0], ['RFC', RFC])
  assert.deepEqual(words.slice(-1)[0]?.slice(0, 4), ['Recibido', 'I - Ingreso', 'Vigente', '1'])
})

const letterOf = (title: string) => columnName(COLUMNAS.findIndex(({ titulo }) => titulo === title))
const pickCell = (cell: { type: string; value: string; style: Row } | undefined) => [
  cell?.type,
  cell?.value,
  cell?.style['numFmtId'],
]

/** What a spreadsheet makes of a number of days. */
function civilOf(serial: string | undefined): string {
  return new Date(Math.round((Number(serial) - 25_569) * 86_400) * 1000).toISOString().slice(0, 19)
}

function totalsOf({ rows }: Workbook['sheets'][number]) {
  const last = [...rows.values()].filter((row) => row.get('A')?.value.startsWith('Suma'))
  return Object.fromEntries(last.map((row) => [row.get('A')?.value, row.get(letterOf('Total MXN'))?.value]))
}

test('an empty set is a file that says so, in every format', async () => {
  const nothing = { periodo: '2020-01' }
  assert.deepEqual(readCsv(await download(product, tenant, 'csv', nothing)), [])
  const { sheets } = await readXlsx(await download(product, tenant, 'xlsx', nothing))
  assert.equal(sheets[0]?.rows.size, 1)
  assert.deepEqual([...(await readZip(await download(product, tenant, 'zip_xml', nothing))).keys()], ['manifest.csv'])
})

test('a ZIP has every XML as it came, in its folder, and a list with their hashes', async () => {
  const members = await readZip(await download(product, tenant, 'zip_xml'))
  assert.deepEqual([...members.keys()].sort(), [
    `2024/02/recibidos/ingreso/${DOLARES}.xml`,
    `2026/01/emitidos/ingreso/${FACTURA}.xml`,
    `2026/02/emitidos/pago/${PAGO}.xml`,
    `2026/03/emitidos/ingreso/${HOSTIL}.xml`,
    'manifest.csv',
  ])
  const manifest = readCsv(members.get('manifest.csv') as Buffer)
  for (const { Archivo: name = '', UUID: uuid = '', 'SHA-256': sum, Bytes: bytes, Nota: note } of manifest) {
    const xml = members.get(name) as Buffer
    assert.equal(xml.toString('utf8'), xmls.get(uuid))
    assert.deepEqual([sum, bytes, note], [hash('sha256', xml, 'hex'), `${xml.length}`, ''])
  }
  assert.equal(manifest.length, 4)
})

test('a ZIP has the printed form of every document, and the same list', async () => {
  const members = await readZip(await download(product, tenant, 'zip_pdf'))
  const manifest = readCsv(members.get('manifest.csv') as Buffer)
  assert.deepEqual(
    manifest.map((line) => [line['UUID'], line['Nota'], line['Archivo']?.endsWith('.pdf')]),
    [HOSTIL, PAGO, FACTURA, DOLARES].map((uuid) => [uuid, '', true]),
  )
  for (const { Archivo: name = '', 'SHA-256': sum } of manifest) {
    const pdf = members.get(name) as Buffer
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-')
    assert.equal(hash('sha256', pdf, 'hex'), sum)
  }
})

test('a damaged XML is handed out, said to be damaged, and an alarm', async (t) => {
  const whole = await tenant.db((db) =>
    db.selectFrom('cfdi_xml').selectAll().where('uuid_fiscal', '=', PAGO).executeTakeFirstOrThrow(),
  )
  const put = (sha256: Buffer) =>
    tenant.db((db) => db.updateTable('cfdi_xml').set({ sha256 }).where('uuid_fiscal', '=', PAGO).execute())
  await put(Buffer.alloc(32))
  t.after(() => put(whole.sha256))
  const members = await readZip(await download(product, tenant, 'zip_xml', { tipo: 'P' }))
  const [line] = readCsv(members.get('manifest.csv') as Buffer)
  assert.equal(line?.['Nota'], 'El XML guardado está dañado')
  assert.equal(members.get(line?.['Archivo'] ?? '')?.toString('utf8'), xmls.get(PAGO))
  assert.ok(product.log.some((text) => text.includes('cfdi.xml_damaged')))
})

test('the name of the fixture that is a formula is one nowhere', async (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const { readFileSync } = await import('node:fs')
  const xml = readFileSync(`${folder}/malformed/hostil/own-formula-csv.xml`, 'utf8')
  const [, rfc = ''] = /Receptor[^>]*Rfc="([^"]+)"/.exec(xml) ?? []
  const other = await product.createTenant({ rfc })
  const stored = await other.post('/api/cfdi', xml)
  assert.equal(stored.statusCode, 200, stored.body)
  const [row] = readCsv(await download(product, other, 'csv'))
  assert.ok(Object.values(row ?? {}).some((value) => value.startsWith("'=")))
  assert.ok(!Object.values(row ?? {}).some((value) => /^[=+@\t\r]/.test(value)))
  const { sheets } = await readXlsx(await download(product, other, 'xlsx'))
  const cells = [...(sheets[0]?.rows.get(2)?.values() ?? [])].filter(({ value }) => /^[=+\-@]/.test(value))
  assert.ok(cells.length > 0)
  for (const cell of cells) assert.deepEqual([cell.type, cell.style['quotePrefix']], ['text', '1'])
})
