import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { type EfirmaFiles, makeEfirma } from '../../test/support/efirmas.ts'
import { type Product, startProduct, type Tenant, until } from '../../test/support/product.ts'
import { sealEfirma } from '../../test/support/vault.ts'
import { sweepVault } from './sweep-vault.ts'
import { tellExpiry } from './tell-expiry.ts'

const DAY = 86_400_000
const quiet = { warn() {}, error() {} }

let product: Product
let efirma: EfirmaFiles
const ended: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ended.push(end) })
  efirma = makeEfirma({ rfc: 'EKU9003173C9' })
})
after(async () => {
  for (const end of ended) await end()
})

/** Its beginning, of the day on which these tests began: those that end after midnight go on with the same. */
const TODAY = Math.floor((Date.now() - 6 * 3_600_000) / DAY) * DAY

/** An e.firma that ends at noon of Mexico City, so many days from today. */
async function vaultWith(tenant: Tenant, days: number): Promise<{ id: string; validTo: Date }> {
  const { central, config } = product.deps
  const validTo = new Date(TODAY + days * DAY + 18 * 3_600_000)
  const id = await sealEfirma(
    central,
    config.fielKeys,
    { ...efirma, rfc: tenant.rfc },
    { tenantId: tenant.id, validTo },
  )
  return { id, validTo }
}

/** As the sweep does at noon, so many days from today. */
const tellOn = (day: number, deps: Partial<Parameters<typeof tellExpiry>[0]> = {}) => {
  const clock = { now: () => new Date(TODAY + day * DAY + 18 * 3_600_000 + 1_000) }
  return tellExpiry({ ...product.deps, clock, ...deps }, quiet)
}

const alertas = (tenant: Tenant) =>
  tenant.db((db) =>
    db.selectFrom('alertas').select(['clave', 'severidad', 'titulo', 'resuelta_en']).orderBy('clave').execute(),
  )

const mails = async (tenant: Tenant) => {
  const rows = await product.deps.central
    .selectFrom('mail_outbox')
    .select(['dedupe_key', 'to_email'])
    .where('tenant_id', '=', tenant.id)
    .where('template', '=', 'fiel_por_vencer')
    .orderBy('id')
    .execute()
  return rows.map(({ dedupe_key }) => Number(dedupe_key.split(':')[2]))
}

const over = (id: string) =>
  product.deps.central
    .updateTable('fiel_credentials')
    .set({
      ended_at: new Date(),
      ended_how: 'deleted',
      certificate: null,
      private_key: null,
      password: null,
      kid: null,
    })
    .where('id', '=', id)
    .execute()

test('a company hears of each threshold once, by alert and by mail, until there is another e.firma', async () => {
  const tenant = await product.createTenant()
  const { id } = await vaultWith(tenant, 60)
  assert.deepEqual(await tellOn(-1), { told: 0, over: 0 })
  assert.deepEqual(await mails(tenant), [])
  for (const day of [0, 0, 1, 15, 29, 30, 45, 46, 55, 56, 59, 60, 61, 62, 150]) await tellOn(day)
  assert.deepEqual(await mails(tenant), [60, 30, 15, 5, 1, 0])
  const [alerta, ...others] = await alertas(tenant)
  assert.deepEqual(others, [])
  assert.deepEqual([alerta?.clave, alerta?.severidad, alerta?.resuelta_en], [`FIEL_VENCE:${id}`, 'critica', null])
  // Others go to the same person meanwhile, and none waits for another.
  await until('a mail about the e.firma', async () => {
    const list = await fetch(`${product.mailboxUrl}/api/correos?para=${encodeURIComponent(tenant.admin.email)}`)
    const { datos } = (await list.json()) as { datos: { asunto: string }[] }
    return datos.some(({ asunto }) => /e\.firma/.test(asunto)) ? true : undefined
  })

  await over(id)
  await vaultWith(tenant, 1_400)
  assert.deepEqual(await tellOn(151), { told: 0, over: 1 })
  assert.ok((await alertas(tenant))[0]?.resuelta_en)
  assert.deepEqual(await tellOn(152), { told: 0, over: 0 })
})

test('a worker that was off for weeks tells only the newest, and every admin', async () => {
  const tenant = await product.createTenant()
  const other = await tenant.member('admin')
  await tenant.member('contador')
  await vaultWith(tenant, 40)
  await tellOn(0)
  assert.deepEqual(await mails(tenant), [60, 60])
  await tellOn(36)
  assert.deepEqual(await mails(tenant), [60, 60, 5, 5])
  assert.ok(other.token)
})

test('twice at once tells once', async () => {
  const tenant = await product.createTenant()
  await vaultWith(tenant, 5)
  await Promise.all([tellOn(0), tellOn(0), tellOn(0)])
  assert.deepEqual(await mails(tenant), [5])
  assert.equal((await alertas(tenant)).length, 1)
})

test('a company that cannot be entered is told later, and the next one now', async () => {
  const [suspended, broken, healthy] = [
    await product.createTenant(),
    await product.createTenant(),
    await product.createTenant(),
  ]
  for (const tenant of [suspended, broken, healthy]) await vaultWith(tenant, 15)
  const { tenants, central } = product.deps
  await product.staff.send('PATCH', `/api/tenants/${suspended.id}`, {
    body: { suspendida: true, motivo: 'Por prueba' },
  })
  const place = (database: string, tenantId: string) =>
    central.updateTable('tenant_databases').set({ database_name: database }).where('tenant_id', '=', tenantId).execute()
  const { database_name: own } = await central
    .selectFrom('tenant_databases')
    .select('database_name')
    .where('tenant_id', '=', broken.id)
    .executeTakeFirstOrThrow()
  await place('horux_no_existe', broken.id)
  tenants.forget(broken.id)
  await tellOn(0)
  assert.deepEqual([await mails(broken), await mails(healthy)], [[], [15]])
  assert.equal((await alertas(healthy)).length, 1)

  await place(own, broken.id)
  tenants.forget(broken.id)
  await tellOn(0)
  assert.deepEqual([await mails(broken), await mails(healthy)], [[15], [15]])
  assert.equal((await alertas(broken)).length, 1)
})

test('interrupted between the alert and what it remembers, it tells the same again and mails once', async () => {
  const tenant = await product.createTenant()
  const { id } = await vaultWith(tenant, 30)
  const dying = {
    enqueue: () => Promise.reject(new Error('the plug was pulled')),
  }
  await tellOn(0, { queue: dying })
  assert.equal((await alertas(tenant)).length, 1)
  assert.deepEqual(await mails(tenant), [])
  // Replaced before the next sweep: the alert of the old one is over all the same.
  await over(id)
  const { id: second } = await vaultWith(tenant, 30)
  await tellOn(0)
  const told = await alertas(tenant)
  assert.deepEqual(
    told.map(({ clave, resuelta_en }) => [clave, resuelta_en !== null]),
    [
      [`FIEL_VENCE:${id}`, true],
      [`FIEL_VENCE:${second}`, false],
    ],
  )
  assert.deepEqual(await mails(tenant), [30])
})

test('the sweep does each of its parts whatever becomes of the others', async () => {
  const tenant = await product.createTenant()
  const { id } = await vaultWith(tenant, 1)
  const { config } = product.deps
  const unreadable = { ...config, fielRuntimePath: '/proc/self/mem' }
  const sweeping = sweepVault({ ...product.deps, config: unreadable }, quiet)
  await assert.rejects(sweeping, AggregateError)
  assert.deepEqual(await mails(tenant), [1])
  const row = await product.deps.central
    .selectFrom('fiel_credentials')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  assert.notEqual(row.expiry_told_on, null)
})
