import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { uuidv7 } from 'uuidv7'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { formOf } from '../../../test/support/multipart-form.ts'
import { type Product, startProduct, type Tenant } from '../../../test/support/product.ts'
import { until } from '../../../test/support/until.ts'
import { folderOf } from './disk.ts'
import { dropAll, tenantsWithFiles, tidyCargas } from './tidy-cargas.ts'

let product: Product
let tenant: Tenant
before(async () => {
  product = await startProduct({ after: () => undefined })
  tenant = await product.createTenant()
  await product.worker.stop()
})
after(() => product?.close())

const tidy = (days = 0) => {
  const clock = { now: () => new Date(Date.now() + days * 86_400_000) }
  return tenant.db((db) => tidyCargas({ ...product.deps, clock }, db))
}

const folder = (id: string) => folderOf(product.deps.config.filesPath, tenant.id, id)

/** A folder that an upload left, whose files have been still since then. */
function leftBehind(minutes: number): string {
  const id = uuidv7()
  const then = Date.now() / 1000 - minutes * 60
  mkdirSync(folder(id), { recursive: true })
  writeFileSync(path.join(folder(id), '0.parte'), 'x')
  for (const file of [path.join(folder(id), '0.parte'), folder(id)]) utimesSync(file, then, then)
  return id
}

const upload = async (count: number) => {
  const files = Array.from({ length: count }, (_, i) => ({
    name: `${i}.xml`,
    data: cfdiXml({ emisor: { rfc: tenant.rfc } }),
  }))
  const { payload, headers } = formOf(files)
  const answer = await tenant.send('POST', '/api/cfdi/bulk', { body: payload, headers })
  return { status: answer.statusCode, id: answer.json().id as string }
}

test('what an upload left whose process died goes, and what is arriving stays', async () => {
  const [dead, arriving] = [leftBehind(6), leftBehind(1)]
  const now = await tidy()
  assert.equal(now.deleted, 1)
  assert.deepEqual(
    [dead, arriving].map((id) => existsSync(folder(id))),
    [false, true],
  )
  // Whose loads are all done is not entered for them any more.
  const idle = path.dirname(folderOf(product.deps.config.filesPath, uuidv7(), uuidv7()))
  mkdirSync(idle)
  assert.deepEqual(await tenantsWithFiles(product.deps.config), [tenant.id])
  rmdirSync(idle)
})

test('a load whose job got lost gets another, and its files go when it is done', async () => {
  const { status, id } = await upload(101)
  assert.equal(status, 202)
  assert.equal((await tidy()).open, 1)
  await product.worker.start()
  await until(async () => (await tenant.get(`/api/cfdi/cargas/${id}`)).json().estado === 'terminada')
  await until(() => !existsSync(folder(id)))
  await product.worker.stop()
})

test('files of a load that was stopped stay a week, and then the load says so', async () => {
  const { id } = await upload(102)
  await tenant.post(`/api/cfdi/cargas/${id}/cancelar`)
  await tidy(6)
  assert.equal((await tenant.get(`/api/cfdi/cargas/${id}`)).json().conArchivos, true)
  await tidy(8)
  assert.equal(existsSync(folder(id)), false)
  assert.equal((await tenant.get(`/api/cfdi/cargas/${id}`)).json().conArchivos, false)
  const again = await tenant.post(`/api/cfdi/cargas/${id}/reintentar`)
  assert.deepEqual([again.statusCode, again.json().code], [410, 'carga.files_gone'])
})

test('a live view follows a load to its end, and goes on where it was', async (t) => {
  await product.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = product.app.server.address() as { port: number }
  const { id } = await upload(103)
  const headers = { authorization: `Bearer ${tenant.token}` }
  const where = `http://127.0.0.1:${port}/api/cfdi/cargas/${id}/eventos`
  const stream = await fetch(where, { headers })
  assert.match(String(stream.headers.get('content-type')), /^text\/event-stream/)
  await product.worker.start()
  t.after(() => product.worker.stop())
  const text = await stream.text() // ends by itself
  const events = text.split('\n\n').filter((event) => event.includes('event:'))
  const ids = events.map((event) => Number(/^id: (\d+)$/m.exec(event)?.[1]))
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  )
  const last = events.at(-1) ?? ''
  assert.match(last, /^event: fin$/m)
  assert.equal(JSON.parse(/^data: (.*)$/m.exec(last)?.[1] ?? '').nuevos, 103)
  const after = await fetch(where, { headers: { ...headers, 'last-event-id': `${ids.at(-1)}` } })
  assert.equal(after.status, 204)
})

test('of a company that is purged nothing stays', async () => {
  leftBehind(0)
  await dropAll(product.deps.config, tenant.id)
  const home = path.join(product.deps.config.filesPath, 'cargas')
  assert.deepEqual(readdirSync(home), [])
})
