import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { folderOf } from '../../src/cfdi/exports/files.ts'
import { sweepExports } from '../../src/cfdi/exports/sweep-exports.ts'
import { type OwnerConnection, openAs } from '../../src/db/client.ts'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { ended, linkTo, readCsv, readZip } from '../support/exported.ts'
import { type Product, startProduct, type Tenant } from '../support/product.ts'
import { outliveTheDead, spawnWorker, workUntilCrash } from '../support/worker-child.ts'

const CFDIS = 70

let product: Product
let tenant: Tenant
let owner: OwnerConnection
let env: Record<string, string>
const endings: (() => Promise<void>)[] = []

before(async () => {
  product = await startProduct({ after: (end) => void endings.push(end) })
  tenant = await product.createTenant()
  await product.worker.stop()
  owner = await openAs(product.centralOwnerUrl)
  endings.push(() => owner.end())
  env = { ...product.env, WORKER_METRICS_PORT: '0', LOG_LEVEL: 'silent' }
  for (let n = 0; n < CFDIS; n++) {
    const xml = cfdiXml({ folio: `${n}`, emisor: { rfc: tenant.rfc } })
    assert.equal((await tenant.post('/api/cfdi', xml)).statusCode, 200)
  }
})
after(async () => {
  for (const end of endings.toReversed()) await end()
})

for (const point of ['export.page', 'export.written', 'export.named', 'export.told'])
  test(`a worker that dies at ${point} leaves no half file to anybody, and the next one makes it whole`, async () => {
    const asked = await tenant.post('/api/cfdi/exportaciones', { formato: 'zip_xml', filtro: {} })
    assert.equal(asked.statusCode, 202, asked.body)
    const { id } = asked.json()
    await workUntilCrash({ env }, point)
    const dead = (await tenant.get(`/api/cfdi/exportaciones/${id}`)).json()
    assert.equal(dead.estado, point === 'export.told' ? 'lista' : 'procesando')
    if (dead.estado !== 'lista') {
      const link = await tenant.post(`/api/cfdi/exportaciones/${id}/enlace`)
      assert.deepEqual([link.statusCode, link.json().code], [409, 'exportacion.no_lista'])
    }

    await outliveTheDead({ owner })
    const child = spawnWorker({ env })
    try {
      const done = await ended(tenant, id)
      assert.deepEqual([done.estado, done.total], ['lista', CFDIS])
      const answer = await product.anonymous.get(await linkTo(tenant, id))
      const members = await readZip(answer.rawPayload)
      assert.equal(members.size, CFDIS + 1)
      assert.equal(readCsv(members.get('manifest.csv') as Buffer).length, CFDIS)
    } finally {
      child.kill('SIGKILL')
    }

    // What the dead one left is gone an hour later, and nothing else is.
    const { filesPath } = product.deps.config
    const mine = () => readdirSync(folderOf(filesPath, tenant.id)).filter((name) => name.startsWith(id))
    const clock = { now: () => new Date(Date.now() + 2 * 3_600_000) }
    await sweepExports({ ...product.deps, clock }, { warn: () => undefined })
    assert.equal(mine().length, 1)
    assert.equal(path.extname(mine()[0] ?? ''), '.zip')
  })
