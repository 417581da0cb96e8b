import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Product, startProduct } from '../../../test/support/product.ts'
import { defaultPolicy } from '../subscription.ts'
import { findPolicy, findTransferInstructions } from './policy-queries.ts'

let product: Product
before(async () => {
  product = await startProduct({ after: () => undefined })
})
after(() => product.close())

const get = async () => (await product.staff.get('/api/cobranza/politica')).json()
const put = (body: object) => product.staff.send('PUT', '/api/cobranza/politica', { body })
const stored = () =>
  product.deps.central.selectFrom('billing_policy').select(['policy', 'updated_by']).executeTakeFirstOrThrow()
const audited = () =>
  product.deps.central
    .selectFrom('audit_log')
    .select(['detail', 'actor_email'])
    .where('action', '=', 'billing.policy')
    .orderBy('id')
    .execute()

const INSTRUCCIONES = 'Banco de Ejemplo\nCLABE 000000000000000000\nA nombre de Horux Ejemplo, concepto: tu RFC'

test('the rules are the defaults until staff decides otherwise', async () => {
  const { politica, predeterminada, instruccionesTransferencia, actualizadaEn } = await get()
  assert.deepEqual(politica, predeterminada)
  assert.deepEqual(
    [politica.diasPrueba, politica.diasPendiente, politica.diasGracia, politica.accesoAlCancelar],
    [14, 3, 7, 'fin_periodo'],
  )
  assert.deepEqual([instruccionesTransferencia, typeof actualizadaEn], [null, 'string'])
  assert.deepEqual(await findPolicy(product.deps.central), defaultPolicy)
  assert.equal(await findTransferInstructions(product.deps.central), null)
})

test('what is decided holds at once, is kept as a difference, and says who decided', async () => {
  const { politica } = await get()
  const next = {
    ...politica,
    diasPendiente: 0,
    diasGracia: 10,
    horasMinimas: { ...politica.horasMinimas, suspendida: 72 },
  }
  const answer = await put({ politica: next, instruccionesTransferencia: INSTRUCCIONES })
  assert.equal(answer.statusCode, 200, answer.body)
  assert.deepEqual(await get(), answer.json())
  assert.deepEqual(answer.json().politica, next)
  assert.deepEqual(answer.json().predeterminada, politica)
  assert.deepEqual(await findPolicy(product.deps.central), {
    ...defaultPolicy,
    pendingDays: 0,
    graceDays: 10,
    minDwellHours: { ...defaultPolicy.minDwellHours, suspendida: 72 },
  })
  assert.equal(await findTransferInstructions(product.deps.central), INSTRUCCIONES)
  const { policy, updated_by } = await stored()
  assert.deepEqual(Object.keys(policy as object).sort(), ['graceDays', 'minDwellHours', 'pendingDays'])
  assert.ok(updated_by)

  const [deed] = await audited()
  assert.ok(deed?.actor_email?.startsWith('operador.'))
  assert.deepEqual((deed?.detail as { rules: object[] } | undefined)?.rules[0], {
    rule: 'pendingDays',
    before: 3,
    after: 0,
  })

  const again = await put({ politica: next, instruccionesTransferencia: INSTRUCCIONES })
  assert.deepEqual(again.json(), answer.json())
  assert.equal((await audited()).length, 1, 'the same rules are no decision')

  const back = await put({ politica, instruccionesTransferencia: null })
  assert.equal(back.statusCode, 200)
  assert.deepEqual((await stored()).policy, {})
  assert.equal(await findTransferInstructions(product.deps.central), null)
})

test('subscriptions that wait for something are looked at again under new rules, and only under new rules', async () => {
  const tenant = await product.createTenant()
  const { central } = product.deps
  const far = new Date(Date.now() + 1_000 * 86_400_000)
  const due = async () => {
    const row = await central
      .selectFrom('subscriptions')
      .select('next_due_at')
      .where('tenant_id', '=', tenant.id)
      .executeTakeFirstOrThrow()
    return row.next_due_at
  }
  const waitFor = (at: Date | null) =>
    central.updateTable('subscriptions').set({ next_due_at: at }).where('tenant_id', '=', tenant.id).execute()
  const { politica } = await get()

  await waitFor(far)
  await put({ politica, instruccionesTransferencia: 'Sólo cambia el texto' })
  assert.deepEqual(await due(), far)
  await put({ politica: { ...politica, diasAvisoRenovacion: 10 }, instruccionesTransferencia: null })
  assert.ok(((await due()) as Date) < far)
  await waitFor(null)
  await put({ politica, instruccionesTransferencia: null })
  assert.equal(await due(), null, 'one that waits for nothing goes on waiting for nothing')
})

test('of two who decide at once neither is lost halfway', async () => {
  const { politica } = await get()
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      put({
        politica: { ...politica, diasGracia: 20 + i, diasSuspension: 40 + i },
        instruccionesTransferencia: `Texto ${i}`,
      }),
    ),
  )
  assert.deepEqual(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  const { politica: last, instruccionesTransferencia } = await get()
  assert.equal(last.diasSuspension - last.diasGracia, 20)
  assert.equal(instruccionesTransferencia, `Texto ${last.diasGracia - 20}`)
})

test('a rule out of its bounds is refused, and the law’s five days are one of them', async () => {
  const { politica } = await get()
  const before = await get()
  const wrong: object[] = [
    { diasAvisoRenovacion: 5 },
    { diasAvisoRenovacion: 0 },
    { diasPrueba: 0 },
    { diasPendiente: -1 },
    { diasGracia: 61 },
    { diasGracia: 1.5 },
    { diasGracia: '7' },
    { diasSuspension: null },
    { horaAvisos: 24 },
    { horaFacturas: -1 },
    { horasMinimas: { pendiente_pago: 24, grace_period: 48 } },
    { horasMinimas: { ...politica.horasMinimas, cancelada: 1 } },
    { accesoAlCancelar: 'nunca' },
    { cobroDeMejora: 'checkout' },
    { diasPrueba: undefined },
    { graceDays: 7 },
  ]
  for (const change of wrong) {
    const answer = await put({ politica: { ...politica, ...change }, instruccionesTransferencia: null })
    assert.equal(answer.statusCode, 400, `${JSON.stringify(change)}: ${answer.body}`)
  }
  for (const body of [
    {},
    { politica },
    { instruccionesTransferencia: null },
    { politica, instruccionesTransferencia: '' },
    { politica, instruccionesTransferencia: 'x'.repeat(2001) },
    { politica, instruccionesTransferencia: 'a\u0000b' },
    { politica, instruccionesTransferencia: null, actualizadaEn: '2026-01-01T00:00:00Z' },
  ])
    assert.equal((await put(body)).statusCode, 400, JSON.stringify(body).slice(0, 80))
  assert.deepEqual(await get(), before)
})

test('strangers neither read nor set the rules', async () => {
  assert.equal((await product.anonymous.get('/api/cobranza/politica')).statusCode, 401)
  assert.equal((await product.anonymous.send('PUT', '/api/cobranza/politica', { body: {} })).statusCode, 401)
})
