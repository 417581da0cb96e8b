import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { addDays, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { findOverrideChange, findOverrides } from './override-queries.ts'

let product: Product
let tenant: Tenant
let other: Tenant
let today: string
before(async () => {
  // At noon, so that no midnight falls into the tests.
  const noon = instantOf(fechaOf(new Date()), 12).getTime() - Date.now()
  product = await startProduct({ after: () => undefined }, { clock: { now: () => new Date(Date.now() + noon) } })
  tenant = await product.createTenant()
  other = await product.createTenant()
  today = fechaOf(product.deps.clock.now())
})
after(() => product.close())

const address = (id = tenant.id) => `/api/subscriptions/${id}/excepciones`
const funcion = (change: object = {}) => ({
  tipo: 'funcion',
  clave: 'xml_sat',
  activa: true,
  hasta: null,
  motivo: 'Convenio de arranque',
  ...change,
})
const limite = (change: object = {}) => ({
  tipo: 'limite',
  clave: 'usuarios',
  valor: 25,
  hasta: null,
  motivo: 'Despacho con pasantes',
  ...change,
})
const precio = (change: object = {}) => ({
  tipo: 'precio',
  clave: 'mensual',
  valor: '500.00',
  hasta: null,
  motivo: 'Precio de fundador',
  ...change,
})
const add = (body: object, id?: string) => product.staff.post(address(id), body)
const inForce = (id: string, now = product.deps.clock.now()) => findOverrides(product.deps.central, id, now)
const versionOf = async (id: string) => {
  const row = await product.deps.central
    .selectFrom('tenants')
    .select('entitlements_version')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return Number(row.entitlements_version)
}

test('a function, a limit and a price are given, each with its days, its reason and its author', async () => {
  const company = await product.createTenant()
  const before = await versionOf(company.id)
  const bodies = [funcion(), limite({ hasta: addDays(today, 30) }), precio({ desde: addDays(today, 3) })]
  for (const body of bodies) {
    const answer = await add(body, company.id)
    assert.equal(answer.statusCode, 201, answer.body)
    const { id, vigente, creadaPor, creadaEn, revocadaEn, ...rest } = answer.json()
    assert.deepEqual(rest, { desde: today, ...body })
    assert.equal(vigente, !('desde' in body))
    assert.ok(id && creadaEn && creadaPor.email.startsWith('operador.'))
    assert.equal(revocadaEn, null)
  }
  assert.equal(await versionOf(company.id), before + 3, 'every process hears of each')
  const { datos } = (await product.staff.get(address(company.id))).json()
  assert.deepEqual(
    datos.map(({ tipo }: { tipo: string }) => tipo),
    ['precio', 'limite', 'funcion'],
  )
  const shape = (await inForce(company.id)).map(({ id: _, validFrom: _f, validTo: _t, ...terms }) => terms)
  assert.deepEqual(shape, [
    { kind: 'feature', key: 'xml_sat', enabled: true },
    { kind: 'limit', key: 'users', limit: 25 },
  ])
  const later = await inForce(company.id, instantOf(addDays(today, 3)))
  assert.deepEqual(later.at(-1)?.kind === 'price' && later.at(-1), {
    ...later.at(-1),
    kind: 'price',
    key: 'month',
    priceC: 50_000n,
  })
})

test('the last day is included, to its midnight in Mexico City', async () => {
  const company = await product.createTenant()
  const [first, last] = [addDays(today, 2), addDays(today, 4)]
  const given = await add(limite({ desde: first, hasta: last }), company.id)
  assert.deepEqual([given.json().desde, given.json().hasta], [first, last])
  const midnight = instantOf(addDays(last, 1))
  const expected: [Date, number][] = [
    [new Date(instantOf(first).getTime() - 1), 0],
    [instantOf(first), 1],
    [new Date(midnight.getTime() - 1), 1],
    [midnight, 0],
  ]
  for (const [now, n] of expected) assert.equal((await inForce(company.id, now)).length, n, now.toISOString())
  const changes = (now: Date) => findOverrideChange(product.deps.central, company.id, now)
  assert.deepEqual(await changes(product.deps.clock.now()), instantOf(first))
  assert.deepEqual(await changes(instantOf(first)), midnight)
  assert.equal(await changes(midnight), null)
  const oneDay = await add(limite({ desde: first, hasta: first }), company.id)
  assert.equal(oneDay.statusCode, 201, oneDay.body)
})

test('revoking ends it at once and for all processes, a second time changes nothing, and the history keeps it', async () => {
  const company = await product.createTenant()
  const { id } = (await add(funcion(), company.id)).json()
  const before = await versionOf(company.id)
  const revoke = () => product.staff.send('DELETE', `${address(company.id)}/${id}`)
  assert.equal((await revoke()).statusCode, 204)
  assert.deepEqual(await inForce(company.id), [])
  assert.equal(await findOverrideChange(product.deps.central, company.id, product.deps.clock.now()), null)
  const [kept] = (await product.staff.get(address(company.id))).json().datos
  assert.equal((await revoke()).statusCode, 204)
  assert.equal(await versionOf(company.id), before + 1)
  const [again] = (await product.staff.get(address(company.id))).json().datos
  assert.deepEqual(again, kept)
  assert.deepEqual([kept.vigente, typeof kept.revocadaEn], [false, 'string'])
  const log = await product.deps.central
    .selectFrom('audit_log')
    .select(['action', 'actor_email', 'detail'])
    .where('tenant_id', '=', company.id)
    .where('action', 'like', 'override.%')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    log.map(({ action }) => action),
    ['override.added', 'override.revoked'],
  )
  assert.deepEqual(log[0]?.detail, {
    override: id,
    kind: 'feature',
    key: 'xml_sat',
    desde: today,
    hasta: null,
    motivo: 'Convenio de arranque',
  })
  assert.ok(log.every(({ actor_email }) => actor_email?.startsWith('operador.')))
})

