import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Product, startProduct } from '../../../test/support/product.ts'
import { features } from './features.ts'
import { findCurrentPlan, findPlan } from './queries.ts'

let product: Product
before(async () => {
  product = await startProduct({ after: () => undefined }, { worker: false })
})
after(() => product.close())

const terms = (codigo: string, change: object = {}): object => ({
  codigo,
  nombre: 'Despacho',
  precioMensual: '650.00',
  precioAnual: '6500.00',
  precioUsuarioExtra: '85.00',
  modoImpuesto: 'incluido',
  tasa: '0.16',
  limiteCfdi: 500,
  limiteUsuarios: 3,
  modoLimiteUsuarios: 'flexible',
  modoLimiteCfdi: 'estricto',
  funciones: ['dashboard', 'cfdi_basic', 'iva_isr'],
  ...change,
})
const put = (body: object, headers: Record<string, string> = {}) =>
  product.staff.send('PUT', '/api/planes', { body, headers })
const versionsOf = async (codigo: string) => {
  const { datos } = (await product.staff.get('/api/planes?versiones=true&limite=200')).json()
  return datos.filter((plan: { codigo: string }) => plan.codigo === codigo)
}
const audited = (codigo: string) =>
  product.deps.central
    .selectFrom('audit_log')
    .selectAll()
    .where('action', '=', 'plan.version')
    .orderBy('id')
    .execute()
    .then((rows) => rows.filter(({ detail }) => (detail as { plan: string }).plan === codigo))

test('the four plans of the product are there, without a price until staff sets one', async () => {
  const { datos, siguiente } = (await product.staff.get('/api/planes')).json()
  const known = datos.filter(({ codigo }: { codigo: string }) =>
    /^(starter|business|professional|enterprise)$/.test(codigo),
  )
  assert.equal(siguiente, null)
  assert.deepEqual(
    known.map((plan: Record<string, unknown>) => [plan['codigo'], plan['limiteCfdi'], plan['limiteUsuarios']]),
    [
      ['business', 500, 3],
      ['enterprise', -1, -1],
      ['professional', 2000, 10],
      ['starter', 100, 1],
    ],
  )
  const enterprise = known[1]
  assert.deepEqual([enterprise.precioMensual, enterprise.cobro.mensual, enterprise.version], [null, null, 1])
  assert.deepEqual(enterprise.funciones, [...features])
})

test('a plan is made, and each change of it is a version of its own that leaves the others as they were', async () => {
  const first = await put(terms('versiones'))
  assert.equal(first.statusCode, 201, first.body)
  const { version, vigente, cobro, creadaEn, ...rest } = first.json()
  assert.deepEqual(rest, terms('versiones'))
  assert.deepEqual([version, vigente], [1, true])
  assert.deepEqual(cobro, { mensual: '650.00', anual: '6500.00', usuarioExtra: '85.00' })
  assert.ok(Date.parse(creadaEn))

  const changes = [
    { precioMensual: '700.00' },
    { nombre: 'Despacho+' },
    { precioAnual: null },
    { precioUsuarioExtra: '0.00' },
    { modoImpuesto: 'excluido' },
    { tasa: '0.08' },
    { limiteCfdi: -1 },
    { limiteUsuarios: 4 },
    { modoLimiteUsuarios: 'estricto' },
    { modoLimiteCfdi: 'flexible' },
    { funciones: ['dashboard'] },
    { funciones: [] },
  ]
  let now = terms('versiones')
  for (const [i, change] of changes.entries()) {
    now = { ...now, ...change }
    const answer = await put(now)
    assert.equal(answer.statusCode, 201, `${JSON.stringify(change)}: ${answer.body}`)
    assert.equal(answer.json().version, i + 2)
  }
  const versions = await versionsOf('versiones')
  assert.equal(versions.length, changes.length + 1)
  assert.deepEqual(
    versions.map(({ vigente }: { vigente: boolean }) => vigente),
    [true, ...changes.map(() => false)],
  )
  assert.deepEqual(versions.at(-1), { ...first.json(), vigente: false })
  assert.equal((await audited('versiones')).length, changes.length + 1)
})

