import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Client, client, type Product, randomRfc, startProduct } from '../../test/support/product.ts'
import { buildApp } from '../app.ts'
import { openAs } from '../db/client.ts'
import { databaseName } from '../fiscal/rfc.ts'

let product: Product
let staff: Client
/** Of staff too, who waits for the end of what they ask for: on a busy machine that takes more than two seconds. */
let patient: Client
let as: (token: string | undefined) => Client

const ending = new AsyncDisposableStack()
before(async () => {
  product = await startProduct({ after: (end) => ending.defer(end) })
  staff = product.staff
  const app = await buildApp(product.deps, { maxLoopDelayMs: 0, operationWaitMs: 60_000 })
  ending.defer(async () => void (await app.close()))
  as = (token) => client(app, token)
  patient = as(staff.token)
})
after(() => ending.disposeAsync())

test('registering a company answers with it when it is ready', async () => {
  const rfc = randomRfc()
  const answer = await patient.post('/api/tenants', registration(rfc))
  assert.equal(answer.statusCode, 201, answer.body)
  const { id, estado, baseDeDatos, plan, versionEsquema } = answer.json()
  assert.equal(answer.headers.location, `/api/tenants/${id}`)
  assert.deepEqual(
    { estado, baseDeDatos, plan },
    { estado: 'activa', baseDeDatos: `horux_${rfc.toLowerCase()}`, plan: 'business' },
  )
  assert.ok(versionEsquema > 0)
  assert.deepEqual((await staff.get(`/api/tenants/${id}`)).json(), answer.json())

  const { tipo, estado: fin, pasos, error } = (await staff.get(`/api/tenants/${id}/aprovisionamiento`)).json()
  assert.deepEqual({ tipo, fin, error }, { tipo: 'aprovisionar', fin: 'terminada', error: null })
  assert.deepEqual(new Set(pasos.map((paso: { estado: string }) => paso.estado)), new Set(['hecho']))
})

test('a registration that waits for room is listed among the living, and found by its state', async (t) => {
  const owner = await openAs(product.centralOwnerUrl)
  t.after(async () => {
    await owner.query(`update database_servers set state = 'active'`)
    await owner.end()
  })
  await owner.query(`update database_servers set state = 'full'`)
  const answer = await staff.post('/api/tenants', registration(randomRfc()))
  assert.deepEqual([answer.statusCode, answer.json().estado], [202, 'en_espera'], answer.body)
  for (const query of ['', '&estado=en_espera']) {
    const { datos } = (await staff.get(`/api/tenants?limite=5${query}`)).json()
    assert.equal(datos[0]?.id, answer.json().id, query)
  }
  const { datos } = (await staff.get('/api/tenants?limite=5&estado=activa')).json()
  assert.ok(datos.every(({ estado }: { estado: string }) => estado === 'activa'))
})

test('a registration that waits for room can be cancelled: its RFC is free, and nobody takes it up again', async (t) => {
  const owner = await openAs(product.centralOwnerUrl)
  t.after(async () => {
    await owner.query(`update database_servers set state = 'active'`)
    await owner.end()
  })
  await owner.query(`update database_servers set state = 'full'`)
  const rfc = randomRfc()
  const waiting = (await staff.post('/api/tenants', registration(rfc))).json()
  const cancelled = await staff.send('DELETE', `/api/tenants/${waiting.id}`)
  assert.deepEqual([cancelled.statusCode, cancelled.json().estado], [200, 'purgada'], cancelled.body)
  assert.ok(cancelled.json().eliminadaEn)
  for (const query of [`?rfc=${rfc}`, `?rfc=${rfc}&estado=en_espera`])
    assert.deepEqual((await staff.get(`/api/tenants${query}`)).json().datos, [], query)
  const { datos } = (await staff.get(`/api/tenants?rfc=${rfc}&eliminadas=true`)).json()
  assert.equal(datos[0]?.id, waiting.id)

  for (const again of [
    await staff.send('DELETE', `/api/tenants/${waiting.id}`),
    await staff.post(`/api/tenants/${waiting.id}/reintentar`),
    await staff.post(`/api/tenants/${waiting.id}/restaurar`),
  ])
    assert.deepEqual([again.statusCode, again.json().code], [404, 'tenants.not_found'])
  const { estado, error } = (await staff.get(`/api/tenants/${waiting.id}/aprovisionamiento`)).json()
  assert.deepEqual([estado, error.code], ['deshecha', 'tenants.cancelled'])

  await owner.query(`update database_servers set state = 'active'`)
  const anew = await patient.post('/api/tenants', registration(rfc))
  assert.deepEqual([anew.statusCode, anew.json().estado], [201, 'activa'], anew.body)
  assert.notEqual(anew.json().id, waiting.id)
})

