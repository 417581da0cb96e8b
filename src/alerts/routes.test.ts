import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { type Client, type Product, startProduct, type Tenant } from '../../test/support/product.ts'
import { addDays, fechaOf } from '../fiscal/fecha.ts'
import { type Alerta, raiseAlertas, resolveAlertas } from './raise-alert.ts'

const DAY = 86_400_000

let instant = new Date('2026-03-10T18:00:00.123Z')
let product: Product
let tenant: Tenant
let contador: Client
let visor: Client
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
  tenant = await product.createTenant()
  contador = await tenant.member('contador')
  visor = await tenant.member('visor')
  instant = new Date(Date.now() - DAY)
})
after(async () => {
  for (const end of ended) await end()
})

const told = (clave: string, more: Partial<Alerta> = {}): Alerta => ({
  codigo: 'SAT_SIN_DESCARGA',
  clave,
  severidad: 'aviso',
  titulo: `Título de ${clave}`,
  mensaje: 'Mensaje',
  accion: 'Acción',
  ...more,
})
const raise = (alertas: Alerta[], at = instant) =>
  tenant.db((db) => db.transaction().execute((trx) => raiseAlertas(trx, alertas, at)))
const resolve = (codigo: Alerta['codigo'], options: Parameters<typeof resolveAlertas>[3] = {}) =>
  tenant.db((db) => db.transaction().execute((trx) => resolveAlertas(trx, codigo, instant, options)))
const clean = () => tenant.db((db) => db.deleteFrom('alertas').execute())