test('the same terms are the same version, whatever the order of the functions and the zeros', async () => {
  const first = (await put(terms('igual'))).json()
  for (const same of [
    terms('igual'),
    terms('igual', { funciones: ['iva_isr', 'dashboard', 'cfdi_basic'] }),
    terms('igual', { precioMensual: '00650.00' }),
    terms('igual', { nombre: '  Despacho ' }),
  ]) {
    const again = await put(same)
    assert.equal(again.statusCode, 200, again.body)
    assert.deepEqual(again.json(), first)
  }
  assert.equal((await versionsOf('igual')).length, 1)
  assert.equal((await audited('igual')).length, 1)
  // Back to terms of long ago: a new version, because who holds the old one holds an old one.
  assert.equal((await put(terms('igual', { limiteCfdi: 7 }))).json().version, 2)
  assert.equal((await put(terms('igual'))).json().version, 3)
})

test('twelve at once make twelve versions, one of them current, of a plan that nobody had made before', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => put(terms('carrera', { limiteCfdi: 100 + i }))),
  )
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    answers.map(() => 201),
  )
  const versions = await versionsOf('carrera')
  assert.deepEqual(
    versions.map(({ version }: { version: number }) => version),
    [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
  )
  assert.equal(versions.filter(({ vigente }: { vigente: boolean }) => vigente).length, 1)
  assert.equal(versions[0].vigente, true)

  const same = await Promise.all(Array.from({ length: 8 }, () => put(terms('gemelos'))))
  assert.deepEqual(same.map(({ statusCode }) => statusCode).toSorted(), [200, 200, 200, 200, 200, 200, 200, 201])
  assert.equal((await versionsOf('gemelos')).length, 1)
})

test('who made a version, and what it changed, is in the log', async () => {
  await put(terms('bitacora'))
  await put(terms('bitacora', { precioMensual: '700.00', tasa: '0.08' }))
  const [made, changed] = await audited('bitacora')
  assert.ok(made?.actor_email?.startsWith('operador.'))
  assert.deepEqual(made?.detail, { plan: 'bitacora', version: 1, before: null })
  assert.deepEqual(changed?.detail, {
    plan: 'bitacora',
    version: 2,
    before: 1,
    changed: ['priceMonthC', 'taxRateBp'],
  })
})

test('what is sold reads as it was put: centavos, basis points and all', async () => {
  await put(terms('lectura', { precioMensual: '560.34', modoImpuesto: 'excluido', precioAnual: '999999999.99' }))
  await put(terms('lectura', { precioMensual: null, tasa: '0.08' }))
  const { central } = product.deps
  const sold = await findPlan(central, 'lectura', 1)
  assert.deepEqual(sold, {
    code: 'lectura',
    version: 1,
    nombre: 'Despacho',
    priceMonthC: 56_034n,
    priceYearC: 99_999_999_999n,
    extraUserC: 8_500n,
    taxMode: 'excluded',
    taxRateBp: 1600,
    cfdiLimit: 500,
    userLimit: 3,
    userLimitMode: 'soft',
    cfdiLimitMode: 'hard',
    features: ['dashboard', 'cfdi_basic', 'iva_isr'],
  })
  const current = await findCurrentPlan(central, 'lectura')
  assert.deepEqual([current?.version, current?.priceMonthC, current?.taxRateBp], [2, null, 800])
  assert.equal(await findPlan(central, 'lectura', 3), undefined)
  assert.equal(await findCurrentPlan(central, 'nadie'), undefined)
  const [, first] = await versionsOf('lectura')
  assert.deepEqual([first.precioMensual, first.cobro.mensual, first.cobro.anual], ['560.34', '649.99', '1159999999.99'])
})

test('a function that a later release added does not stop this one from reading the plan', async () => {
  await put(terms('futuro'))
  await product.deps.central
    .updateTable('plans')
    .set({ features: ['dashboard', 'telepatia'] })
    .where('code', '=', 'futuro')
    .execute()
  assert.deepEqual((await findCurrentPlan(product.deps.central, 'futuro'))?.features, ['dashboard'])
})

