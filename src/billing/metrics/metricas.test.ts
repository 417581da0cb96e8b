import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { payByTransfer } from '../../../test/support/pay-by-transfer.ts'
import { findHistories } from './queries.ts'

let world: BillingWorld
const closers: (() => Promise<void>)[] = []
before(async () => {
  world = await startBillingWorld(
    { after: (close) => void closers.push(close) },
    { at: new Date('2027-05-20T16:00:00Z') },
  )
})
after(async () => {
  for (const close of closers.reverse()) await close()
})

const metric = async (name: string, query = 'desde=2027-06-01&hasta=2027-06-30') =>
  (await ok(world.product.staff.get(`/api/metricas/${name}?${query}`))).json()
const at = (instant: string) => world.advance({ until: new Date(instant) })
const change = (company: Company, body: object) => ok(company.post('/api/suscripciones/mi-plan/cambiar', body))

test('before anybody pays, everything is nothing', async () => {
  await world.company()
  assert.deepEqual(await metric('mrr', ''), {
    desde: '2027-05-01',
    hasta: '2027-05-20',
    inicial: '0.00',
    nuevo: '0.00',
    reactivacion: '0.00',
    expansion: '0.00',
    contraccion: '0.00',
    perdido: '0.00',
    final: '0.00',
    arr: '0.00',
  })
  const { suscriptores, ...rates } = await metric('churn', '')
  assert.deepEqual(suscriptores, { inicio: 0, perdidos: 0, fin: 0 })
  assert.deepEqual([rates.churnDeClientes, rates.churnBruto, rates.retencionNeta], [null, null, null])
})

test('the month of billing.md 4.10, in which the revenue alone would say that nothing happened', async () => {
  const { staff } = world.product
  const rules = (await staff.get('/api/cobranza/politica')).json()
  const politica = { ...rules.politica, cobroDeMejora: 'siguiente_renovacion' }
  await ok(staff.send('PUT', '/api/cobranza/politica', { body: { politica, instruccionesTransferencia: null } }))

  const grows = await world.company({ plan: 'business' })
  const leaves = await world.company({ plan: 'professional' })
  const yearly = await world.company({ plan: 'professional' })
  const price = { tipo: 'precio', clave: 'anual', valor: '15000.00', hasta: null, motivo: 'Convenio' }
  await ok(staff.post(`/api/subscriptions/${yearly.id}/excepciones`, price))
  await change(yearly, { plan: 'professional', frecuencia: 'anual' })
  await payByTransfer(world, grows, '650.00')
  await payByTransfer(world, leaves, '1250.00')
  await payByTransfer(world, yearly, '15000.00')

  await at('2027-06-10T16:00:00Z')
  await change(grows, { plan: 'professional' })
  await ok(staff.post(`/api/subscriptions/${leaves.id}/cancelar`, { inmediata: true, motivo: 'Cierra' }))
  const joins = await world.company({ plan: 'business' })
  await payByTransfer(world, joins, '650.00')

  assert.deepEqual(await metric('mrr'), {
    desde: '2027-06-01',
    hasta: '2027-06-30',
    inicial: '2715.52',
    nuevo: '560.34',
    reactivacion: '0.00',
    expansion: '517.25',
    contraccion: '0.00',
    perdido: '1077.59',
    final: '2715.52',
    arr: '32586.24',
  })
  assert.deepEqual(await metric('churn'), {
    desde: '2027-06-01',
    hasta: '2027-06-30',
    suscriptores: { inicio: 3, perdidos: 1, fin: 3 },
    churnDeClientes: '33.33',
    churnBruto: '39.68',
    retencionNeta: '79.37',
  })
})

test('day by day, and a window is as good as its parts', async () => {
  const { inicio, fin, dias } = await metric('suscriptores-activos', 'desde=2027-05-19&hasta=2027-06-10')
  assert.deepEqual([inicio, fin, dias.length], [0, 3, 23])
  assert.deepEqual(dias[0], { fecha: '2027-05-19', suscriptores: 0, mrr: '0.00' })
  assert.deepEqual(dias[1], { fecha: '2027-05-20', suscriptores: 3, mrr: '2715.52' })
  assert.deepEqual(dias.at(-1), { fecha: '2027-06-10', suscriptores: 3, mrr: '2715.52' })
  const halves = await Promise.all([
    metric('mrr', 'desde=2027-05-01&hasta=2027-06-09'),
    metric('mrr', 'desde=2027-06-10&hasta=2027-06-30'),
  ])
  const whole = await metric('mrr', 'desde=2027-05-01&hasta=2027-06-30')
  const pesos = (of: (mrr: Record<string, string>) => string | undefined) =>
    halves.reduce((sum, half) => sum + Math.round(Number(of(half)) * 100), 0) / 100
  for (const part of ['nuevo', 'expansion', 'perdido', 'contraccion', 'reactivacion'])
    assert.equal(pesos((mrr) => mrr[part]).toFixed(2), whole[part], part)
})

test('a window that ends before it begins, or holds more than a year, is refused', async () => {
  const { staff } = world.product
  for (const [query, code] of [
    ['desde=2027-06-02&hasta=2027-06-01', 'metrics.window'],
    ['desde=2025-01-01&hasta=2027-01-01', 'metrics.window'],
    ['desde=2027-02-30', 'request.invalid'],
    ['hasta=9999-12-31', 'request.invalid'],
    ['mes=6', 'request.invalid'],
  ])
    for (const name of ['mrr', 'churn', 'suscriptores-activos']) {
      const answer = await staff.get(`/api/metricas/${name}?${query}`)
      assert.deepEqual([answer.statusCode, answer.json().code], [400, code], query)
    }
})

test('a step written by a machine whose clock is behind comes no earlier than the one before it', async () => {
  const { central } = world.product.deps
  const company = await world.company()
  const common = {
    subscription_id: company.subscriptionId,
    tenant_id: company.id,
    event: 'pago_aprobado',
    origin: 'system' as const,
    rule: 'g',
    outcome: 'next' as const,
    before: {},
    value_before_c: 0n,
  }
  const steps = [
    { at: '2027-09-01T12:00:00Z', estado: 'activa', value: 56_034n },
    { at: '2027-09-01T11:59:58Z', estado: 'activa', value: 107_759n },
    { at: '2027-09-02T12:00:00Z', estado: 'activa', value: 107_759n },
  ]
  for (const { at, estado, value } of steps) {
    const row = { ...common, id: uuidv7(), at: new Date(at), after: { estado }, value_after_c: value }
    await central.insertInto('subscription_events').values(row).execute()
  }
  const histories = await findHistories(central, new Date('2027-10-01T00:00:00Z'))
  const own = histories.find((history) => history.some(({ at }) => at.toISOString().startsWith('2027-09')))
  assert.deepEqual(
    own?.slice(-2).map(({ at, valueC }) => [at.toISOString(), valueC]),
    [
      ['2027-09-01T12:00:00.000Z', 56_034n],
      ['2027-09-01T12:00:00.000Z', 107_759n],
    ],
  )
  const month = await metric('mrr', 'desde=2027-09-01&hasta=2027-09-30')
  assert.deepEqual([month.nuevo, month.expansion], ['560.34', '517.25'])
})