interface Shown {
  datos: Record<string, unknown>[]
  siguiente: string | null
  conteos: Record<string, number>
}
async function list(query = '', who: Client = visor): Promise<Shown> {
  const answer = await who.get(`/api/alertas${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}
const titles = async (query = '') => (await list(query)).datos.map(({ titulo }) => String(titulo).slice(10))
const patch = (id: unknown, body: object, who: Client = contador) => who.send('PATCH', `/api/alertas/${id}`, { body })
const only = async (query = '') => {
  const { datos } = await list(query)
  assert.equal(datos.length, 1)
  return datos[0] as Record<string, unknown>
}

test('an alert tells what, about what, how much is at stake and what to do', async () => {
  await clean()
  const detalle = { dias: 3, ñ: 'sí' }
  await raise([
    told('a', { severidad: 'critica', periodo: { ejercicio: 2026, mes: 2 }, montoEnRiesgo: 123_456n, detalle }),
  ])
  const { id, creadaEn, actualizadaEn, ...alerta } = await only()
  assert.match(String(id), /^[0-9a-f-]{36}$/)
  assert.equal(creadaEn, instant.toISOString())
  assert.equal(actualizadaEn, instant.toISOString())
  assert.deepEqual(alerta, {
    codigo: 'SAT_SIN_DESCARGA',
    severidad: 'critica',
    titulo: 'Título de a',
    mensaje: 'Mensaje',
    accion: 'Acción',
    uuid: null,
    periodo: { ejercicio: 2026, mes: 2 },
    montoEnRiesgo: '1234.56',
    detalle,
    leidaEn: null,
    pospuesta: null,
    resueltaEn: null,
    regla: 1,
  })
})

test('one fact is one alert however often and however many at once find it', async () => {
  await clean()
  await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      raise([told('b', { mensaje: `vez ${i}` }), told('c'), told('a')].toReversed()),
    ),
  )
  await raise(
    [told('a', { mensaje: 'dicha dos veces' }), told('a', { mensaje: 'la segunda' })],
    new Date(+instant + 60_000),
  )
  const { datos, conteos } = await list()
  assert.deepEqual(datos.map(({ titulo }) => titulo).sort(), ['Título de a', 'Título de b', 'Título de c'])
  assert.deepEqual(conteos, { critica: 0, alta: 0, aviso: 3, info: 0, sinLeer: 3 })
  const a = datos.find(({ titulo }) => titulo === 'Título de a')
  assert.equal(a?.['mensaje'], 'la segunda')
  assert.equal(a?.['creadaEn'], instant.toISOString(), 'it is as old as when it was first found')
})

test('what is over is resolved by its rule, stays in the history, and opens anew as unread when it comes back', async () => {
  await clean()
  await raise([told('a'), told('b'), told('c'), told('x', { codigo: 'FIEL_VENCE' })])
  const { id } = (await list()).datos.find(({ titulo }) => titulo === 'Título de a') as { id: string }
  assert.equal((await patch(id, { leida: true })).statusCode, 200)
  assert.equal(await resolve('SAT_SIN_DESCARGA', { except: ['b'] }), 2)
  assert.equal(await resolve('SAT_SIN_DESCARGA', { except: ['b'] }), 0)
  assert.deepEqual((await titles()).sort(), ['b', 'x'])
  assert.deepEqual((await titles('?estado=resueltas')).sort(), ['a', 'c'])
  assert.deepEqual((await titles('?estado=todas')).sort(), ['a', 'b', 'c', 'x'])
  assert.equal(await resolve('FIEL_VENCE', { only: ['otra'] }), 0)
  assert.equal(await resolve('FIEL_VENCE', { only: ['x'] }), 1)

  const later = new Date(+instant + 3_600_000)
  await raise([told('a')], later)
  const again = (await list()).datos.find(({ titulo }) => titulo === 'Título de a')
  assert.deepEqual(
    [again?.['id'], again?.['creadaEn'], again?.['leidaEn'], again?.['resueltaEn']],
    [id, later.toISOString(), null, null],
  )
})

test('read is kept while nothing changes, and what got worse is unread again and no longer put off', async () => {
  await clean()
  await raise([told('a')])
  const { id } = await only()
  assert.ok((await patch(id, { leida: true })).json().leidaEn)
  await raise([told('a', { mensaje: 'lo mismo' })])
  assert.ok((await only())['leidaEn'])
  const hasta = addDays(fechaOf(new Date()), 10)
  assert.equal((await patch(id, { pospuesta: { hasta, motivo: 'Lo vemos en junta' } })).statusCode, 200)
  await raise([told('a', { severidad: 'info' })])
  assert.deepEqual(await titles(), [], 'better is no news')
  await raise([told('a', { severidad: 'critica' })])
  const worse = await only()
  assert.deepEqual([worse['leidaEn'], worse['pospuesta'], worse['severidad']], [null, null, 'critica'])
})

test('put off, it is not shown until its day; asked for it is, with its reason, and the audit log has who and why', async () => {
  await clean()
  await raise([told('a'), told('b')])
  const { id } = (await list()).datos.find(({ titulo }) => titulo === 'Título de a') as { id: string }
  const hasta = addDays(fechaOf(new Date()), 2)
  const answer = await patch(id, { pospuesta: { hasta, motivo: 'Esperamos al cliente' } })
  assert.deepEqual(answer.json().pospuesta, { hasta, motivo: 'Esperamos al cliente' })
  assert.deepEqual(await titles(), ['b'])
  assert.equal((await list()).conteos['aviso'], 1)
  assert.deepEqual((await titles('?pospuestas=true')).sort(), ['a', 'b'])
  const [deed] = await tenant.db((db) =>
    db
      .selectFrom('auditoria')
      .selectAll()
      .where('accion', '=', 'alerta.pospuesta')
      .orderBy('ocurrio_en', 'desc')
      .execute(),
  )
  assert.equal(deed?.motivo, 'Esperamos al cliente')
  assert.deepEqual(deed?.detalle, { alertaId: id, clave: 'a', hasta })

  // Its day has come.
  await tenant.db((db) =>
    db
      .updateTable('alertas')
      .set({ pospuesta_hasta: new Date(Date.now() - 1_000) })
      .where('id', '=', id)
      .execute(),
  )
  assert.deepEqual((await titles()).sort(), ['a', 'b'])
  assert.equal((await list()).datos.find((one) => one['id'] === id)?.['pospuesta'], null)

  assert.equal((await patch(id, { pospuesta: { hasta, motivo: 'Otra vez' } })).statusCode, 200)
  assert.equal((await patch(id, { pospuesta: null })).json().pospuesta, null)
  assert.equal((await titles()).length, 2)
  await resolve('SAT_SIN_DESCARGA')
  const refused = await patch(id, { pospuesta: { hasta, motivo: 'Tarde' } })
  assert.deepEqual([refused.statusCode, refused.json().code], [422, 'alerta.resuelta'])
  assert.equal((await patch(id, { leida: true })).statusCode, 200)
})

test('the list comes in pages, filtered, and counts all that match', async () => {
  await clean()
  const severidades = ['info', 'aviso', 'alta', 'critica'] as const
  for (let i = 0; i < 23; i++)
    await raise([told(`k${i}`, { severidad: severidades[i % 4] as 'info' })], new Date(+instant + Math.floor(i / 3)))
  const seen: string[] = []
  let query = '?limite=4'
  for (;;) {
    const page = await list(query)
    seen.push(...page.datos.map(({ id }) => String(id)))
    assert.deepEqual(page.conteos, { info: 6, aviso: 6, alta: 6, critica: 5, sinLeer: 23 })
    if (!page.siguiente) break
    query = `?limite=4&cursor=${page.siguiente}`
  }
  assert.equal(new Set(seen).size, 23)
  assert.equal((await list('?severidad=critica')).datos.length, 5)
  assert.equal((await list('?severidad=critica')).conteos['info'], 6)
  assert.equal((await list('?codigo=FIEL_VENCE')).datos.length, 0)
})

test('bad input is a 400 with its place, and a day that does not fit a 422', async () => {
  await clean()
  await raise([told('a')])
  const { id } = await only()
  const dia = addDays(fechaOf(new Date()), 3)
  for (const body of [
    {},
    { leida: 'sí' },
    { leida: true, titulo: 'otro' },
    { pospuesta: { hasta: dia } },
    { pospuesta: { hasta: dia, motivo: ' ' } },
    { pospuesta: { hasta: '2026-02-30', motivo: 'x' } },
    { pospuesta: { hasta: `${dia}T00:00:00Z`, motivo: 'x' } },
    { pospuesta: { hasta: dia, motivo: 'x'.repeat(501) } },
    { pospuesta: { hasta: dia, motivo: 'a\u0000b' } },
    [],
  ])
    assert.equal((await patch(id, body)).statusCode, 400, JSON.stringify(body))
  for (const hasta of [fechaOf(new Date()), '2001-01-01', addDays(fechaOf(new Date()), 500)]) {
    const answer = await patch(id, { pospuesta: { hasta, motivo: 'x' } })
    assert.deepEqual([answer.statusCode, answer.json().code], [422, 'alerta.plazo'], hasta)
  }
  for (const query of ['?estado=otras', '?severidad=urgente', '?limite=0', '?cursor=e30', '?codigo=X', '?pospuestas=1'])
    assert.equal((await visor.get(`/api/alertas${query}`)).statusCode, 400, query)
  assert.equal((await patch('7', { leida: true })).statusCode, 400)
})

test('admin and contador change, visor reads, and another company finds no such alert', async () => {
  await clean()
  await raise([told('a')])
  const { id } = await only()
  assert.equal((await patch(id, { leida: true }, visor)).statusCode, 403)
  assert.equal((await patch(id, { leida: true }, product.anonymous)).statusCode, 401)
  const other = await product.createTenant()
  for (const [who, which] of [
    [other, id],
    [tenant, uuidv7()],
  ] as const) {
    const answer = await patch(which, { leida: true }, who)
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'alerta.no_encontrada'])
  }
  assert.deepEqual((await list('', other)).datos, [])
  assert.equal((await only())['leidaEn'], null)
  assert.ok((await patch(id, { leida: true }, tenant)).json().leidaEn)
  assert.equal((await patch(id, { leida: false }, tenant)).json().leidaEn, null)
})

test('a plan without alerts is told which one has them', async () => {
  const small = await product.createTenant({ plan: 'starter', prueba: true })
  const answer = await small.get('/api/alertas')
  assert.equal(answer.statusCode, 402, answer.body)
  assert.match(answer.json().detail, /[Pp]lan/)
})
