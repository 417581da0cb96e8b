import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { until } from '../../../test/support/product.ts'

let world: BillingWorld
const ending = new AsyncDisposableStack()
after(() => ending.disposeAsync())
before(async () => {
  // 10:00 in Mexico City.
  world = await startBillingWorld({ after: (end) => ending.defer(end) }, { at: new Date('2027-01-04T16:00:00Z') })
})

const TODAY = '2027-01-04'
const evidencia = { banco: 'Banco de prueba', nota: 'SPEI recibido' }
const mark = ({ id }: Company, body: object) =>
  world.product.staff.post(`/api/subscriptions/${id}/mark-paid`, {
    importe: '650.00',
    fecha: TODAY,
    referencia: 'SPEI 0001',
    ...body,
  })
const listOf = async ({ id }: Company, query = '') =>
  (await ok(world.product.staff.get(`/api/subscriptions/${id}/payments${query}`))).json()
const refund = ({ id }: Company, paymentId: string, body: object) =>
  world.product.staff.post(`/api/subscriptions/${id}/payments/${paymentId}/reembolsar`, {
    motivo: 'Cobro de más',
    ...body,
  })
const refusal = (answer: { statusCode: number; body: string; json(): { code: string } }) =>
  `${answer.statusCode} ${answer.json().code}`

test('a transfer pays the period, and the same one sent again answers the same and pays nothing more', async () => {
  const company = await world.company()
  const first = await ok(mark(company, { evidencia }))
  const { pago, aplicado, suscripcion } = first.json()
  assert.equal(aplicado, 'periodo')
  // The rest of the trial is kept: the paid month begins where it ends.
  assert.deepEqual(pago.periodo, { inicio: TODAY, fin: '2027-02-18' })
  assert.deepEqual(
    [pago.medio, pago.estado, pago.importe, pago.referencia, pago.evidencia],
    ['transferencia', 'approved', '650.00', 'SPEI 0001', evidencia],
  )
  assert.equal(pago.fecha, '2027-01-04T18:00:00.000Z')
  assert.ok(pago.factura > 0)
  assert.deepEqual(
    [suscripcion.estado, suscripcion.status, suscripcion.access, suscripcion.paid_through, suscripcion.credit],
    ['activa', 'authorized', 'full', '2027-02-18', '0.00'],
  )
  const again = await ok(mark(company, { evidencia }))
  assert.deepEqual(again.json(), first.json())
  const story = await company.story()
  assert.deepEqual(story.payments, ['transferencia approved 65000 2027-01-04'])
  assert.equal(story.mails.filter((mail) => mail === 'pago_confirmado').length, 1)
  assert.equal(story.events.filter((event) => event.startsWith('pago_aprobado')).length, 1)
  // The same reference of another company is another transfer.
  const other = await world.company()
  assert.equal((await ok(mark(other, {}))).json().aplicado, 'periodo')
})

