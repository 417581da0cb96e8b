import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { formOf } from '../../../test/support/multipart-form.ts'
import { type NewTenant, type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { until } from '../../../test/support/until.ts'
import { workUntilCrash } from '../../../test/support/worker-child.ts'
import { listAlertas } from '../../alerts/queries.ts'
import { openAs } from '../../db/client.ts'
import { addDays, type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import { reviewLimit, sweepLimits } from './review-limit.ts'
import { findToReview } from './sweep-queries.ts'

let product: Product
let aheadMs = 0
const now = () => new Date(Date.now() + aheadMs)
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) }, { clock: { now } })
})
after(async () => {
  for (const end of ended.toReversed()) await end()
})

const MINUTE = 60_000
const DAY = 86_400_000

const except = async ({ id }: Tenant, valor: number, hasta: Fecha | null = null): Promise<string> => {
  const wish = { tipo: 'limite', clave: 'cfdis', valor, hasta, motivo: 'convenio' }
  const answer = await product.staff.post(`/api/subscriptions/${id}/excepciones`, wish)
  assert.equal(answer.statusCode, 201, answer.body)
  return answer.json().id
}
const lift = async ({ id }: Tenant, excepcion: string) => {
  const answer = await product.staff.send('DELETE', `/api/subscriptions/${id}/excepciones/${excepcion}`)
  assert.ok(answer.statusCode < 300, answer.body)
}
const companyWith = async (limit: number, options: NewTenant = {}): Promise<Tenant> => {
  const tenant = await product.createTenant(options)
  await except(tenant, limit)
  return tenant
}
const xml = ({ rfc }: Tenant) => cfdiXml({ uuid: randomUUID(), emisor: { rfc }, receptor: { rfc: 'URE180429TM6' } })
const upload = async (tenant: Tenant) => {
  const answer = await tenant.post('/api/cfdi', xml(tenant))
  assert.equal(answer.statusCode, 200, answer.body)
}
const bulk = async (tenant: Tenant, n: number) => {
  const { payload, headers } = formOf(Array.from({ length: n }, (_, i) => ({ name: `${i}.xml`, data: xml(tenant) })))
  const answer = await tenant.send('POST', '/api/cfdi/bulk', { body: payload, headers })
  assert.equal(answer.statusCode, 200, answer.body)
}
/** `severidad tienes/incluye` of the open one. */
async function told(tenant: Tenant): Promise<string | undefined> {
  const alertas = await tenant.db((db) =>
    listAlertas(db, { estado: 'abiertas', pospuestas: true, now: now() }, { limit: 9 }),
  )
  const [open, ...more] = alertas.filter(({ tipo }) => tipo === 'CFDI_LIMITE_PLAN')
  assert.deepEqual(more, [])
  const { tienes, incluye } = (open?.detalle ?? {}) as Record<string, number>
  return open && `${open.severidad} ${tienes}/${incluye}`
}
const isDue = async ({ id }: Tenant) =>
  (await findToReview(product.deps.central, { now: now(), farthest: new Date(now().getTime() + 2 * DAY) })).includes(id)
/**
 * As the cron does every minute, until the worker has looked at this company: what still runs swallows what is asked. Then
 * until it has nothing left of what was asked: it would do that while the next test moves the clock or the plan.
 */
async function sweep(tenant: Tenant): Promise<void> {
  const { central, queue } = product.deps
  await until(async () => {
    await central.transaction().execute((trx) => queue.enqueue(trx, 'cfdi.limit-sweep', {}))
    return !(await isDue(tenant))
  })
  await until(async () => {
    const { rows } = await sql`
      select from pgboss.job
      where name in ('cfdi.limit-sweep', 'cfdi.limit') and state in ('created', 'retry', 'active') limit 1`.execute(
      central,
    )
    return rows.length === 0
  })
}

test('one by one and many at once: what is uploaded over a threshold is told in its answer, before any sweep', async () => {
  const tenant = await companyWith(20)
  await bulk(tenant, 15)
  assert.equal(await told(tenant), undefined)
  await upload(tenant)
  assert.equal(await told(tenant), 'info 16/20')
  await bulk(tenant, 3)
  assert.equal(await told(tenant), 'aviso 19/20')
  await bulk(tenant, 3)
  assert.equal(await told(tenant), 'alta 20/20', 'two of three found no place')
  const [shown] = (await tenant.get('/api/alertas?codigo=CFDI_LIMITE_PLAN')).json().datos
  assert.deepEqual([shown.severidad, shown.detalle.umbral, shown.leidaEn], ['alta', 100, null])
  const refused = await tenant.post('/api/cfdi', xml(tenant))
  assert.equal(refused.json().code, 'limit_reached')
  assert.equal(await told(tenant), 'alta 20/20')
})

test('a plan that shrinks, grows or loses its limit is told of within a turn of the sweep, and then nothing is due', async () => {
  const tenant = await product.createTenant()
  await bulk(tenant, 10)
  assert.ok(await isDue(tenant), 'a new company was never looked at')
  await sweep(tenant)
  assert.equal(await told(tenant), undefined, 'its plan has no limit')
  const small = await except(tenant, 10)
  await sweep(tenant)
  assert.equal(await told(tenant), 'alta 10/10')
  await lift(tenant, small)
  const larger = await except(tenant, 12)
  await sweep(tenant)
  assert.equal(await told(tenant), 'info 10/12')
  await lift(tenant, larger)
  await sweep(tenant)
  assert.equal(await told(tenant), undefined)
  assert.equal(await isDue(tenant), false)
})

