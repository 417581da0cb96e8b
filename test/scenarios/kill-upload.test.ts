import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { tidyCargas } from '../../src/cfdi/bulk/tidy-cargas.ts'
import { openAs } from '../../src/db/client.ts'
import { publishOutbox } from '../../src/queue/outbox.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { formOf } from '../support/multipart-form.ts'
import { type Product, startProduct, type Tenant } from '../support/product.ts'
import { until } from '../support/until.ts'

let product: Product
before(async () => {
  product = await startProduct({ after: () => undefined })
})
after(() => product?.close())

test('an API that is killed anywhere in an upload leaves nothing half done, and the same files again end as if nothing had happened', async () => {
  const tenant = await product.createTenant()
  await product.worker.stop()
  const uploads = [
    // Everything is on the disk, and there is no load yet: its client sends it again, the sweep takes away the rest.
    { point: 'carga.received', loads: 0, stored: 0 },
    // There is a load, and nobody has told the queue of it.
    { point: 'carga.created', loads: 2, stored: 0 },
    // In the transaction of its batch, and right after it.
    { point: 'carga.batch.0.written', loads: 3, stored: 0 },
    { point: 'carga.batch.0.done', loads: 4, stored: 6 },
  ]
  for (const { point, loads, stored } of uploads) {
    const files = Array.from({ length: 6 }, (_, i) => ({
      name: `${i}.xml`,
      data: cfdiXml({ emisor: { rfc: tenant.rfc } }),
    }))
    const before = await countOf(tenant)
    await uploadToDying(tenant, files, point)
    assert.equal((await tenant.get('/api/cfdi/cargas')).json().datos.length, loads, point)
    assert.equal((await countOf(tenant)) - before, stored, point)
    const answer = await tenant.send('POST', '/api/cfdi/bulk', formBody(files))
    assert.equal(answer.statusCode, 200, answer.body)
    const { estado, nuevos, procesados } = answer.json()
    assert.deepEqual([estado, nuevos, procesados], ['terminada', 6, 6], point)
    assert.equal((await countOf(tenant)) - before, 6, point)
    if (point === 'carga.received') {
      // Not while it might be arriving; then yes.
      assert.deepEqual(await tidy(tenant), { deleted: 0, open: 0 })
      assert.equal(foldersOf(tenant).length, 1)
      grow(tenant)
      assert.deepEqual(await tidy(tenant), { deleted: 1, open: 0 })
    }
    await tidy(tenant) // of one that had ended and could not say so any more
    assert.deepEqual(foldersOf(tenant), [], point)
  }
})

test('a load that its API died of is imported by the worker, whom nobody told', async () => {
  await product.worker.start()
  const tenant = await product.createTenant()
  await product.worker.stop()
  const files = [{ name: 'a.xml', data: cfdiXml({ emisor: { rfc: tenant.rfc } }) }]
  await uploadToDying(tenant, files, 'carga.created')
  const owner = await openAs(product.centralOwnerUrl)
  const queued = await owner.query(`select 1 from pgboss.job where name = 'cfdi.import' and data->>'tenantId' = $1`, [
    tenant.id,
  ])
  await owner.end()
  assert.deepEqual(queued, [])
  await tenant.db((db) => publishOutbox(product.deps, db)) // as its sweep does
  await product.worker.start()
  await until(async () => (await countOf(tenant)) === 1)
  await until(() => foldersOf(tenant).length === 0)
})

const countOf = async (tenant: Tenant): Promise<number> => (await tenant.get('/api/cfdi/totales')).json().cfdis

const homeOf = (tenant: Tenant) => path.join(product.deps.config.filesPath, 'cargas', tenant.id)
const foldersOf = (tenant: Tenant) =>
  existsSync(homeOf(tenant)) ? readdirSync(homeOf(tenant)).filter((name) => !name.startsWith('.')) : []

const tidy = (tenant: Tenant) => tenant.db((db) => tidyCargas(product.deps, db))

/** Ten minutes pass for whatever lies there. */
function grow(tenant: Tenant): void {
  const old = new Date(Date.now() - 600_000)
  for (const folder of foldersOf(tenant).map((name) => path.join(homeOf(tenant), name))) {
    for (const file of readdirSync(folder)) utimesSync(path.join(folder, file), old, old)
    utimesSync(folder, old, old)
  }
}

function formBody(files: Parameters<typeof formOf>[0]) {
  const { payload, headers } = formOf(files)
  return { body: payload, headers }
}

/** Sends files to an API process that dies of them at `point`. */
async function uploadToDying(tenant: Tenant, files: Parameters<typeof formOf>[0], point: string): Promise<void> {
  const [api, metrics] = [await anyFreePort(), await anyFreePort()]
  const { PATH = '', TZ = 'America/Mexico_City' } = process.env
  const own = { HORUX_CRASH_AT: point, API_PORT: `${api}`, METRICS_PORT: `${metrics}` }
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../../src/server.ts')], {
    env: { PATH, TZ, ...product.env, ...own },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  try {
    await until(
      () =>
        fetch(`http://127.0.0.1:${api}/api/ready`).then(
          ({ ok }) => ok || undefined,
          () => undefined,
        ),
      60_000,
    )
    const { payload, headers } = formOf(files)
    const send = () =>
      fetch(`http://127.0.0.1:${api}/api/cfdi/bulk`, {
        method: 'POST',
        body: new Uint8Array(payload),
        headers: { ...headers, authorization: `Bearer ${tenant.token}` },
      }).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => 'nobody answered',
      )
    // A process that has just begun on a busy machine sends whom it can away.
    const told = await until(async () => {
      const answer = await send()
      return answer.includes('sobrecarga') ? undefined : answer
    }, 30_000)
    assert.equal(told, 'nobody answered')
    const [, signal] = await exited
    assert.equal(signal, 'SIGKILL')
  } finally {
    child.kill('SIGKILL')
  }
}
