import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type CfdiSpec, cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { parseCfdi } from '../read/parse.ts'
import { storeCfdis } from '../store/store-cfdis.ts'

const RFC = 'EKU9003173C9'
const CARGA = '0199f000-0000-7000-8000-00000000c0de'
const CLIENTE = { rfc: 'URE180429TM6', nombre: 'UNIVERSIDAD ROBÓTICA ESPAÑOLA' }
const PROVEEDOR = { rfc: 'IIA040805DZ4', nombre: 'Índice 100% Árbol_SA' }
const OTRO = { rfc: 'XIA190128J61', nombre: 'XENÓN INDUSTRIAL (Ñandú)' }

/** What the tests know of a row that the list gives. */
interface Fila {
  uuid: string
  tipo: string
  direccion: string
  serie: string | null
  folio: string | null
  fechaEmision: string
  rfcEmisor: string
  nombreEmisor: string | null
  rfcReceptor: string
  nombreReceptor: string | null
  total: string
  moneda: string
  metodoPago: string | null
  formaPago: string | null
  usoCfdi: string | null
  estado: string
  avisos: string[]
  complementos: string[]
  carga: string | null
  [key: string]: unknown
}

interface Pagina {
  datos: Fila[]
  siguiente: string | null
}

let product: Product
let tenant: Tenant
let all: Fila[]
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
  tenant = await product.createTenant({ rfc: RFC })
  await store(SPECS, undefined)
  await store(DE_LA_CARGA, CARGA)
  const cancelled = SPECS.filter((_, i) => i % 7 === 3).map(({ uuid }) => uuid ?? '')
  await tenant.db((db) =>
    db
      .updateTable('cfdis')
      .set({ estado: 'cancelado', fecha_cancelacion: '2026-05-01T10:00:00', cancelacion_conocida_en: new Date(0) })
      .where('uuid_fiscal', 'in', cancelled)
      .execute(),
  )
  all = (await list('limite=200')).datos
})
after(async () => {
  for (const end of ended.toReversed()) await end()
})

async function store(specs: readonly CfdiSpec[], cargaId: string | undefined) {
  const cfdis = specs.map((spec) => parseCfdi(Buffer.from(cfdiXml(spec))))
  const origen = {
    source: 'bulk' as const,
    limit: { max: -1, mode: 'hard' as const },
    now: new Date(),
    ...(cargaId && { cargaId }),
  }
  await tenant.db((db) => storeCfdis(db, RFC, cfdis, origen))
}

const list = async (query: string, who = tenant): Promise<Pagina> => {
  const answer = await who.get(`/api/cfdi?${query}`)
  assert.equal(answer.statusCode, 200, `${query}: ${answer.body}`)
  return answer.json()
}

/** Every page of a list, one after the other. */
async function pages(query: string, limite: number, between = async () => {}): Promise<Fila[]> {
  const seen: Fila[] = []
  let cursor: string | null = null
  do {
    const page: Pagina = await list(`${query}&limite=${limite}${cursor ? `&cursor=${cursor}` : ''}`)
    seen.push(...page.datos)
    cursor = page.siguiente
    await between()
  } while (cursor)
  return seen
}

const pick = <T>(from: readonly T[], n: number): T => from[n % from.length] as T