test('the same RFC at once is one 201 and one 409', async () => {
  const rfc = randomRfc()
  const answers = await Promise.all([
    patient.post('/api/tenants', registration(rfc)),
    patient.post('/api/tenants', registration(rfc)),
  ])
  assert.deepEqual(answers.map((answer) => answer.statusCode).sort(), [201, 409])
  assert.equal(answers.find((answer) => answer.statusCode === 409)?.json().code, 'tenants.rfc_taken')
})

test('an RFC is read as people write it', async () => {
  const rfc = `Ñ&${randomRfc().slice(2)}`
  const written = ` ${rfc.toLowerCase().normalize('NFD')} `
  const answer = await patient.post('/api/tenants', registration(written))
  assert.equal(answer.statusCode, 201, answer.body)
  assert.equal(answer.json().rfc, rfc)
  assert.equal(answer.json().baseDeDatos, `horux_${rfc.toLowerCase().replace('ñ', '_n').replace('&', '_y')}`)
  assert.equal((await staff.post('/api/tenants', registration(rfc))).json().code, 'tenants.rfc_taken')
})

test('a registration that makes no sense is a problem that says what', async () => {
  const good = registration(randomRfc())
  const cases: [object, number, string][] = [
    [{ ...good, rfc: 'XAXX010101000' }, 422, 'rfc.generic'],
    [{ ...good, rfc: 'ABC991399AB1' }, 400, 'request.invalid'],
    [{ ...good, rfc: 7 }, 400, 'request.invalid'],
    [{ ...good, nombre: 'a\u0000b' }, 400, 'request.invalid'],
    [{ ...good, nombre: 'x'.repeat(10_000) }, 400, 'request.invalid'],
    [{ ...good, admin: { email: 'a@x.mx, b@x.mx', nombre: 'A' } }, 400, 'request.invalid'],
    [{ ...good, admin: { email: 'a@x.mx\r\nbcc: b@x.mx', nombre: 'A' } }, 400, 'request.invalid'],
    [{ ...good, otro: 1 }, 400, 'request.invalid'],
    [{ ...good, plan: 'gratis' }, 422, 'tenants.plan_unknown'],
    [{ ...good, regimen: '999' }, 400, 'request.invalid'],
    [{}, 400, 'request.invalid'],
  ]
  for (const [body, status, code] of cases) {
    const answer = await staff.post('/api/tenants', body)
    assert.deepEqual([answer.statusCode, answer.json().code], [status, code], JSON.stringify(body).slice(0, 200))
  }
})

test('a step that fails for good is told with its code, and the company can be tried again', async (t) => {
  const rfc = randomRfc()
  const admin = await openAs(product.adminUrl)
  t.after(() => admin.end())
  await admin.query(`create database ${databaseName(rfc)}`)
  const answer = await patient.post('/api/tenants', registration(rfc))
  assert.deepEqual([answer.statusCode, answer.json().code], [409, 'provision.name_taken'], answer.body)
  assert.match(answer.json().detail, /^Falló el paso «Crear la base de datos»\. En el servidor ya existe/)
  const { datos } = (await staff.get(`/api/tenants?rfc=${rfc}`)).json()
  assert.equal(datos[0].estado, 'fallida')
  const progress = (await staff.get(`/api/tenants/${datos[0].id}/aprovisionamiento`)).json()
  assert.deepEqual([progress.estado, progress.error.paso], ['deshecha', 'database'])

  await admin.query(`drop database ${databaseName(rfc)}`)
  const again = await patient.post(`/api/tenants/${datos[0].id}/reintentar`)
  assert.deepEqual([again.statusCode, again.json().estado], [200, 'activa'], again.body)
})

test('a company is renamed, suspended with a reason and resumed; its members feel it at once', async () => {
  const made = await product.createTenant()
  const tenant = { ...made, ...as(made.token) }
  const path = `/api/tenants/${tenant.id}`
  assert.equal((await tenant.get('/api/cfdi')).statusCode, 200)
  const renamed = await patch(path, { nombre: 'Nombre Nuevo' })
  assert.equal(renamed.json().nombre, 'Nombre Nuevo', renamed.body)
  assert.equal((await patch(path, { suspendida: true })).json().code, 'tenants.reason_required')
  assert.equal((await patch(path, {})).statusCode, 400)

  const suspended = await patch(path, { suspendida: true, motivo: 'Falta de pago' })
  const { estado, suspendida, motivoSuspension } = suspended.json()
  assert.deepEqual(
    { estado, suspendida, motivoSuspension },
    { estado: 'suspendida', suspendida: true, motivoSuspension: 'Falta de pago' },
  )
  assert.equal((await tenant.get('/api/cfdi')).statusCode, 403)

  const resumed = (await patch(path, { suspendida: false })).json()
  assert.deepEqual([resumed.estado, resumed.suspendida, resumed.motivoSuspension], ['activa', false, null])
  assert.equal((await tenant.get('/api/cfdi')).statusCode, 200)
})

