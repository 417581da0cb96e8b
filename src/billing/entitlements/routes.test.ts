import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiWorld, sendAs, startApiWorld } from '../../../test/support/api-world.ts'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { addDays, fechaOf, instantOf } from '../../fiscal/fecha.ts'
import { features } from '../plans/features.ts'

// Noon of whatever day it is: at 23:55 a night more is counted, and at midnight the period is a day older.
const now = instantOf(fechaOf(new Date()), 12)
let world: ApiWorld
before(async () => {
  world = await startApiWorld(undefined, now)
})
after(() => world?.close())

const ask = async (url: string, who: 'visor' | 'foreignAdmin' = 'visor') => {
  const answer = await sendAs(world, world.actors[who], { method: 'GET', url: `/api/uso/${url}` })
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}

/** What the company has: a period that began ten days ago, three users included and 85.00 for each more. */
async function sell(change: { estado?: 'activa' | 'trial' | 'suspendida'; ever_paid?: boolean; included?: number }) {
  const { estado = 'activa', ever_paid = true, included = 3 } = change
  const { central } = world.deps
  const period_start = addDays(fechaOf(now), -10)
  const period = estado === 'trial' ? {} : { period_start, period_end: addDays(period_start, 30), anchor: period_start }
  await central
    .updateTable('subscriptions')
    .set({ estado, ever_paid, plan_code: 'business', period_start: null, period_end: null, ...period })
    .where('tenant_id', '=', world.ours.id)
    .execute()
  const price = { extra_user_c: 8_500, user_limit: included, user_limit_mode: 'soft' as const }
  await central.updateTable('plans').set(price).where('code', '=', 'business').execute()
  return { start: period_start, end: addDays(period_start, 30) }
}

test('the summary tells the plan, the state in both vocabularies, and what is used of each limit', async () => {
  await sell({ estado: 'trial', ever_paid: false, included: 10 })
  const headers = { 'content-type': 'application/xml' }
  const payload = cfdiXml({ emisor: { rfc: world.ours.rfc } })
  await sendAs(world, world.actors.admin, { method: 'POST', url: '/api/cfdi', payload, headers })
  const { calculadoEn, funciones, ...rest } = await ask('resumen')
  assert.ok(calculadoEn)
  assert.deepEqual(rest, {
    plan: { codigo: 'business', version: 1, nombre: 'Business' },
    status: 'pending',
    estado: 'trial',
    access: 'full',
    usuarios: { usado: 5, limite: 10, modo: 'hard' },
    cfdis: { usado: 1, limite: 500, modo: 'hard' },
  })
  assert.deepEqual(Object.keys(funciones).sort(), [...features].sort())
  assert.deepEqual([funciones.reportes, funciones.xml_sat], [true, false])
})

test('a blocked company still sees what it has', async () => {
  await sell({ estado: 'suspendida' })
  world.deps.entitlements.forget(world.ours.id)
  const { status, estado, access } = await ask('resumen')
  assert.deepEqual([status, estado, access], ['paused', 'suspendida', 'blocked'])
})

test('the projection charges the most people of any night, and says what those of today would add', async () => {
  const { start, end } = await sell({ included: 2 })
  const { central } = world.deps
  const nights = [3, 6, 2].map((users, i) => ({ tenant_id: world.ours.id, day: addDays(start, i), users }))
  await central.insertInto('seat_snapshots').values(nights).execute()
  const first = await ask('proyeccion')
  // The log begins when the company was made, today: the nights between are known to nobody.
  assert.equal(first.nochesSinDato.length, 7)
  delete first.nochesSinDato
  assert.deepEqual(first, {
    periodo: { inicio: start, fin: end },
    usuarios: { actuales: 5, incluidos: 2, maximo: 6 },
    precioUsuarioExtra: '85.00',
    hastaHoy: { usuarios: 4, importe: '340.00' },
    proyectado: { usuarios: 4, importe: '340.00' },
  })
  await central.deleteFrom('seat_snapshots').where('users', '=', 6).execute()
  const then = await ask('proyeccion')
  assert.deepEqual([then.hastaHoy.importe, then.proyectado.importe], ['85.00', '255.00'])
})

test('without a period nothing is charged for anybody', async () => {
  await sell({ estado: 'trial', ever_paid: false })
  const { periodo, precioUsuarioExtra, hastaHoy, proyectado } = await ask('proyeccion')
  const nothing = { usuarios: 0, importe: '0.00' }
  assert.deepEqual([periodo, precioUsuarioExtra, hastaHoy, proyectado], [null, null, nothing, nothing])
})

test('whether so many more fit, and what they would cost', async () => {
  await sell({ included: 6 })
  const check = (query: string) => ask(`verificar-limite?${query}`)
  const users = { usado: 5, limite: 6, modo: 'soft' }
  assert.deepEqual(await check('recurso=usuarios'), { permitido: true, ...users, costoAdicional: null })
  assert.deepEqual(await check('recurso=usuarios&cantidad=3'), { permitido: true, ...users, costoAdicional: '170.00' })
  await sell({ estado: 'trial', ever_paid: false, included: 6 })
  const held = { ...users, modo: 'hard' }
  assert.deepEqual(await check('recurso=usuarios&cantidad=2'), { permitido: false, ...held, costoAdicional: null })
  const { usado } = (await ask('resumen')).cfdis
  const cfdis = { usado, limite: 500, modo: 'hard', costoAdicional: null }
  assert.deepEqual(await check(`recurso=cfdis&cantidad=${500 - usado}`), { permitido: true, ...cfdis })
  assert.deepEqual(await check(`recurso=cfdis&cantidad=${501 - usado}`), { permitido: false, ...cfdis })
  assert.equal((await ask('verificar-limite?recurso=usuarios', 'foreignAdmin')).usado, 3, 'each its own')
})

test('what cannot be asked is refused by its name', async () => {
  for (const query of [
    '',
    'recurso=xml',
    'recurso=cfdis&cantidad=0',
    'recurso=cfdis&cantidad=1.5',
    'recurso=cfdis&otro=1',
  ]) {
    const url = `/api/uso/verificar-limite?${query}`
    const answer = await sendAs(world, world.actors.admin, { method: 'GET', url })
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'request.invalid'], query)
  }
})