/** Several of a second, some without serie, folio or method of payment, on both sides. */
const SPECS: CfdiSpec[] = Array.from({ length: 70 }, (_, n): CfdiSpec => {
  const emitido = n % 8 < 5
  const ajeno = pick([CLIENTE, PROVEEDOR, OTRO], n)
  const propio = { rfc: RFC, nombre: 'ESCUELA KEMPER URGATE' }
  const folio = n % 5 === 4 ? undefined : `${n % 2 ? '' : '00'}${n}`
  const moneda = n % 11 === 5 ? 'USD' : 'MXN'
  const subtotal = `${100 + (n % 6) * 50}.00`
  const comun = {
    uuid: randomUUID(),
    fecha: `2026-0${1 + (n % 3)}-1${n % 4}T12:00:00`,
    emisor: emitido ? propio : ajeno,
    receptor: { ...(emitido ? ajeno : propio), usoCfdi: n % 13 === 6 ? 'I04' : 'G03' },
    ...(n % 5 !== 3 && { serie: pick(['A', 'B-', 'ñ'], n) }),
    ...(folio !== undefined && { folio }),
  }
  if (n % 17 === 16)
    return {
      ...comun,
      tipo: 'P',
      pagos: [{ fecha: '2026-04-01T12:00:00', monto: '1', documentos: [{ id: randomUUID(), pagado: '1' }] }],
    }
  return {
    ...comun,
    tipo: n % 10 === 7 ? 'E' : 'I',
    subtotal,
    total: n % 9 === 8 ? '1.00' : `${Number(subtotal) + 16}.00`,
    moneda,
    ...(moneda === 'USD' && { tipoCambio: '17.123456' }),
    metodoPago: n % 4 === 1 ? 'PPD' : 'PUE',
    formaPago: n % 4 === 1 ? '99' : '03',
  }
})
const DE_LA_CARGA: CfdiSpec[] = Array.from({ length: 5 }, (_, n) => ({
  uuid: randomUUID(),
  serie: 'CARGA',
  folio: `${n}`,
  fecha: `2026-02-2${n}T08:00:00`,
  receptor: CLIENTE,
}))

const ofSide = (fila: Fila, rfc: string) =>
  fila.direccion === 'emitido' ? fila.rfcReceptor === rfc : fila.rfcEmisor === rfc
const has = (text: string | null, word: RegExp) => word.test(text ?? '')
const names = (fila: Fila, word: RegExp) => has(fila.nombreEmisor, word) || has(fila.nombreReceptor, word)

/** Queries and what they must find, told by the rows themselves. Each finds some and leaves some out. */
const FILTERS: [query: string, holds: (fila: Fila) => boolean][] = [
  ['periodo=2026-02', (f) => f.fechaEmision.startsWith('2026-02')],
  ['desde=2026-01-11&hasta=2026-02-12', (f) => f.fechaEmision >= '2026-01-11' && f.fechaEmision < '2026-02-13'],
  ['desde=2026-03-12', (f) => f.fechaEmision >= '2026-03-12'],
  ['hasta=2026-01-12', (f) => f.fechaEmision < '2026-01-13'],
  ['tipo=E', (f) => f.tipo === 'E'],
  ['tipo=P,E', (f) => f.tipo === 'E' || f.tipo === 'P'],
  ['tipo=P&tipo=E', (f) => f.tipo === 'E' || f.tipo === 'P'],
  ['direccion=emitidos', (f) => f.direccion === 'emitido'],
  ['direccion=recibidos', (f) => f.direccion === 'recibido'],
  ['rfc=ure180429tm6', (f) => ofSide(f, 'URE180429TM6')],
  ['rfc=IIA040805DZ4&direccion=recibidos', (f) => f.rfcEmisor === 'IIA040805DZ4'],
  ['rfc=IIA040805DZ4&direccion=emitidos', (f) => f.rfcReceptor === 'IIA040805DZ4'],
  [`nombre=${encodeURIComponent('ROBOTICA espa')}`, (f) => names(f, /ESPAÑOLA/)],
  [`nombre=${encodeURIComponent('árbol índice')}`, (f) => names(f, /Árbol/)],
  [`nombre=${encodeURIComponent('(ñandú)')}`, (f) => names(f, /Ñandú/)],
  ['nombre=100%25', (f) => names(f, /100%/)],
  ['serie=b-', (f) => f.serie === 'B-'],
  [`serie=${encodeURIComponent('Ñ')}`, (f) => f.serie === 'ñ'],
  ['folio=7', (f) => f.folio === '7'],
  ['folio=007', () => false],
  ['folio=0010', (f) => f.folio === '0010'],
  ['metodo=PPD', (f) => f.metodoPago === 'PPD'],
  ['forma=99', (f) => f.formaPago === '99'],
  ['uso=I04', (f) => f.usoCfdi === 'I04'],
  ['moneda=USD', (f) => f.moneda === 'USD'],
  ['montoMin=300', (f) => Number(f.total) >= 300],
  ['montoMax=166.00', (f) => Number(f.total) <= 166],
  ['montoMin=216&montoMax=216', (f) => f.total === '216.00'],
  ['estado=cancelado', (f) => f.estado === 'cancelado'],
  ['estado=vigente', (f) => f.estado === 'vigente'],
  ['conAvisos=true', (f) => f.avisos.length > 0],
  ['aviso=cfdi.total_mismatch', (f) => f.avisos.includes('cfdi.total_mismatch')],
  ['aviso=cfdi.nada,cfdi.total_mismatch', (f) => f.avisos.includes('cfdi.total_mismatch')],
  ['complemento=pagos20', (f) => f.complementos.includes('pagos20')],
  [`carga=${CARGA}`, (f) => f.carga === CARGA],
  ['q=ESPANOLA', (f) => names(f, /ESPAÑOLA/)],
  ['q=iia040805dz4', (f) => ofSide(f, 'IIA040805DZ4')],
  ['q=carga%203', (f) => f.serie === 'CARGA' && f.folio === '3'],
  ['q=CARGA3', (f) => f.serie === 'CARGA' && f.folio === '3'],
  ['q=kemper%20xenon', (f) => names(f, /XENÓN/)],
]

