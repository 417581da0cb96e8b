import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { ensureStaff } from '../src/auth/ensure-staff.ts'
import { startSimulator } from '../src/simulators/mercadopago/simulator.ts'
import { type Client, type Product, startProduct, until } from '../test/support/product.ts'
import { seedBilling } from './seed/billing.ts'
import { demo, demoStaff, seed } from './seed.ts'

const fixtures = new URL('../test/fixtures/cfdi/40/', import.meta.url)
const mercadoPago = { accessToken: 'APP_USR-un-token-inventado', webhookSecret: '0123456789abcdef' }

// One for all tests: a process has one MercadoPago.
let simulator: Awaited<ReturnType<typeof startSimulator>>
before(async () => {
  simulator = await startSimulator({ port: 0, frozen: true, accessToken: mercadoPago.accessToken })
})
after(() => simulator.close())

test('the demonstration company is there with all its CFDI, wherever an earlier start was killed', async (t) => {
  const product = await startProduct(t)
  await ensureStaff(product.deps.central, { ...demoStaff, temporaryUntil: null }, new Date())
  const apiUrl = await product.app.listen({ host: '127.0.0.1', port: 0 })
  const said: string[] = []
  const sow = () =>
    seed({
      apiUrl,
      mailboxUrl: product.mailboxUrl,
      staff: demoStaff,
      mercadoPago: undefined,
      satUrl: undefined,
      say: (line) => said.push(line),
    })

  // Killed when it was registered, before anybody read its mail.
  const registration = {
    rfc: demo.rfc,
    nombre: demo.nombre,
    plan: 'professional',
    admin: { email: demo.email, nombre: demo.admin },
  }
  await registered(product, registration)
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
  await seenThrough(product, id)
  await registered(product, registration)
  const anew = await product.login(demo.email, demo.password)
  await anew.post('/api/cfdi', readFileSync(new URL(files[0] ?? '', fixtures)))
  await sow()
  assert.equal((await anew.get('/api/cfdi?limite=200')).json().datos.length, files.length)
  assert.deepEqual(await ivaOfAugust(anew), august)
})

test('plans get prices and the simulator becomes who is paid, and what staff decided stays', async (t) => {
  const product = await startProduct(t, { env: { MERCADOPAGO_URL: simulator.url }, worker: false })
  const apiUrl = await product.app.listen({ host: '127.0.0.1', port: 0 })
  const { token = '' } = product.staff
  const said: string[] = []
  const sow = () => seedBilling({ apiUrl, token, mercadoPago, say: (line) => said.push(line) })
  const prices = async () => {
    const { datos } = (await product.staff.get('/api/planes')).json() as { datos: Record<string, string>[] }
    return Object.fromEntries(
      datos.map((plan) => [plan['codigo'], [plan['precioMensual'], plan['precioAnual'], plan['precioUsuarioExtra']]]),
    )
  }
  const connectors = async () => (await product.staff.get('/api/conectores-pago')).json().datos

  // Killed when one plan had its price and the account was only written down; and that price is the owner's by now.
  const { datos } = (await product.staff.get('/api/planes')).json()
  const { version, vigente, cobro, creadaEn, ...starter } = datos.find(
    (plan: { codigo: string }) => plan.codigo === 'starter',
  )
  const own = { ...starter, precioMensual: '399.00' }
  assert.equal((await product.staff.send('PUT', '/api/planes', { body: own })).statusCode, 201)
  const written = { nombre: 'El mío', tipo: 'simulador', ...mercadoPago }
  assert.equal((await product.staff.post('/api/conectores-pago', written)).statusCode, 201)

  await sow()
  assert.deepEqual(await prices(), {
    starter: ['399.00', null, null],
    business: ['650.00', '6500.00', '85.00'],
    professional: ['1250.00', '12500.00', '85.00'],
    enterprise: ['2900.00', '29000.00', '85.00'],
  })
  const [only, ...more] = await connectors()
  assert.deepEqual([only.nombre, only.activo, only.principal, more.length], ['El mío', true, true, 0])
  assert.ok(only.cuenta.id)

  said.length = 0
  const settled = [await prices(), await connectors()]
  await sow()
  assert.deepEqual([said, await prices(), await connectors()], [[], ...settled])
})

test('with neither prices nor account all are made, and without a simulator only the prices', async (t) => {
  const product = await startProduct(t, { env: { MERCADOPAGO_URL: simulator.url }, worker: false })
  const apiUrl = await product.app.listen({ host: '127.0.0.1', port: 0 })
  const common = { apiUrl, token: product.staff.token ?? '', say: () => undefined }
  const connectors = async () => (await product.staff.get('/api/conectores-pago')).json().datos
  await seedBilling({ ...common, mercadoPago: undefined })
  const { datos } = (await product.staff.get('/api/planes')).json()
  for (const plan of datos) assert.ok(plan.precioMensual && plan.precioAnual && plan.precioUsuarioExtra, plan.codigo)
  assert.deepEqual(await connectors(), [])

  await seedBilling({ ...common, mercadoPago })
  const [only] = await connectors()
  assert.deepEqual([only.tipo, only.principal, only.tieneSecreto], ['simulador', true, true])
})

async function registered(product: Product, registration: object): Promise<void> {
  const answer = await product.staff.post('/api/tenants', registration)
  assert.ok([201, 202].includes(answer.statusCode), answer.body)
  await seenThrough(product, answer.json().id)
}

/** On a busy machine the answer comes before the company's database is there, or has been put away. */
async function seenThrough({ staff }: Product, id: string): Promise<void> {
  await until('the company', async () => {
    const { estado } = (await staff.get(`/api/tenants/${id}/aprovisionamiento`)).json()
    return estado === 'terminada' ? true : undefined
  })
}

async function ivaOfAugust(company: Client) {
  const { calculadoEn, ...month } = (await company.get('/api/impuestos/iva?ejercicio=2026&mes=8')).json()
  assert.ok(calculadoEn)
  return month
}
