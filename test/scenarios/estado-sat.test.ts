import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { type OwnerConnection, openAs } from '../../src/db/client.ts'
import { type SatSimulator, startSatSimulator } from '../../src/simulators/sat/simulator.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { type Product, startProduct, type Tenant } from '../support/product.ts'
import { until } from '../support/until.ts'
import { outliveTheDead, workUntilCrash } from '../support/worker-child.ts'

/** From the hour of the sweep to a month that changed, with everything that happens in between. */
let sat: SatSimulator
let product: Product
let owner: OwnerConnection
const ending = new AsyncDisposableStack()
before(async () => {
  sat = await startSatSimulator({ port: 0 })
  ending.defer(() => sat.close())
  const env = { SAT_ESTADO_URL: sat.estadoUrl, WORKER_METRICS_PORT: '0', LOG_LEVEL: 'silent' }
  product = await startProduct({ after: (end) => ending.defer(end) }, { env })
  owner = await openAs(product.centralOwnerUrl)
  ending.defer(() => owner.end())
})
after(() => ending.disposeAsync())
beforeEach(() => sat.reset())

async function company(n: number): Promise<Tenant & { uuids: string[] }> {
  const tenant = await product.createTenant()
  const uuids = Array.from({ length: n }, () => randomUUID())
  for (const uuid of uuids) {
    const answer = await tenant.post('/api/cfdi', cfdiXml({ uuid, emisor: { rfc: tenant.rfc } }))
    assert.equal(answer.statusCode, 200, answer.body)
  }
  return { ...tenant, uuids }
}
const sweep = () =>
  product.deps.central.transaction().execute((trx) => product.deps.queue.enqueue(trx, 'sat.estado.sweep', {}))
const estadosOf = async ({ db, uuids }: Tenant & { uuids: string[] }) => {
  const rows = await db((it) => it.selectFrom('cfdi_consultas').select(['uuid_fiscal', 'estado']).execute())
  const said = new Map(rows.map(({ uuid_fiscal, estado }) => [uuid_fiscal, estado]))
  return uuids.map((uuid) => said.get(uuid) ?? null)
}
const ivaOf = async (tenant: Tenant) =>
  (await tenant.get('/api/impuestos/iva?ejercicio=2026&mes=1')).json().aCargo as string
const jobsOf = (tenant: Tenant) =>
  owner.query<{ state: string; output: object | null }>(
    `select state, output from pgboss.job where name = 'sat.estado' and data->>'tenantId' = $1`,
    [tenant.id],
  )

test('a sweep asks for every company, and what was cancelled counts no more', async () => {
  const [one, two] = [await company(3), await company(2)]
  sat.cancel(one.uuids[0] ?? '', 'con_aceptacion')
  sat.set(two.uuids[1] ?? '', { estado: 'No Encontrado' })
  assert.equal(await ivaOf(one), '48.00')
  await sweep()
  await until(async () => (await estadosOf(one)).every(Boolean) && (await estadosOf(two)).every(Boolean))
  assert.deepEqual(await estadosOf(one), ['cancelado', 'vigente', 'vigente'])
  assert.deepEqual(await estadosOf(two), ['vigente', 'no_encontrado'])
  assert.deepEqual([await ivaOf(one), await ivaOf(two)], ['32.00', '32.00'])
})

test('a company whose subscription is not in order is not asked for', async () => {
  const tenant = await company(1)
  await owner.query(
    `update subscriptions set estado = 'suspendida', deadline_at = now() + interval '1 day' where tenant_id = $1`,
    [tenant.id],
  )
  await sweep()
  const job = await until(async () => (await jobsOf(tenant)).find(({ state }) => state === 'completed'))
  assert.ok(job.output && 'cancelled' in job.output, JSON.stringify(job))
  assert.deepEqual(await estadosOf(tenant), [null])
})

for (const point of ['sat.estado.asked', 'sat.estado.recorded'])
  test(`a worker that dies at ${point} loses nothing`, async () => {
    const tenant = await company(3)
    sat.cancel(tenant.uuids[1] ?? '', 'sin_aceptacion')
    await product.worker.stop()
    await sweep()
    await workUntilCrash(product, point)
    const known = (await estadosOf(tenant)).filter(Boolean).length
    assert.equal(known, point === 'sat.estado.asked' ? 0 : 3, 'all that was written, or nothing of it')
    assert.equal(await ivaOf(tenant), known ? '32.00' : '48.00')
    await outliveTheDead({ owner })
    await tenant.db((db) =>
      db
        .updateTable('cfdi_consultas')
        .set({ siguiente_en: new Date(0) })
        .execute(),
    )
    await product.worker.start()
    await sweep()
    await until(async () => (await estadosOf(tenant)).every(Boolean))
    assert.deepEqual(await estadosOf(tenant), ['vigente', 'cancelado', 'vigente'])
    assert.equal(await ivaOf(tenant), '32.00')
    const history = await tenant.db((db) => db.selectFrom('cfdi_estados').select('estado').execute())
    assert.deepEqual(history, [{ estado: 'cancelado' }], 'learnt once')
  })