const uuids = (filas: readonly Fila[]) => filas.map(({ uuid }) => uuid)

test('every filter finds what its rows say, alone', async () => {
  assert.equal(all.length, SPECS.length + DE_LA_CARGA.length)
  for (const [query, holds] of FILTERS) {
    const expected = all.filter(holds)
    assert.deepEqual(uuids((await list(`${query}&limite=200`)).datos), uuids(expected), query)
    if (query !== 'folio=007') assert.ok(expected.length > 0, `${query} finds nothing here`)
    assert.ok(expected.length < all.length, `${query} finds everything`)
  }
})

test('any two filters find what both find, page by page, and count as many', async () => {
  let found = 0
  for (const [i, [one, first]] of FILTERS.entries()) {
    const [other, second] = pick(FILTERS, i * 7 + 5)
    const keys = [one, other].flatMap((query) => [...new URLSearchParams(query).keys()])
    if (new Set(keys).size < keys.length) continue
    const query = `${one}&${other}`
    const both = (fila: Fila) => first(fila) && (second(fila) || other.startsWith('rfc='))
    // With a direction the RFC is of the counterpart alone.
    const expected = all.filter((fila) => both(fila) && (!other.startsWith('rfc=') || second(fila)))
    assert.deepEqual(uuids(await pages(query, 4)), uuids(expected), query)
    const totals = (await tenant.get(`/api/cfdi/totales?${query}`)).json()
    assert.equal(totals.cfdis, expected.length, query)
    found += expected.length
  }
  assert.ok(found > 50)
})

test('a folio is found with its series whatever stands between, and a folio fiscal by any part of it', async () => {
  const one = DE_LA_CARGA[2]
  for (const query of ['folio=CARGA2', 'folio=carga-2', 'folio=Carga%202', 'folio=CARGA%20-%202', `uuid=${one?.uuid}`])
    assert.deepEqual(uuids((await list(query)).datos), [one?.uuid], query)
  const hyphen = all.find(({ serie, folio }) => serie === 'B-' && folio !== null)
  assert.ok((await list(`folio=B-${hyphen?.folio}`)).datos.some(({ uuid }) => uuid === hyphen?.uuid))
  assert.ok((await list(`folio=B--${hyphen?.folio}`)).datos.some(({ uuid }) => uuid === hyphen?.uuid))
  for (const { uuid } of all.slice(0, 10))
    for (const part of [
      uuid.slice(0, 8),
      // As it is typed: right after a dash.
      uuid.slice(0, 10),
      uuid.slice(0, 20),
      uuid.slice(2, 11),
      uuid.slice(4, 14),
      uuid.slice(-12).toUpperCase(),
      uuid.replaceAll('-', '').slice(6, 20),
      uuid,
    ]) {
      const { datos } = await list(`uuid=${part}`)
      assert.ok(
        datos.some((fila) => fila.uuid === uuid),
        part,
      )
      const hex = part.replaceAll('-', '').toLowerCase()
      for (const fila of datos) assert.ok(fila.uuid.replaceAll('-', '').includes(hex), `${part} in ${fila.uuid}`)
      assert.ok(
        (await list(`q=${part}`)).datos.some((fila) => fila.uuid === uuid),
        `q=${part}`,
      )
    }
})

