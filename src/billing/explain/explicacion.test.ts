import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BillingWorld, type Company, ok, startBillingWorld } from '../../../test/support/billing-world.ts'
import { payByTransfer } from '../../../test/support/pay-by-transfer.ts'
import { until } from '../../../test/support/until.ts'

let world: BillingWorld
let company: Company
const closers: (() => Promise<void>)[] = []
before(async () => {
  world = await startBillingWorld(
    { after: (close) => void closers.push(close) },
    { at: new Date('2027-06-01T16:00:00Z') },
  )
  company = await world.company({ plan: 'business' })
})
after(async () => {
  for (const close of closers.reverse()) await close()
})

interface Hecho {
  id: string
  evento: string
  que: string
  quien: string
  regla: { clave: string; texto: string }
  cambios: { dato: string; antes: string | null; despues: string | null }[]
  pago: { importe: string } | null
  correos: { plantilla: string; para: string; estado: string; enviadoEn: string | null }[]
}

const own = async () => (await ok(company.get('/api/suscripciones/explicacion'))).json()
const staffs = async (what = 'explicacion') =>
  (await ok(world.product.staff.get(`/api/subscriptions/${company.id}/${what}`))).json()
const eventsOf = ({ hechos }: { hechos: Hecho[] }) => hechos.map(({ evento }) => evento)
const at = (instant: string) => world.advance({ until: new Date(instant) })

test('a trial is explained by its beginning', async () => {
  const { respuesta, estado, access, desde, hechos } = await own()
  assert.match(respuesta, /^Tu empresa está en su periodo de prueba hasta el 14 de junio de 2027\./)
  assert.deepEqual([estado, access, desde], ['trial', 'full', '2027-06-01'])
  assert.deepEqual(eventsOf({ hechos }), ['trial_iniciado'])
  assert.equal(hechos[0].quien, 'Horux360')
})

test('read-only is explained from the last payment down to it, with the rules and the mails', async () => {
  await ok(world.product.staff.post(`/api/subscriptions/${company.id}/cancelar`, { inmediata: true, motivo: 'Hoy' }))
  await payByTransfer(world, company, '650.00')
  await at('2027-07-05T16:00:00Z')
  const { respuesta, estado, access, hechos } = await own()
  assert.equal(
    respuesta,
    'Tu empresa está en solo lectura desde el 4 de julio de 2027 porque no ha llegado el pago del periodo que empezó el 1 de julio de 2027; para volver, paga $650.00 MXN. Si no, se suspende el 11 de julio de 2027.',
  )
  assert.deepEqual([estado, access], ['grace_period', 'read_only'])
  assert.deepEqual(eventsOf({ hechos }), ['pago_aprobado', 'aviso_vencimiento', 'vence_periodo', 'fin_pendiente'])
  const [paid, told, lapsed, grace] = hechos as Hecho[]
  assert.deepEqual([paid?.pago?.importe, paid?.quien], ['650.00', 'El equipo de Horux360'])
  assert.ok(paid?.cambios.some(({ dato, despues }) => dato === 'paid_through' && despues === '2027-07-01'))
  assert.deepEqual(
    [paid, told, lapsed, grace].map((hecho) => hecho?.correos.map(({ plantilla }) => plantilla)),
    [['pago_confirmado'], ['por_vencer_5d'], ['pago_pendiente'], ['gracia']],
  )
  assert.equal(grace?.correos[0]?.para, company.admin.email)
  assert.deepEqual(
    [grace?.regla.clave, grace?.quien, grace?.cambios.find(({ dato }) => dato === 'estado')],
    ['fin_pendiente', 'Horux360', { dato: 'estado', antes: 'pendiente_pago', despues: 'grace_period' }],
  )
  assert.match(grace?.regla.texto ?? '', /solo lectura/)
})

test('staff reads the same of the company by name, with actors, deliveries and values', async () => {
  const answer = await staffs()
  assert.match(answer.respuesta, new RegExp(`^Empresa ${company.rfc} está en solo lectura desde el 4 de julio`))
  const last = answer.hechos.at(-1)
  assert.deepEqual([last.origen, last.movioEstado, last.entrega], ['timer', true, null])
  assert.deepEqual(last.valor, { antes: '560.34', despues: '560.34' })
})

