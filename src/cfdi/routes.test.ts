import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test, { after, before } from 'node:test'
import { type CfdiSpec, cfdiXml } from '../../test/support/cfdi-xml.ts'
import { ownFixture, ownFixtures } from '../../test/support/fixtures.ts'
import { type Client, type Product, startProduct, type Tenant } from '../../test/support/product.ts'

const RFC = 'EKU9003173C9'

let product: Product
let tenant: Tenant
let contador: Client
let visor: Client
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
  tenant = await product.createTenant({ rfc: RFC })
  contador = await tenant.member('contador')
  visor = await tenant.member('visor')
})
after(async () => {
  for (const end of ended) await end()
})

const upload = (spec: CfdiSpec = {}, who: Client = tenant) => who.post('/api/cfdi', cfdiXml(spec))

interface Pagina {
  datos: { uuid: string; fechaEmision: string; total: string; [key: string]: unknown }[]
  siguiente: string | null
}
const list = async (query: string): Promise<Pagina> => {
  const answer = await tenant.get(`/api/cfdi?${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}

test('uploading a CFDI twice stores it once and its month counts it once', async () => {
  const spec = { uuid: randomUUID(), fecha: '2023-01-31T23:59:59' }
  const first = await upload(spec)
  const second = await upload(spec)
  assert.equal(first.statusCode, 200)
  assert.deepEqual(first.json(), { stored: [spec.uuid], repeated: [] })
  assert.deepEqual(second.json(), { stored: [], repeated: [spec.uuid] })
  const enero = (await tenant.get('/api/impuestos/iva?ejercicio=2023&mes=1')).json()
  assert.equal(enero.aCargo, '16.00')
  assert.equal((await tenant.get('/api/impuestos/iva?ejercicio=2023&mes=2')).json().aCargo, '0.00')
})

test('who may: admin and contador upload, visor reads, strangers nothing', async () => {
  assert.equal((await upload({}, contador)).statusCode, 200)
  const denied = await upload({}, visor)
  assert.equal(denied.statusCode, 403)
  for (const url of [
    '/api/cfdi',
    '/api/impuestos/iva?ejercicio=2026&mes=1',
    '/api/impuestos/iva/detalle?ejercicio=2026&mes=1',
  ]) {
    assert.equal((await visor.get(url)).statusCode, 200, url)
    assert.equal((await product.anonymous.get(url)).statusCode, 401, url)
    assert.equal((await product.staff.get(url)).statusCode, 403, url)
  }
})

test('the CFDI of one company do not exist for another', async () => {
  const uuid = randomUUID()
  await upload({ uuid })
  const other = await product.createTenant()
  for (const url of [`/api/cfdi/${uuid}`, `/api/cfdi/${uuid}/xml`]) {
    const answer = await other.get(url)
    assert.equal(answer.statusCode, 404)
    assert.equal(answer.json().code, 'cfdi.not_found')
  }
  assert.deepEqual((await other.get('/api/cfdi')).json(), { datos: [], siguiente: null })
  const refused = await other.post('/api/cfdi', cfdiXml())
  assert.equal(refused.statusCode, 422)
  assert.equal(refused.json().code, 'cfdi.foreign')
})

test('the XML comes back byte for byte, as something to keep and not to run', async () => {
  const xml = ownFixture('malformed/hostil/own-html-en-nombre.xml')
  const uuid = (await tenant.post('/api/cfdi', xml)).json().stored[0]
  const answer = await tenant.get(`/api/cfdi/${uuid.toUpperCase()}/xml`)
  assert.equal(answer.statusCode, 200)
  assert.ok(answer.rawPayload.equals(xml))
  assert.equal(answer.headers['content-disposition'], `attachment; filename="${uuid}.xml"`)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  assert.match(String(answer.headers['content-security-policy']), /^sandbox/)
  assert.match(String(answer.headers['content-type']), /^application\/xml/)
})

test('every malformed and hostile file is a problem with a code, and stores nothing', async () => {
  const before = (await list('limite=200')).datos.length
  const tolerated = [
    'hostil/own-formula-csv',
    'hostil/own-html-en-nombre',
    'hostil/own-nombre-proto',
    'hostil/own-sql',
    'hostil/own-xinclude',
    'own-totales',
  ]
  for (const name of ['malformed', 'malformed/hostil'].flatMap(ownFixtures)) {
    if (tolerated.some((part) => name.includes(part))) continue
    const answer = await tenant.post('/api/cfdi', ownFixture(name))
    assert.ok(answer.statusCode === 400, `${name}: ${answer.statusCode} ${answer.body}`)
    assert.match(answer.headers['content-type'] as string, /^application\/problem\+json/)
    if (ownFixture(name).length > 0) assert.match(answer.json().code, /^cfdi\./, name)
  }
  assert.equal((await list('limite=200')).datos.length, before)
})

test('what is no XML, too much, or not said to be XML is refused before it is read', async () => {
  const big = Buffer.alloc(10 * 1_048_576 + 1, ' ')
  const larger = Buffer.alloc(11 * 1_048_576, ' ')
  const cases: [Buffer | object, string | undefined, number, string][] = [
    [big, undefined, 413, 'cfdi.too_large'],
    [larger, undefined, 413, 'request.too_large'],
    [{ xml: '<a/>' }, undefined, 400, 'request.invalid'],
    [Buffer.from('a=b'), 'application/x-www-form-urlencoded', 415, 'request.unsupported_media_type'],
  ]
  for (const [body, type, status, code] of cases) {
    const answer = await tenant.send('POST', '/api/cfdi', { body, ...(type && { headers: { 'content-type': type } }) })
    assert.equal(answer.statusCode, status, answer.body)
    assert.equal(answer.json().code, code)
  }
  assert.equal(
    (await tenant.send('POST', '/api/cfdi', { headers: { 'content-type': 'text/xml' }, body: cfdiXml() })).statusCode,
    200,
  )
})

test('totals that do not square are stored, counted and told', async () => {
  const answer = await upload({ uuid: randomUUID(), fecha: '2022-05-05T10:00:00', total: '99999.99' })
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(answer.json().avisos, [
    { code: 'cfdi.total_mismatch', mensaje: 'El total dice 99999.99 y sus partes suman 116.' },
  ])
  assert.equal((await tenant.get('/api/impuestos/iva?ejercicio=2022&mes=5')).json().aCargo, '16.00')
})

test('pages follow one another without a gap or a repetition, newest first, while CFDI arrive', async () => {
  const uuids = Array.from({ length: 25 }, () => randomUUID())
  // Several share a second: the uuid decides.
  for (const [i, uuid] of uuids.entries())
    await upload({ uuid, fecha: `2021-06-${String(10 + (i % 5)).padStart(2, '0')}T12:00:00` })
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const page: Pagina = await list(`periodo=2021-06&limite=4${cursor ? `&cursor=${cursor}` : ''}`)
    assert.ok(page.datos.length <= 4)
    seen.push(...page.datos.map(({ uuid }) => uuid))
    cursor = page.siguiente
    // Newer than everything on the pages to come: it must not move them.
    if (seen.length === 8) await upload({ fecha: '2021-06-30T23:59:59' })
  } while (cursor)
  assert.equal(seen.length, 25)
  assert.deepEqual(new Set(seen), new Set(uuids))
  assert.equal((await list('periodo=2021-06&limite=26')).siguiente, null)
  assert.equal((await list('periodo=2021-06&limite=26')).datos.length, 26)
})

test('filters narrow the list, alone and together', async () => {
  const supplier = {
    emisor: { rfc: 'IIA040805DZ4', nombre: 'ÁRBOL 100% NATURAL_SA' },
    receptor: { rfc: RFC, usoCfdi: 'I04' },
  }
  const received = randomUUID()
  await upload({ uuid: received, fecha: '2020-03-31T20:00:00', metodoPago: 'PPD', formaPago: '99', ...supplier })
  const issued = randomUUID()
  await upload({
    uuid: issued,
    fecha: '2020-03-01T00:00:00',
    tipo: 'E',
    receptor: { rfc: 'OÑO120726RX3', nombre: 'ORGANICOS ÑAVEZ' },
  })
  const march = async (query: string) => (await list(`periodo=2020-03&${query}`)).datos.map(({ uuid }) => uuid)
  const q = encodeURIComponent
  for (const [query, expected] of [
    ['', [received, issued]],
    ['direccion=emitidos', [issued]],
    ['direccion=recibidos', [received]],
    ['tipo=E', [issued]],
    ['metodo=PPD', [received]],
    ['forma=99', [received]],
    ['uso=I04', [received]],
    ['rfc=iia040805dz4', [received]],
    [`rfc=${q('oño120726rx3'.normalize('NFD'))}`, [issued]],
    ['rfc=IIA040805DZ4&direccion=emitidos', []],
    ['rfc=IIA040805DZ4&direccion=recibidos', [received]],
    ['estado=vigente', [received, issued]],
    ['estado=cancelado', []],
    ['moneda=USD', []],
    ['desde=2020-03-31&hasta=2020-03-31', [received]],
    ['hasta=2020-03-30', [issued]],
    [`q=${q('ñavez')}`, [issued]],
    [`q=${q('100% natural')}`, [received]],
    [`q=${q('%%%')}`, []],
    [`q=${q('___')}`, []],
    [`q=${q('\\\\\\')}`, []],
    [`q=${received.toUpperCase()}`, [received]],
    [`q=${q("'; drop table cfdis; --")}`, []],
  ] as const) {
    assert.deepEqual(await march(query), expected, query)
  }
})

test('a query that nobody declared, or that means nothing, is a 400 with its place', async () => {
  for (const query of [
    'pagina=2',
    'orden=borrado',
    'orden=total,-total',
    'orden=',
    'limite=0',
    'limite=201',
    'limite=1e2',
    'periodo=2026-13',
    'periodo=9999-01',
    'desde=2026-02-30',
    'hasta=ayer',
    'tipo=X',
    'direccion=ambos',
    'rfc=NO',
    'metodo=pue',
    'estado=borrado',
    'q=ab',
    `q=${'x'.repeat(101)}`,
    `q=${'x'.repeat(10_000)}`,
    'q=%00%00%00',
    'cursor=x',
    `cursor=${Buffer.from('["2026-99-99T99:99:99","x"]').toString('base64url')}`,
    `cursor=${Buffer.from('["2026-99-99T99:99:99","00000000-0000-0000-0000-000000000000"]').toString('base64url')}`,
    `cursor=${Buffer.from('[1]').toString('base64url')}`,
  ]) {
    const answer = await tenant.get(`/api/cfdi?${query}`)
    assert.ok(answer.statusCode === 400 || answer.statusCode === 414, `${query.slice(0, 80)}: ${answer.statusCode}`)
    assert.match(answer.headers['content-type'] as string, /^application\/problem\+json/, query.slice(0, 80))
  }
  for (const url of ['/api/cfdi/no-es-uuid', '/api/cfdi/%00', `/api/cfdi/${'a'.repeat(200)}/xml`]) {
    const answer = await tenant.get(url)
    assert.ok([400, 404, 414].includes(answer.statusCode), `${url}: ${answer.statusCode}`)
  }
  assert.equal((await tenant.get(`/api/cfdi/${randomUUID()}`)).statusCode, 404)
})

test('every fixture of the project goes in over HTTP and comes out again', async () => {
  const names = ['cfdi/33', 'cfdi/40'].flatMap(ownFixtures)
  for (const name of names) {
    const answer = await tenant.post('/api/cfdi', ownFixture(name))
    assert.equal(answer.statusCode, 200, `${name} ${answer.body}`)
    const { stored, repeated } = answer.json()
    const [uuid] = [...stored, ...repeated]
    const found = await tenant.get(`/api/cfdi/${uuid}`)
    assert.equal(found.statusCode, 200, `${name} ${found.body}`)
    assert.ok(found.json().movimientos.length > 0 || ['N', 'T'].includes(found.json().tipo), name)
  }
  const { datos } = await list('limite=200&desde=2021-03-01')
  assert.ok(datos.length >= names.length)
})