test('what counts in a month and what lacks its receipt', async () => {
  const factura = randomUUID()
  const recibo = randomUUID()
  const sola = randomUUID()
  const ppd = { metodoPago: 'PPD', formaPago: '99', fecha: '2024-01-31T12:00:00' } as const
  await store(
    [
      { ...ppd, uuid: factura },
      { ...ppd, uuid: sola },
    ],
    undefined,
  )
  const enero = async (query: string) => uuids((await list(`periodo=2024-01&${query}`)).datos).sort()
  assert.deepEqual(await enero('sinRep=true'), [factura, sola].sort())
  const pago = { fecha: '2024-02-10T12:00:00', monto: '116.00', documentos: [{ id: factura, pagado: '116.00' }] }
  await store([{ uuid: recibo, tipo: 'P', fecha: '2024-03-05T09:00:00', pagos: [pago] }], undefined)
  assert.deepEqual(await enero('sinRep=true'), [sola])
  // In the month of the payment the receipt counts, whatever its own date.
  assert.deepEqual(uuids((await list('cuentaEn=2024-02')).datos), [recibo])
  assert.deepEqual(await enero('cuentaEn=2024-01'), [])
})

test('any order is total: ties follow the folio fiscal, what is missing comes last, pages fit together', async () => {
  const rows = (await list('limite=200&hasta=2026-12-31&desde=2026-01-01')).datos
  const collator = new Intl.Collator('es', { numeric: true })
  const compare = (a: Fila, b: Fila, columna: string, desc: boolean): number => {
    // The list does not show when one was stamped; these were stamped when they were issued.
    const shown = columna === 'fechaTimbrado' ? 'fechaEmision' : columna
    const [x, y] = [a[shown], b[shown]] as [string | null, string | null]
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1
    const order = HUMAN.has(columna)
      ? collator.compare(x, y) || (x < y ? -1 : x > y ? 1 : 0)
      : columna === 'total' || columna === 'subtotal' || columna === 'iva'
        ? Number(x) - Number(y)
        : x < y
          ? -1
          : x > y
            ? 1
            : 0
    return desc ? -order : order
  }
  for (const orden of [
    'total',
    '-total',
    'serie,-folio',
    '-serie',
    'folio',
    'nombreReceptor,-total',
    '-nombreEmisor,fechaEmision',
    'metodoPago,-fechaEmision',
    '-moneda,-metodoPago',
    'tipo,serie,folio,-total',
    'fechaEmision',
    'direccion,-iva',
    'rfcReceptor,rfcEmisor',
    '-formaPago,usoCfdi',
    'subtotal,-fechaTimbrado',
  ]) {
    const keys = orden.split(',').map((text) => ({ columna: text.replace('-', ''), desc: text.startsWith('-') }))
    const expected = rows.toSorted((a, b) => {
      for (const { columna, desc } of keys) {
        const order = compare(a, b, columna, desc)
        if (order !== 0) return order
      }
      return (a.uuid < b.uuid ? -1 : 1) * (keys.at(-1)?.desc ? -1 : 1)
    })
    const query = `desde=2026-01-01&hasta=2026-12-31&orden=${orden}`
    assert.deepEqual(uuids((await list(`${query}&limite=200`)).datos), uuids(expected), orden)
    assert.deepEqual(uuids(await pages(query, 7)), uuids(expected), `${orden}, in pages`)
  }
})

const HUMAN = new Set(['serie', 'folio', 'nombreEmisor', 'nombreReceptor'])