test('a refund names the delivery of MercadoPago after which it was seen, to staff alone', async () => {
  await company.payByCard()
  await until(async () => (await staffs()).estado === 'activa')
  const charged = await staffs()
  const paid = charged.hechos.find(({ evento }: Hecho) => evento === 'pago_aprobado')
  assert.deepEqual([paid.origen, paid.quien, paid.regla.clave], ['mercadopago', 'MercadoPago', 'g'])

  // A charge may be found by asking before its delivery is here; of a refund nobody but the delivery tells.
  const { central } = world.product.deps
  const { mp_payment_id: paymentId } = await central
    .selectFrom('payments')
    .select('mp_payment_id')
    .where('id', '=', paid.pago.id)
    .executeTakeFirstOrThrow()
  world.simulator.refund(paymentId ?? '')
  await until(async () => (await staffs()).estado === 'pendiente_pago')
  const answer = await staffs()
  const returned = answer.hechos.find(({ evento }: Hecho) => evento === 'pago_reembolsado')
  assert.equal(returned.regla.clave, 'l')
  assert.match(answer.respuesta, /conserva el acceso completo, pero se devolvió el pago de su periodo; paga/)
  const delivery = await central
    .selectFrom('webhook_events')
    .select(['request_id', 'data_id'])
    .where('id', '=', returned.entrega.id)
    .executeTakeFirst()
  assert.deepEqual([delivery?.request_id, delivery?.data_id], [returned.entrega.requestId, paymentId])
  assert.ok(!JSON.stringify(await own()).includes(returned.entrega.requestId), 'an owner has no use for it')
})

test('the whole history is read page by page, the newest first', async () => {
  const whole = (await staffs('historial?limite=200')).datos as Hecho[]
  assert.equal(whole.at(-1)?.evento, 'trial_iniciado')
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await staffs(`historial?limite=3${cursor && `&cursor=${cursor}`}`)
    seen.push(...page.datos.map(({ id }: Hecho) => id))
    cursor = page.siguiente
  } while (cursor)
  assert.deepEqual(
    seen,
    whole.map(({ id }) => id),
  )
})

test('staff acts towards an owner as one, and is named to staff', async () => {
  await ok(world.product.staff.post(`/api/subscriptions/${company.id}/suspender`, { motivo: 'Revisión' }))
  const seen = await own()
  assert.match(seen.respuesta, /porque la suspendió el equipo de Horux360; para volver, escribe a soporte\.$/)
  assert.equal(seen.hechos.at(-1).quien, 'El equipo de Horux360')
  assert.doesNotMatch(JSON.stringify(seen), /operador\./)
  assert.match((await staffs()).hechos.at(-1).quien, /^operador\./)
  await ok(
    world.product.staff.post(`/api/subscriptions/${company.id}/reactivar`, { hasta: '2027-08-01', motivo: 'Lista' }),
  )
})

test('a forecast says what comes when it is paid and when it is not, in the company’s own figures', async () => {
  const forecast = async (query: string) =>
    (await ok(company.get(`/api/suscripciones/pronostico?${query}`))).json() as {
      dias: number
      pasos: { en: string; que: string; estado: string; importe: string | null; texto: string }[]
    }
  const paid = await forecast('supuesto=se_paga')
  assert.equal(paid.dias, 60)
  const charge = paid.pasos.find(({ que }) => que === 'cobro')
  assert.deepEqual([charge?.importe, charge?.estado, charge?.texto], ['650.00', 'activa', 'Se cobra'])
  const unpaid = await forecast('supuesto=no_se_paga&dias=90')
  assert.ok(!unpaid.pasos.some(({ que }) => que === 'cobro'))
  assert.deepEqual(
    unpaid.pasos.filter(({ que }) => que.startsWith('fin_')).map(({ que, estado }) => [que, estado]),
    [
      ['fin_pendiente', 'grace_period'],
      ['fin_gracia', 'suspendida'],
      ['fin_suspension', 'cancelada'],
    ],
  )
  assert.deepEqual(await staffs('pronostico?supuesto=no_se_paga&dias=90'), unpaid)
  for (const wrong of ['dias=0', 'dias=401', 'dias=x', 'supuesto=quizas', 'otra=1'])
    assert.equal((await company.get(`/api/suscripciones/pronostico?${wrong}`)).statusCode, 400, wrong)
})