test('the exception of one company is none of another, whatever the id says', async () => {
  const { id } = (await add(funcion())).json()
  const answer = await product.staff.send('DELETE', `${address(other.id)}/${id}`)
  assert.equal(answer.statusCode, 404)
  assert.equal(answer.json().code, 'overrides.not_found')
  assert.ok((await inForce(tenant.id)).some((override) => override.id === id))
  assert.deepEqual(await inForce(other.id), [])
  assert.deepEqual((await product.staff.get(address(other.id))).json().datos, [])
})

test('only staff gives, takes and reads exceptions', async () => {
  for (const who of [tenant, other]) {
    assert.equal((await who.get(address())).statusCode, 403)
    assert.equal((await who.post(address(), precio({ valor: '0.00' }))).statusCode, 403)
  }
  assert.ok((await inForce(tenant.id)).every(({ kind }) => kind !== 'price'))
})

test('a company that does not exist has no exceptions', async () => {
  const nobody = '019adb4e-0000-7000-8000-000000000000'
  for (const answer of [await product.staff.get(address(nobody)), await add(funcion(), nobody)])
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'tenants.not_found'])
})

test('what already was is not rewritten, and nothing ends before it begins', async () => {
  const wrong: [object, string][] = [
    [funcion({ desde: addDays(today, -1) }), 'overrides.in_past'],
    [funcion({ desde: '2020-01-31' }), 'overrides.in_past'],
    [funcion({ hasta: addDays(today, -1) }), 'overrides.ends_before_start'],
    [funcion({ desde: addDays(today, 5), hasta: addDays(today, 4) }), 'overrides.ends_before_start'],
    [precio({ valor: '99.99' }), 'plans.below_floor'],
    [precio({ clave: 'anual', valor: '0.01' }), 'plans.below_floor'],
  ]
  for (const [body, code] of wrong) {
    const answer = await add(body)
    assert.deepEqual([answer.statusCode, answer.json().code], [422, code], JSON.stringify(body))
  }
  for (const body of [precio({ valor: '0.00' }), precio({ clave: 'usuario_extra', valor: '0.01' })])
    assert.equal((await add(body, other.id)).statusCode, 201)
})

test('what is no exception is refused', async () => {
  const wrong: object[] = [
    ...['telepatia', '', 'XML_SAT', '__proto__', null].map((clave) => funcion({ clave })),
    ...['si', 1, null, undefined].map((activa) => funcion({ activa })),
    funcion({ valor: 3 }),
    funcion({ tipo: 'limite' }),
    ...[0, -2, 1.5, '25', 1_000_000_001, 1e20, null].map((valor) => limite({ valor })),
    limite({ clave: 'timbres' }),
    limite({ activa: true }),
    ...['500', '500.005', '-500.00', '100000000000000000000.00', 500, '5e2', ''].map((valor) => precio({ valor })),
    precio({ clave: 'semanal' }),
    ...['', '   ', 'x'.repeat(301), 'a\u0000b', null, undefined].map((motivo) => funcion({ motivo })),
    ...['2026-02-30', '30/01/2026', '2026-1-1', '', 20260101, '2026-01-01T00:00:00Z'].flatMap((dia) => [
      funcion({ desde: dia }),
      funcion({ hasta: dia }),
    ]),
    funcion({ hasta: undefined }),
    funcion({ tenantId: other.id }),
    funcion({ tipo: 'descuento' }),
    {},
  ]
  const count = (await product.staff.get(`${address()}?limite=200`)).json().datos.length
  for (const body of wrong) {
    const answer = await add(body)
    assert.equal(answer.statusCode, 400, `${JSON.stringify(body)}: ${answer.body}`)
  }
  assert.equal((await product.staff.get(`${address()}?limite=200`)).json().datos.length, count)
  assert.equal((await product.staff.send('DELETE', `${address()}/1;drop`)).statusCode, 400)
})

test('the history is read page by page, the newest first', async () => {
  const company = await product.createTenant()
  const ids: string[] = []
  for (let valor = 1; valor <= 5; valor++) ids.unshift((await add(limite({ valor }), company.id)).json().id)
  const seen: string[] = []
  let cursor = ''
  do {
    const page = (await product.staff.get(`${address(company.id)}?limite=2${cursor && `&cursor=${cursor}`}`)).json()
    seen.push(...page.datos.map(({ id }: { id: string }) => id))
    cursor = page.siguiente
  } while (cursor)
  assert.deepEqual(seen, ids)
  // All five are about one limit: the last one made counts.
  const counting = (await inForce(company.id)).at(-1)
  assert.equal(counting?.kind === 'limit' && counting.limit, 5)
})