test('pages neither repeat nor leave out a row while CFDI arrive, in any order', async () => {
  let n = 0
  const arrive = () => store([{ fecha: `2025-06-1${n++ % 9}T10:00:00`, total: `${n}.00`, folio: `${n}` }], undefined)
  for (let i = 0; i < 9; i++) await arrive()
  for (const orden of ['total', '-fechaEmision', 'folio,-total']) {
    const before = uuids((await list(`periodo=2025-06&limite=200&orden=${orden}`)).datos)
    const seen = uuids(await pages(`periodo=2025-06&orden=${orden}`, 2, n < 20 ? arrive : undefined))
    assert.equal(new Set(seen).size, seen.length)
    assert.deepEqual(
      seen.filter((uuid) => before.includes(uuid)),
      before,
    )
  }
})

test('a cursor of another order, filter or company is refused', async () => {
  const { siguiente } = await list('limite=2&tipo=I')
  assert.ok((await list(`limite=3&tipo=I&cursor=${siguiente}`)).datos.length > 0, 'the size of a page may change')
  const other = await product.createTenant()
  for (const [who, query] of [
    [tenant, 'tipo=E'],
    [tenant, 'tipo=I&orden=total'],
    [tenant, 'tipo=I&estado=vigente'],
    [other, 'tipo=I'],
  ] as const) {
    const answer = await who.get(`/api/cfdi?${query}&cursor=${siguiente}`)
    assert.equal(answer.statusCode, 400)
    assert.equal(answer.json().code, 'request.invalid_cursor')
  }
})

test("another company's load, folios and names find nothing", async () => {
  const other = await product.createTenant()
  for (const query of [`carga=${CARGA}`, `uuid=${all[0]?.uuid}`, 'q=kemper', `q=${all[0]?.uuid}`, `rfc=${RFC}`]) {
    assert.deepEqual(await list(query, other), { datos: [], siguiente: null })
    assert.equal((await other.get(`/api/cfdi/totales?${query}`)).json().cfdis, 0)
  }
})

test('totals are what the rows add up to, in pesos, cancelled ones apart', async () => {
  const totals = (await tenant.get('/api/cfdi/totales?desde=2026-01-01')).json()
  const rows = (await list('desde=2026-01-01&limite=200')).datos
  assert.equal(totals.cfdis, rows.length)
  const centavos = (fila: Fila, name: string): bigint => {
    const [whole = '', cents = '00'] = String(fila[name] ?? '0.00').split('.')
    const units = BigInt(whole + cents)
    if (fila['tipoCambio'] === null || fila.moneda === 'MXN') return units
    const product = units * 17123456n
    return (product + 500_000n) / 1_000_000n
  }
  const text = (n: bigint) => `${n / 100n}.${String(n % 100n).padStart(2, '0')}`
  for (const [estado, grupos] of [
    ['vigente', totals.vigentes],
    ['cancelado', totals.cancelados],
  ] as const) {
    assert.ok(grupos.length > 1)
    for (const grupo of grupos) {
      const own = rows.filter((f) => f.estado === estado && f.tipo === grupo.tipo && f.direccion === grupo.direccion)
      assert.equal(grupo.cfdis, own.length)
      for (const name of ['subtotal', 'descuento', 'iva', 'isrRetenido', 'ivaRetenido', 'total'])
        assert.equal(
          grupo[name],
          text(own.reduce((sum, fila) => sum + centavos(fila, name), 0n)),
          `${grupo.tipo} ${name}`,
        )
    }
  }
  const { emitidos } = totals.neto
  const of = (tipo: string) =>
    totals.vigentes.find((g: { tipo: string; direccion: string }) => g.tipo === tipo && g.direccion === 'emitido')
  assert.equal(
    Math.round(Number(emitidos.total) * 100),
    Math.round((Number(of('I').total) - Number(of('E').total)) * 100),
  )
  const none = (await tenant.get('/api/cfdi/totales?periodo=2031-01')).json()
  assert.deepEqual([none.cfdis, none.vigentes, none.neto.emitidos.total], [0, [], '0.00'])
})

