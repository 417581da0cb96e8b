import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { cfdiXml } from '../../../test/support/cfdi-xml.ts'
import { ownFixture } from '../../../test/support/fixtures.ts'
import { readPdf } from '../../../test/support/printed.ts'
import { type Product, startProduct, type Tenant } from '../../../test/support/product.ts'

const UUID = 'e7f9524a-32ac-4c32-94e5-8140cb667541'

let product: Product
let tenant: Tenant
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
  tenant = await product.createTenant({ rfc: 'EKU9003173C9' })
  const answer = await tenant.post('/api/cfdi', ownFixture('cfdi/40/own-i-ppd-iva16.xml'))
  assert.equal(answer.statusCode, 200, answer.body)
})
after(async () => {
  for (const end of ended) await end()
})

test('whoever may see a CFDI has it on paper', async () => {
  const visor = await tenant.member('visor')
  const answer = await visor.get(`/api/cfdi/${UUID.toUpperCase()}/pdf`)
  assert.equal(answer.statusCode, 200, answer.body)
  assert.equal(answer.headers['content-type'], 'application/pdf')
  assert.equal(answer.headers['content-disposition'], `attachment; filename="${UUID}.pdf"`)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  assert.equal(answer.headers['content-security-policy'], "sandbox; default-src 'none'")
  const { text, codes } = await readPdf(answer.rawPayload)
  assert.match(text, /58,000\.00/)
  assert.doesNotMatch(text, /CANCELADO/)
  assert.match(codes[0] ?? '', /default\.aspx\?id=E7F9524A-32AC-4C32-94E5-8140CB667541&re=EKU9003173C9/)
  assert.deepEqual((await visor.get(`/api/cfdi/${UUID}/pdf`)).rawPayload, answer.rawPayload)
})

test('a cancelled one says so', async () => {
  const uuid = '0a1b2c3d-0000-4000-8000-0000000000c1'
  assert.equal((await tenant.post('/api/cfdi', cfdiXml({ uuid }))).statusCode, 200)
  await tenant.db((db) =>
    sql`update cfdis set estado = 'cancelado', fecha_cancelacion = '2026-03-05 09:00:00',
      cancelacion_conocida_en = now() where uuid_fiscal = ${uuid}`.execute(db),
  )
  const answer = await tenant.get(`/api/cfdi/${uuid}/pdf`)
  assert.match((await readPdf(answer.rawPayload)).text, /CANCELADO/)
})

test('there is none of what is not there, of another company or asked wrongly', async () => {
  const other = await product.createTenant({ rfc: 'URE180429TM6' })
  for (const [who, url, status] of [
    [tenant, '/api/cfdi/0a1b2c3d-0000-4000-8000-00000000ffff/pdf', 404],
    [other, `/api/cfdi/${UUID}/pdf`, 404],
    [tenant, '/api/cfdi/nada/pdf', 400],
    [product.anonymous, `/api/cfdi/${UUID}/pdf`, 401],
  ] as const)
    assert.equal((await who.get(url)).statusCode, status, url)
})
