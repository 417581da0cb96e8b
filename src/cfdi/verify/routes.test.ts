import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { sharedFixtures } from '../../../test/support/fixtures.ts'
import { type Product, startProduct } from '../../../test/support/product.ts'
import { checkSello, createSelloCheck } from './check-sello.ts'

let product: Product
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
})
after(async () => {
  for (const end of ended) await end()
})

test('anybody of the company checks the seal of what it received, and nobody else', async (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const real = readFileSync(path.join(folder, 'cfdi/40/cu-cfdi40-real.xml'), 'utf8')
  const [tenant, stranger] = [await product.createTenant({ rfc: 'COSC8001137NA' }), await product.createTenant()]
  const stored = await tenant.post('/api/cfdi', real)
  assert.equal(stored.statusCode, 200, stored.body)
  const [uuid] = stored.json().stored

  const visor = await tenant.member('visor')
  const answer = await visor.get(`/api/cfdi/${uuid}/sello`)
  assert.equal(answer.statusCode, 200, answer.body)
  assert.deepEqual(answer.json(), {
    uuid,
    estado: 'valido',
    codigo: 'sello.valido',
    mensaje: 'El sello corresponde al documento y a su certificado.',
    certificado: {
      numero: '00001000000510877575',
      rfc: 'ISD950921HE5',
      titular: 'PASE, SERVICIOS ELECTRONICOS SA DE CV',
      autoridad: 'AUTORIDAD CERTIFICADORA',
      desde: '2022-01-13T21:05:36.000Z',
      hasta: '2026-01-13T21:05:36.000Z',
    },
  })
  assert.equal((await stranger.get(`/api/cfdi/${uuid}/sello`)).statusCode, 404)
})

test('a document of megabytes is checked aside, as exactly, and one at a time of a company', async (t) => {
  const folder = sharedFixtures(t)
  if (!folder) return
  const real = readFileSync(path.join(folder, 'cfdi/40/cu-cfdi40-real.xml'), 'utf8')
  const large = Buffer.from(
    real.replace('</cfdi:Comprobante>', `<cfdi:Addenda>${'<a/>'.repeat(150_000)}</cfdi:Addenda>$&`),
  )
  const seals = createSelloCheck()
  const [first, second, other] = await Promise.allSettled([
    seals.check('una', large),
    seals.check('una', large),
    seals.check('otra', large),
  ])
  assert.equal(first.status, 'fulfilled', String(first.status === 'rejected' && first.reason))
  assert.deepEqual(first.value, checkSello(Buffer.from(real)))
  assert.deepEqual(other, first)
  assert.equal(second.status === 'rejected' && second.reason.code, 'sello.en_curso')
  assert.deepEqual(await seals.check('una', large), first.value)
  await assert.rejects(seals.check('una', large.subarray(0, -5)), { code: 'cfdi.not_xml' })
})

test('a document without a seal says so, and one that is not here is not found', async () => {
  const tenant = await product.createTenant({ rfc: 'EKU9003173C9' })
  const uuid = randomUUID()
  assert.equal((await tenant.post('/api/cfdi', cfdiXml({ uuid }))).statusCode, 200)
  const { estado, codigo, certificado } = (await tenant.get(`/api/cfdi/${uuid.toUpperCase()}/sello`)).json()
  assert.deepEqual([estado, codigo, certificado], ['invalido', 'sello.sin_sello', null])
  const missing = await tenant.get(`/api/cfdi/${randomUUID()}/sello`)
  assert.deepEqual([missing.statusCode, missing.json().code], [404, 'cfdi.not_found'])
  assert.equal((await tenant.get('/api/cfdi/no-es-uuid/sello')).statusCode, 400)
  assert.equal((await tenant.get(`/api/cfdi/${uuid}/sello?x=1`)).statusCode, 400)
})