test("what somebody else issued in the company's name is shown in the totals and is none of its net", async () => {
  const other = await product.createTenant({ rfc: 'JUFA7608212V6' })
  await other.db((db) =>
    storeCfdis(
      db,
      'JUFA7608212V6',
      [
        parseCfdi(ownFixture('cfdi/40/own-i-terceros.xml')),
        parseCfdi(Buffer.from(cfdiXml({ emisor: { rfc: 'JUFA7608212V6' } }))),
      ],
      { source: 'upload', limit: { max: -1, mode: 'hard' }, now: new Date() },
    ),
  )
  const { cfdis, vigentes, neto } = (await other.get('/api/cfdi/totales')).json()
  assert.equal(cfdis, 2)
  assert.deepEqual(
    vigentes.map((grupo: Fila) => [grupo.direccion, grupo.tipo, grupo['cfdis']]),
    [['emitido', 'I', 2]],
  )
  assert.deepEqual([neto.emitidos.cfdis, neto.emitidos.total, neto.emitidos.iva], [1, '116.00', '16.00'])
})

test('whatever is typed is looked for and nothing else', async () => {
  const count = async (query: string) => (await list(`limite=200&${query}`)).datos.length
  for (const text of [
    '%%%',
    '___',
    '\\\\\\',
    '%_\\',
    "'; drop table cfdis; --",
    '")))',
    '$1 $2',
    '\\x00\\x01',
    '🙂🙂🙂',
    'אבג דהו',
    '∞≠§',
    '....',
    '<script>',
    '% ',
    '{a,b}',
    '~~~',
    '||||',
  ])
    for (const name of ['q', 'nombre']) {
      const answer = await tenant.get(`/api/cfdi?${name}=${encodeURIComponent(text)}`)
      assert.ok([200, 400].includes(answer.statusCode), `${name}=${text}: ${answer.statusCode}`)
      if (answer.statusCode === 200) assert.deepEqual(answer.json().datos, [], `${name}=${text}`)
    }
  for (const text of ['\u202eabc', 'abc\u0000', 'ab\u0007c', '\u2066abc', `ab${'\u0300'.repeat(100)}`])
    assert.equal((await tenant.get(`/api/cfdi?q=${encodeURIComponent(text)}`)).statusCode, 400, JSON.stringify(text))
  assert.ok((await count(`q=${encodeURIComponent('100% árbol')}`)) > 0, 'a percent sign is no joker')
  assert.equal(await count('q=1%250'), 0)
  for (const name of [
    'q',
    'nombre',
    'folio',
    'serie',
    'uuid',
    'aviso',
    'complemento',
    'orden',
    'rfc',
    'montoMin',
    'tipo',
    'carga',
  ]) {
    for (const text of [
      'a'.repeat(10_000),
      "'",
      '"\\',
      '%',
      '\u202e',
      '🙂'.repeat(30),
      '%00',
      '1e400',
      '-0',
      'NaN',
      '1'.repeat(30),
      '__proto__',
      'cfdis.total desc; select 1',
    ]) {
      const answer = await tenant.get(`/api/cfdi?${name}=${encodeURIComponent(text)}`)
      assert.ok(
        [200, 400, 414].includes(answer.statusCode),
        `${name}=${text.slice(0, 40)}: ${answer.statusCode} ${answer.body}`,
      )
    }
    const twice = await tenant.get(`/api/cfdi?${name}=abc&${name}=abcd`)
    assert.equal(twice.statusCode, name === 'aviso' ? 200 : 400, name)
  }
})

test('what nobody declared is a 400 that says so', async () => {
  for (const query of [
    'pagina=2',
    'avisos=true',
    'sinRep=false',
    'conAvisos=1',
    'tipo=',
    'tipo=I,X',
    'tipo=I,,P',
    'orden=estado',
    'orden=-',
    'orden=total,total',
    'orden=total,-total',
    'orden=a,b,c,d,e',
    'uuid=abc',
    'uuid=a-b-c',
    'uuid=xyzw',
    'montoMin=-1',
    'montoMax=1,000',
    'cuentaEn=2026',
    'carga=no',
    'q=ab',
    'nombre=ab',
    `nombre=${'x'.repeat(101)}`,
    'cursor=x',
    'limite=0',
  ])
    for (const path of ['/api/cfdi', '/api/cfdi/totales']) {
      const answer = await tenant.get(`${path}?${query}`)
      assert.equal(answer.statusCode, 400, `${path}?${query}: ${answer.body.slice(0, 200)}`)
      assert.match(answer.json().code, /^request\.invalid/)
    }
})