test('a company is deleted, its RFC registered anew, and the old one is then not restored', async () => {
  const tenant = await product.createTenant()
  const path = `/api/tenants/${tenant.id}`
  const deleted = await patient.send('DELETE', path)
  assert.equal(deleted.statusCode, 200, deleted.body)
  assert.match(deleted.json().baseDeDatos, /^horux_deleted_/)
  assert.ok((await tenant.get('/api/cfdi')).statusCode >= 400)
  assert.equal((await staff.send('DELETE', path)).json().code, 'tenants.wrong_state')

  const anew = await patient.post('/api/tenants', registration(tenant.rfc))
  assert.equal(anew.statusCode, 201, anew.body)
  assert.equal((await staff.post(`${path}/restaurar`)).json().code, 'tenants.restore_rfc_taken')

  await patient.send('DELETE', `/api/tenants/${anew.json().id}`)
  const restored = await patient.post(`${path}/restaurar`)
  assert.deepEqual([restored.statusCode, restored.json().estado], [200, 'activa'], restored.body)
  const admin = await product.login(tenant.admin.email, tenant.admin.password)
  assert.equal((await admin.get('/api/cfdi')).statusCode, 200)
})

test('the list is paged, filtered, and refuses what it does not know', async () => {
  const first = (await staff.get('/api/tenants?limite=2')).json()
  assert.equal(first.datos.length, 2)
  const second = (await staff.get(`/api/tenants?limite=2&cursor=${first.siguiente}`)).json()
  const ids = [...first.datos, ...second.datos].map(({ id }: { id: string }) => id)
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(ids, ids.toSorted().reverse())
  for (const url of ['?otro=1', '?limite=0', '?limite=x', '?cursor=%2A', '?estado=nada', '?rfc=nada'])
    assert.equal((await staff.get(`/api/tenants${url}`)).statusCode, 400, url)
  const { datos } = (await staff.get('/api/tenants?estado=eliminada&limite=200')).json()
  assert.ok(datos.every(({ estado }: { estado: string }) => estado === 'eliminada'))
  const named = (await staff.get('/api/tenants?nombre=nombre%20NUEVO')).json()
  assert.deepEqual(
    named.datos.map(({ nombre }: { nombre: string }) => nombre),
    ['Nombre Nuevo'],
  )
})

test('nobody but staff gets near, and what does not exist is not found', async () => {
  const tenant = await product.createTenant()
  for (const [method, url] of [
    ['GET', '/api/tenants'],
    ['POST', '/api/tenants'],
    ['GET', `/api/tenants/${tenant.id}`],
    ['PATCH', `/api/tenants/${tenant.id}`],
    ['DELETE', `/api/tenants/${tenant.id}`],
    ['POST', `/api/tenants/${tenant.id}/restaurar`],
    ['POST', `/api/tenants/${tenant.id}/reintentar`],
    ['GET', `/api/tenants/${tenant.id}/aprovisionamiento`],
  ] as const) {
    assert.equal((await tenant.send(method, url)).statusCode, 403, `${method} ${url} as its admin`)
    assert.equal((await product.anonymous.send(method, url)).statusCode, 401, `${method} ${url} as nobody`)
  }
  const missing = '/api/tenants/018f0000-0000-7000-8000-000000000001'
  for (const [method, url] of [
    ['GET', missing],
    ['DELETE', missing],
    ['POST', `${missing}/restaurar`],
    ['POST', `${missing}/reintentar`],
    ['GET', `${missing}/aprovisionamiento`],
  ] as const)
    assert.deepEqual(
      [(await staff.send(method, url)).statusCode, (await staff.send(method, url)).json().code],
      [404, 'tenants.not_found'],
      `${method} ${url}`,
    )
})

test('a registration that nobody works on answers 202 and where to look', async (t) => {
  const idle = await startProduct(t, { worker: false })
  const answer = await idle.staff.post('/api/tenants', registration(randomRfc()))
  assert.equal(answer.statusCode, 202)
  const { id, estado } = answer.json()
  assert.equal(estado, 'aprovisionando')
  assert.equal(answer.headers.location, `/api/tenants/${id}/aprovisionamiento`)
  const progress = (await idle.staff.get(String(answer.headers.location))).json()
  assert.deepEqual([progress.estado, progress.intentos], ['en_cola', 0])
  const retry = await idle.staff.post(`/api/tenants/${id}/reintentar`)
  assert.deepEqual([retry.statusCode, retry.json().code], [409, 'tenants.nothing_to_retry'])
})

const registration = (rfc: string) => ({
  rfc,
  nombre: `Empresa ${rfc.trim()}`,
  plan: 'business',
  admin: { email: `ana.${Math.random().toString(36).slice(2)}@empresa.example`, nombre: 'Ana' },
})

const patch = (url: string, body: object) => patient.send('PATCH', url, { body })
