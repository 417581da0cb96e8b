import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { cfdiXml } from '../support/cfdi-xml.ts'
import { type Product, randomRfc, startProduct, type Tenant } from '../support/product.ts'

// Ñ, & and the generic RFCs from the registration to the vista: what people, files and headers write differently.

let product: Product
let tenant: Tenant
let namesake: Tenant
/** Ñ&… and the RFC that dropping the accent and the sign would make of it. */
const rfc = `Ñ&${randomRfc().slice(2)}`
const without = `NY${rfc.slice(2)}`
const decomposed = rfc.toLowerCase().normalize('NFD')

before(async () => {
  product = await startProduct({ after: () => undefined })
  tenant = await product.createTenant({ rfc: ` ${decomposed} ` })
  namesake = await product.createTenant({ rfc: without })
})
after(() => product.close())

test('two RFCs that look alike without their signs are two companies with two databases', async () => {
  const seen = await Promise.all(
    [tenant, namesake].map(async ({ id }) => (await product.staff.get(`/api/tenants/${id}`)).json()),
  )
  assert.deepEqual(
    seen.map(({ rfc, baseDeDatos }) => [rfc, baseDeDatos]),
    [
      [rfc, `horux__n_y${rfc.slice(2).toLowerCase()}`],
      [without, `horux_${without.toLowerCase()}`],
    ],
  )
})

test('a CFDI is the company’s however its file writes the RFC, and never its namesake’s', async () => {
  for (const written of [rfc, rfc.normalize('NFD'), rfc.toLowerCase()]) {
    const uuid = randomUUID()
    const xml = cfdiXml({ uuid, emisor: { rfc: written }, receptor: { rfc: 'XAXX010101000' } })
    const stored = await tenant.post('/api/cfdi', xml)
    assert.deepEqual([stored.statusCode, stored.json().stored], [200, [uuid]], stored.body)
    const { rfcEmisor, rfcReceptor } = (await tenant.get(`/api/cfdi/${uuid}`)).json()
    assert.deepEqual([rfcEmisor, rfcReceptor], [rfc, 'XAXX010101000'])
    const refused = await namesake.post('/api/cfdi', xml)
    assert.deepEqual([refused.statusCode, refused.json().code], [422, 'cfdi.foreign'])
  }
  const abroad = cfdiXml({ emisor: { rfc: 'XEXX010101000' }, receptor: { rfc } })
  assert.equal((await tenant.post('/api/cfdi', abroad)).statusCode, 200)
})

test('a generic RFC is a counterpart and never a company: not registered, not looked into', async () => {
  for (const generic of ['XAXX010101000', 'xexx010101000']) {
    const body = { rfc: generic, nombre: 'Nadie', plan: 'starter', admin: { email: 'a@b.example', nombre: 'A' } }
    const registered = await product.staff.post('/api/tenants', body)
    assert.deepEqual([registered.statusCode, registered.json().code], [422, 'rfc.generic'])
    const opened = await product.staff.post('/api/auth/vista', { tenant: generic, motivo: 'Quiero ver a nadie' })
    assert.deepEqual([opened.statusCode, opened.json().code], [404, 'tenants.not_found'])
    const looked = await look(generic)
    assert.deepEqual([looked.statusCode, looked.json().code], [403, 'auth.view_not_open'])
  }
})

test('staff looks into the company by its RFC as a browser, a shell or a person writes it', async () => {
  const opened = await product.staff.post('/api/auth/vista', {
    tenant: decomposed,
    motivo: 'Revisión pedida por el cliente',
  })
  assert.equal(opened.statusCode, 200, opened.body)
  const asBytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1')
  for (const written of [
    rfc,
    asBytes(rfc),
    asBytes(decomposed),
    encodeURIComponent(rfc),
    encodeURIComponent(decomposed),
  ]) {
    const answer = await look(written)
    assert.equal(answer.statusCode, 200, `${written} ${answer.body}`)
    assert.ok(answer.json().datos.length > 0)
  }
  assert.equal((await look(without)).json().code, 'auth.view_not_open')
})

const look = (company: string) => product.staff.send('GET', '/api/cfdi', { headers: { 'x-view-tenant': company } })