test('a price that MercadoPago would not take from every company is refused by its name', async () => {
  for (const [change, campo] of [
    [{ precioMensual: '99.99' }, 'precioMensual'],
    [{ precioMensual: '0.01' }, 'precioMensual'],
    [{ precioAnual: '99.99' }, 'precioAnual'],
    // 92.59 + 8 % is 99.997…, which is charged as 100.00; 92.58 is not.
    [{ precioMensual: '92.58', modoImpuesto: 'excluido' }, 'precioMensual'],
  ] as const) {
    const answer = await put(terms('piso', change))
    assert.equal(answer.statusCode, 422, answer.body)
    assert.equal(answer.json().code, 'plans.below_floor')
    assert.equal(answer.json().errors[0].path, campo)
  }
  assert.equal((await versionsOf('piso')).length, 0)
  for (const change of [
    { precioMensual: '100.00' },
    { precioMensual: '0.00', precioAnual: '0.00' },
    { precioMensual: '92.59', modoImpuesto: 'excluido' },
    { precioUsuarioExtra: '0.01' },
  ])
    assert.equal((await put(terms('piso', change))).statusCode, 201, JSON.stringify(change))
})

test('what is no plan is refused, and nothing of it is kept', async () => {
  const before = (await product.staff.get('/api/planes?versiones=true&limite=200')).json().datos.length
  const wrong: object[] = [
    ...[
      '650.005',
      '650',
      '650.0',
      '-650.00',
      '1e5',
      '100000000000000000000.00',
      '1000000000.00',
      'NaN',
      ' 650.00',
      '650,00',
      '٦٥٠.00',
      '',
      650,
      true,
      [],
    ].flatMap((precio) => [{ precioMensual: precio }, { precioAnual: precio }, { precioUsuarioExtra: precio }]),
    { precioMensual: undefined },
    ...[
      "'; drop table plans; --",
      'Business',
      'a b',
      '__proto__',
      '',
      'x'.repeat(41),
      'plan-2',
      'ñ',
      'a\u0000',
      '{{7*7}}',
      null,
      ['a'],
    ].map((codigo) => ({ codigo })),
    ...['', '  ', 'x'.repeat(41), 'a\u0000b', 'a\nb', '\u202e', 7].map((nombre) => ({ nombre })),
    ...['0.1600', '0.10', '16', 0.16, '', null].map((tasa) => ({ tasa })),
    ...[0, -2, 1.5, '500', 100_000_001, 1e20, null].map((limiteCfdi) => ({ limiteCfdi })),
    ...[0, -2, 100_001, null].map((limiteUsuarios) => ({ limiteUsuarios })),
    ...[
      ['telepatia'],
      ['dashboard', 'dashboard'],
      ['Dashboard'],
      'dashboard',
      null,
      [null],
      [['dashboard']],
      Array(10_000).fill('dashboard'),
    ].map((funciones) => ({ funciones })),
    { modoImpuesto: 'included' },
    { modoLimiteUsuarios: 'hard' },
    { modoLimiteCfdi: '' },
    { version: 9 },
    { vigente: false },
  ]
  for (const change of wrong) {
    const answer = await put(terms('mal', change))
    assert.equal(answer.statusCode, 400, `${JSON.stringify(change).slice(0, 100)}: ${answer.body.slice(0, 200)}`)
  }
  assert.equal((await product.staff.get('/api/planes?versiones=true&limite=200')).json().datos.length, before)
})

test('the history is read page by page, nothing twice and nothing left out', async () => {
  for (let i = 1; i <= 5; i++) await put(terms('paginas', { limiteCfdi: i }))
  const seen: string[] = []
  let cursor = ''
  do {
    const page = (await product.staff.get(`/api/planes?versiones=true&limite=2${cursor && `&cursor=${cursor}`}`)).json()
    assert.ok(page.datos.length <= 2)
    seen.push(...page.datos.map(({ codigo, version }: { codigo: string; version: number }) => `${codigo} ${version}`))
    cursor = page.siguiente
  } while (cursor)
  const whole = (await product.staff.get('/api/planes?versiones=true&limite=200')).json().datos
  assert.deepEqual(
    seen,
    whole.map(({ codigo, version }: { codigo: string; version: number }) => `${codigo} ${version}`),
  )
  assert.equal((await product.staff.get('/api/planes?cursor=abc')).statusCode, 400)
  assert.equal((await product.staff.get('/api/planes?limite=0')).statusCode, 400)
  assert.equal((await product.staff.get('/api/planes?versiones=quizas')).statusCode, 400)
})

test('only staff of the platform sees or sets prices', async () => {
  assert.equal((await product.anonymous.get('/api/planes')).statusCode, 401)
  assert.equal((await product.anonymous.send('PUT', '/api/planes', { body: terms('robo') })).statusCode, 401)
  assert.equal((await versionsOf('robo')).length, 0)
})