test('many at once with one reference are one payment', async () => {
  const company = await world.company()
  const answers = await Promise.all(Array.from({ length: 6 }, () => mark(company, {})))
  assert.deepEqual(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  assert.equal(new Set(answers.map((answer) => answer.json().pago.id)).size, 1)
  assert.equal((await company.story()).payments.length, 1)
})

test('a known reference with another amount, day or purpose is refused', async () => {
  const company = await world.company()
  await ok(mark(company, {}))
  for (const other of [{ importe: '650.01' }, { fecha: '2027-01-03' }])
    assert.equal(refusal(await mark(company, other)), '409 payments.reference_taken')
  assert.equal((await company.story()).payments.length, 1)
})

test('too little is credit, and the rest is enough later', async () => {
  const company = await world.company()
  const little = (await ok(mark(company, { importe: '400.00' }))).json()
  assert.deepEqual(
    [little.aplicado, little.suscripcion.estado, little.suscripcion.credit],
    ['incompleto', 'trial', '400.00'],
  )
  const rest = (await ok(mark(company, { importe: '250.00', referencia: 'SPEI 0002' }))).json()
  assert.deepEqual([rest.aplicado, rest.suscripcion.estado, rest.suscripcion.credit], ['periodo', 'activa', '0.00'])
})

test('money for a suspended company is kept as credit and reactivates nothing', async () => {
  const company = await world.company()
  await ok(world.product.staff.post(`/api/subscriptions/${company.id}/suspender`, { motivo: 'Revisión' }))
  const { aplicado, suscripcion } = (await ok(mark(company, {}))).json()
  assert.deepEqual([aplicado, suscripcion.estado, suscripcion.credit], ['credito', 'suspendida', '650.00'])
  assert.deepEqual((await company.story()).alerts, ['pago_con_suspension'])
})

test('amounts and days that cannot be are refused and leave nothing', async () => {
  const company = await world.company()
  for (const importe of ['0.00', '-1.00', '650', '650.005', '650.5', '10000000.00', '6.5e2', 650])
    assert.equal((await mark(company, { importe })).statusCode, 400, String(importe))
  for (const fecha of ['2027-01-05', '2026-10-05'])
    assert.equal(refusal(await mark(company, { fecha })), '422 payments.date_out_of_range', fecha)
  assert.equal((await mark(company, { fecha: '2027-02-30' })).statusCode, 400)
  assert.equal((await mark(company, { evidencia: { urlComprobante: 'javascript:alert(1)' } })).statusCode, 400)
  assert.equal(refusal(await mark({ ...company, id: crypto.randomUUID() }, {})), '404 subscription.not_found')
  assert.equal((await ok(mark(company, { fecha: '2026-10-06' }))).json().pago.fecha, '2026-10-06T18:00:00.000Z')
  assert.equal((await company.story()).payments.length, 1)
})

test('a transfer pays a change of plan that waits for it, and only that of its own company', async () => {
  const [company, stranger] = [await world.company(), await world.company()]
  await ok(mark(company, {}))
  const asked = await ok(company.post('/api/suscripciones/mi-plan/cambiar', { plan: 'professional' }))
  const { cambio, importe } = asked.json()
  assert.equal(cambio.estado, 'pendiente_pago')
  const payment = { importe, referencia: 'SPEI CAMBIO', cambio: cambio.id }
  assert.equal(refusal(await mark(stranger, payment)), '404 payments.change_not_found')
  const { aplicado, pago } = (await ok(mark(company, payment))).json()
  assert.deepEqual([aplicado, pago.cambio], ['cambio', cambio.id])
  const mine = (await company.get('/api/suscripciones/mi-suscripcion')).json()
  assert.deepEqual([mine.plan.codigo, mine.cambioPendiente], ['professional', null])
  assert.deepEqual((await ok(mark(company, payment))).json().aplicado, 'cambio')
  // Another transfer for it comes too late.
  const late = (await ok(mark(company, { ...payment, referencia: 'SPEI OTRO' }))).json()
  assert.deepEqual([late.aplicado, late.suscripcion.credit], ['credito', importe])
})

test('the list goes through all payments once, the last one first', async () => {
  const company = await world.company()
  for (const n of [1, 2, 3, 4, 5]) await ok(mark(company, { importe: `${n}.00`, referencia: `R${n}` }))
  const seen: string[] = []
  let query = '?limite=2'
  for (;;) {
    const { datos, siguiente } = await listOf(company, query)
    seen.push(...datos.map(({ referencia }: { referencia: string }) => referencia))
    if (siguiente === null) break
    query = `?limite=2&cursor=${siguiente}`
  }
  assert.deepEqual(seen, ['R5', 'R4', 'R3', 'R2', 'R1'])
  assert.deepEqual((await listOf(await world.company())).datos, [])
})

test('a transfer given back whole takes its period with it; in parts it does not', async () => {
  const company = await world.company()
  const { pago } = (await ok(mark(company, {}))).json()
  assert.equal(refusal(await refund(company, pago.id, { importe: '100.00' })), '422 payments.evidence_required')
  const part = (await ok(refund(company, pago.id, { importe: '100.00', evidencia: { nota: 'SPEI 77' } }))).json()
  assert.deepEqual([part.estado, part.devuelto, part.reembolsos[0].estado], ['approved', '100.00', 'confirmado'])
  assert.equal((await company.story()).estado, 'activa')
  assert.equal(
    refusal(await refund(company, pago.id, { importe: '550.01', evidencia })),
    '422 payments.refund_too_much',
  )

  const rest = (await ok(refund(company, pago.id, { importe: null, evidencia }))).json()
  assert.deepEqual([rest.estado, rest.devuelto, rest.reembolsos.length], ['refunded', '650.00', 2])
  assert.equal(refusal(await refund(company, pago.id, { importe: null, evidencia })), '409 payments.nothing_left')
  const story = await company.story()
  assert.deepEqual([story.estado, story.motivo], ['pendiente_pago', 'reembolso'])
  assert.deepEqual(story.mails.filter((mail) => mail === 'pago_reembolsado').length, 2)
})

test('what was a credit leaves the balance when it is given back', async () => {
  const company = await world.company()
  const { pago } = (await ok(mark(company, { importe: '400.00' }))).json()
  await ok(refund(company, pago.id, { importe: null, evidencia }))
  assert.equal((await company.get('/api/suscripciones/mi-suscripcion')).json().credit, '0.00')
  assert.deepEqual((await company.story()).ledger, ['incomplete_payment 40000', 'refund -40000'])
})

test('a card payment is given back through MercadoPago, never more than there is, however many ask', async () => {
  const company = await world.company()
  await company.payByCard()
  const [payment] = (await listOf(company)).datos
  assert.equal(payment.medio, 'tarjeta')
  const answers = await Promise.all(Array.from({ length: 4 }, () => refund(company, payment.id, { importe: '300.00' })))
  assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [200, 200, 422, 422])
  const done = await until('both refunds at MercadoPago and told of', async () => {
    await world.settle()
    const [now] = (await listOf(company)).datos
    return now.devuelto === '600.00' ? now : undefined
  })
  assert.deepEqual(
    done.reembolsos.map(({ estado }: { estado: string }) => estado),
    ['confirmado', 'confirmado'],
  )
  assert.equal(world.simulator.state.payments.get(payment.pagoMercadoPago)?.refundedC, 60_000n)
  assert.equal((await company.story()).estado, 'activa')
})

test('a payment of another company is not there, and one that was refused is not given back', async () => {
  const [company, stranger] = [await world.company(), await world.company()]
  const { pago } = (await ok(mark(company, {}))).json()
  assert.equal(refusal(await refund(stranger, pago.id, { importe: null, evidencia })), '404 payments.not_found')
  const { central } = world.product.deps
  await central.updateTable('payments').set({ status: 'rejected' }).where('id', '=', pago.id).execute()
  assert.equal(refusal(await refund(company, pago.id, { importe: null, evidencia })), '409 payments.not_refundable')
  await central.updateTable('payments').set({ status: 'approved', disputed: true }).where('id', '=', pago.id).execute()
  assert.equal(refusal(await refund(company, pago.id, { importe: null, evidencia })), '409 payments.not_refundable')
})