test('an exception that ends, ends what it changed on its day', async () => {
  const tenant = await companyWith(10)
  await except(tenant, 1_000, addDays(fechaOf(now()), 2))
  await bulk(tenant, 10)
  await sweep(tenant)
  assert.equal(await told(tenant), undefined)
  aheadMs += 4 * DAY
  try {
    assert.ok(await isDue(tenant))
    await sweep(tenant)
    assert.equal(await told(tenant), 'alta 10/10')
  } finally {
    aheadMs = 0
  }
})

test('after a change it is looked at once more, when no process believes in the plan of before; then once a day', async () => {
  const tenant = await companyWith(10)
  await bulk(tenant, 10)
  await sweep(tenant)
  // As whoever stored by a plan of a hundred, remembered until a moment ago.
  await tenant.db((db) => db.updateTable('alertas').set({ resuelta_en: now() }).execute())
  const later = async (ms: number) => {
    aheadMs += ms
    return isDue(tenant)
  }
  try {
    assert.equal(await later(5 * MINUTE), false)
    assert.equal(await later(MINUTE + 1_000), true)
    await sweep(tenant)
    assert.equal(await told(tenant), 'alta 10/10')
    assert.equal(await later(DAY - MINUTE), false)
    assert.equal(await later(2 * MINUTE), true)
    await sweep(tenant)
    // The clock is put back by days: what was to be looked at tomorrow is looked at now.
    assert.equal(await later(-30 * DAY), true)
    await sweep(tenant)
    assert.equal(await later(DAY + MINUTE), true)
  } finally {
    aheadMs = 0
  }
})

test('a second look right after the first does not put off the one that is due in six minutes', async () => {
  const tenant = await companyWith(10)
  const own = { ...product.deps, clock: { now } }
  for (const _ of ['of a sweep', 'of the next, which had not seen the first'])
    await tenant.db((db) => reviewLimit(own, db))
  assert.equal(await isDue(tenant), false)
  aheadMs = 7 * MINUTE
  try {
    assert.equal(await isDue(tenant), true)
    await tenant.db((db) => reviewLimit(own, db))
    assert.equal(await isDue(tenant), false)
    aheadMs += DAY - MINUTE
    assert.equal(await isDue(tenant), false)
  } finally {
    aheadMs = 0
  }
})

test('in a trial the limit of its plan holds, and a plan that lets in what is beyond says that nothing stops', async () => {
  const trial = await product.createTenant({ plan: 'starter' })
  await bulk(trial, 80)
  const open = () => trial.db((db) => db.selectFrom('alertas').select(['severidad', 'mensaje']).execute())
  assert.match((await open())[0]?.mensaje ?? '', /tiene 80 CFDI y tu plan incluye 100 \(80 %\)/)
  const plan = { codigo: 'despacho', nombre: 'Despacho', limiteCfdi: 5, modoLimiteCfdi: 'flexible' }
  const prices = {
    precioMensual: '650.00',
    precioAnual: null,
    precioUsuarioExtra: null,
    modoImpuesto: 'incluido',
    tasa: '0.16',
  }
  const rest = { limiteUsuarios: 3, modoLimiteUsuarios: 'estricto', funciones: ['cfdi_basic', 'alertas'] }
  const put = await product.staff.send('PUT', '/api/planes', { body: { ...plan, ...prices, ...rest } })
  assert.ok(put.statusCode < 300, put.body)
  const tenant = await product.createTenant({ plan: 'despacho' })
  await bulk(tenant, 4)
  assert.equal(await told(tenant), 'info 4/5')
  await bulk(tenant, 3)
  assert.equal(await told(tenant), 'aviso 7/5')
})

test('a company without a subscription, which is a fault of ours, is not told that its plan is full', async () => {
  const tenant = await companyWith(10)
  await bulk(tenant, 8)
  await sweep(tenant)
  const central = new URL(product.adminUrl)
  central.pathname = new URL(product.centralOwnerUrl).pathname
  const admin = await openAs(central.href)
  ended.push(() => admin.end())
  // Nothing that refers to it stands in the way.
  await admin.query(
    `set session_replication_role = replica; delete from subscriptions where tenant_id = '${tenant.id}'`,
  )
  assert.deepEqual(await tenant.db((db) => reviewLimit({ ...product.deps, clock: { now } }, db)), { told: false })
  const [{ severidad } = {}] = await tenant.db((db) => db.selectFrom('alertas').select('severidad').execute())
  assert.equal(severidad, 'info', 'what was told of its last plan stays')
  assert.equal(await isDue(tenant), false)
})

test('a worker that is killed between what it told and writing that down does it again', async () => {
  const tenant = await product.createTenant()
  await bulk(tenant, 10)
  await sweep(tenant)
  await product.worker.stop()
  await except(tenant, 10)
  const own = { ...product.deps, clock: { now } }
  await sweepLimits(own)
  await workUntilCrash(product, 'cfdi.limit.told')
  assert.equal(await told(tenant), 'alta 10/10')
  assert.ok(await isDue(tenant))
  await tenant.db((db) => reviewLimit(own, db))
  assert.equal(await told(tenant), 'alta 10/10')
  assert.equal(await isDue(tenant), false)
})
