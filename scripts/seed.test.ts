import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ensureStaff } from '../src/auth/ensure-staff.ts'
import { type Client, startProduct } from '../test/support/product.ts'
import { demo, demoStaff, seed } from './seed.ts'

const fixtures = new URL('../test/fixtures/cfdi/40/', import.meta.url)

test('the demonstration company is there with all its CFDI, wherever an earlier start was killed', async (t) => {
  const product = await startProduct(t)
  await ensureStaff(product.deps.central, { ...demoStaff, temporaryUntil: null }, new Date())
  const apiUrl = await product.app.listen({ host: '127.0.0.1', port: 0 })
  const said: string[] = []
  const sow = () => seed({ apiUrl, mailboxUrl: product.mailboxUrl, staff: demoStaff, say: (line) => said.push(line) })

  // Killed when it was registered, before anybody read its mail.
  const registration = {
    rfc: demo.rfc,
    nombre: demo.nombre,
    plan: 'professional',
    admin: { email: demo.email, nombre: demo.admin },
  }
  assert.equal((await product.staff.post('/api/tenants', registration)).statusCode, 201)
  await sow()
  const company = await product.login(demo.email, demo.password)
  const cfdis = async () => (await company.get('/api/cfdi?limite=200')).json().datos
  const files = readdirSync(fixtures)
  assert.equal((await cfdis()).length, files.length)
  const august = await ivaOfAugust(company)
  assert.notEqual(august.aCargo, '0.00')

  // Repeated: nothing to do.
  said.length = 0
  await sow()
  assert.deepEqual(said, [])

  // Killed when a single one was there.
  const { id } = (await product.staff.get(`/api/tenants?rfc=${demo.rfc}`)).json().datos[0]
  await product.staff.send('DELETE', `/api/tenants/${id}`)
  assert.equal((await product.staff.post('/api/tenants', registration)).statusCode, 201)
  const anew = await product.login(demo.email, demo.password)
  await anew.post('/api/cfdi', readFileSync(new URL(files[0] ?? '', fixtures)))
  await sow()
  assert.equal((await anew.get('/api/cfdi?limite=200')).json().datos.length, files.length)
  assert.deepEqual(await ivaOfAugust(anew), august)
})

async function ivaOfAugust(company: Client) {
  const { calculadoEn, ...month } = (await company.get('/api/impuestos/iva?ejercicio=2026&mes=8')).json()
  assert.ok(calculadoEn)
  return month
}
