import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type EfirmaFiles, makeEfirma } from '../../test/support/efirmas.ts'
import { fielForm } from '../../test/support/fiel-form.ts'
import { PASSWORD, type Product, randomRfc, startProduct, type Tenant } from '../../test/support/product.ts'
import { until } from '../../test/support/until.ts'
import { insertCompanies, sealEfirma } from '../../test/support/vault.ts'
import { openEnvelope } from '../crypto/envelope.ts'
import { findBehindFiles } from './operation-queries.ts'
import { sweepVault } from './sweep-vault.ts'
import { FILES, folderOfFiel, writeFolder } from './vault-folder.ts'
import { writeFielFiles } from './write-files.ts'

let product: Product
const ends: (() => Promise<void>)[] = []
before(async () => {
  product = await startProduct({ after: (end) => void ends.push(end) })
})
after(async () => {
  for (const end of ends) await end()
})

const formOfEfirma = ({ cer, key }: EfirmaFiles) => fielForm({ certificado: cer, llave: key })
const upload = async (tenant: Tenant, efirma: EfirmaFiles) => {
  const answer = await tenant.send('POST', '/api/fiel', formOfEfirma(efirma))
  assert.equal(answer.statusCode, 201, answer.body)
}
const rowsOf = (tenantId: string) =>
  product.deps.central
    .selectFrom('fiel_credentials')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
async function folderOf(tenantId: string): Promise<string> {
  const { central, config } = product.deps
  const tenant = await central
    .selectFrom('tenants')
    .select(['rfc', 'number'])
    .where('id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return folderOfFiel(config.fielStoragePath, tenant)
}
const written = (tenantId: string) =>
  until(async () => {
    const rows = await rowsOf(tenantId)
    return rows.every((row) => row.files_version === (row.ended_at ? -1 : row.version))
  }, 20_000)
const mode = (file: string) => statSync(file).mode & 0o777

/** What the sealed metadata of a folder says, and whether its other files are the row's very bytes. */
async function assertShows(folder: string, tenantId: string): Promise<{ serie: string }> {
  const row = (await rowsOf(tenantId)).find(({ ended_at }) => ended_at === null)
  assert.ok(row)
  assert.deepEqual(readdirSync(folder).sort(), [...FILES].sort())
  const read = (name: (typeof FILES)[number]) => readFileSync(path.join(folder, name))
  for (const [name, column] of [
    ['certificate.cer.enc', row.certificate],
    ['private_key.key.enc', row.private_key],
    ['password.enc', row.password],
  ] as const)
    assert.ok(column && read(name).equals(Buffer.from(column)), name)
  const context = { purpose: 'fiel', tenantId, recordId: row.id, component: 'metadata' }
  const metadata = JSON.parse(
    openEnvelope(product.deps.config.fielKeys, read('metadata.json.enc'), context).toString('utf8'),
  )
  assert.deepEqual([metadata.credencial, metadata.version, metadata.rfc], [row.id, row.version, row.rfc])
  return metadata
}

const deedsIn = (tenant: Tenant) =>
  tenant.db(async (db) => {
    const rows = await db
      .selectFrom('auditoria')
      .selectAll()
      .where('accion', 'like', 'fiel.%')
      .orderBy('ocurrio_en')
      .orderBy('id')
      .execute()
    return rows.map(({ accion, usuario_email, detalle }) => [
      accion,
      usuario_email,
      (detalle as { serie: string }).serie,
    ])
  })

test('the worker writes what was uploaded, replaces it and takes it away, and the company reads of it', async () => {
  const tenant = await product.createTenant()
  const folder = await folderOf(tenant.id)
  assert.match(path.basename(folder), new RegExp(`^${tenant.rfc.toLowerCase()}-\\d+$`))
  const [first, second] = [makeEfirma({ rfc: tenant.rfc }), makeEfirma({ rfc: tenant.rfc })]
  await upload(tenant, first)
  await written(tenant.id)
  assert.equal((await assertShows(folder, tenant.id)).serie, first.serial)
  assert.equal(mode(folder), 0o700)
  assert.equal(mode(path.dirname(folder)), 0o700)
  for (const name of FILES) assert.equal(mode(path.join(folder, name)), 0o600)
  for (const name of FILES)
    for (const secret of [first.password, first.rfc, first.cer.subarray(100, 116), first.key.subarray(100, 116)])
      assert.ok(!readFileSync(path.join(folder, name)).includes(secret))

  await upload(tenant, second)
  await written(tenant.id)
  assert.equal((await assertShows(folder, tenant.id)).serie, second.serial)
  const gone = await tenant.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(gone.statusCode, 204)
  await written(tenant.id)
  assert.ok(!existsSync(folder))
  assert.deepEqual(
    (await deedsIn(tenant)).toSorted(),
    [
      ['fiel.subida', tenant.admin.email, first.serial],
      ['fiel.reemplazada', tenant.admin.email, first.serial],
      ['fiel.subida', tenant.admin.email, second.serial],
      ['fiel.eliminada', tenant.admin.email, second.serial],
    ].toSorted(),
  )
  // And once more for everybody, as a sweep that came late would.
  for (const { id } of await rowsOf(tenant.id)) assert.equal(await writeFielFiles(product.deps, id), 'removed')
  assert.equal((await deedsIn(tenant)).length, 4)
})

test('ñ and & have their letters in the name of the folder', () => {
  assert.equal(folderOfFiel('/x', { rfc: 'OÑO120726RX3', number: '7' }), '/x/o_no120726rx3-7')
  assert.equal(folderOfFiel('/x', { rfc: 'H&E951128469', number: '8' }), '/x/h_ye951128469-8')
})

test('a job that comes late, or many at once, leave the newest', async () => {
  const { central, config } = product.deps
  const rfc = randomRfc()
  const [tenantId = ''] = await insertCompanies(central, [rfc])
  const old = await sealEfirma(central, config.fielKeys, makeEfirma({ rfc }), { tenantId })
  await writeFielFiles(product.deps, old)
  const sealed = { certificate: null, private_key: null, password: null, kid: null }
  const end = { ended_at: new Date(), ended_how: 'replaced' as const, ...sealed }
  await central.updateTable('fiel_credentials').set(end).where('id', '=', old).execute()
  const efirma = makeEfirma({ rfc })
  const id = await sealEfirma(central, config.fielKeys, efirma, { tenantId })
  await Promise.all(Array.from({ length: 10 }, (_, i) => writeFielFiles(product.deps, i % 2 ? old : id)))
  assert.equal((await assertShows(await folderOf(tenantId), tenantId)).serie, efirma.serial)
  await written(tenantId)
  assert.equal(await writeFielFiles(product.deps, '019adb4e-0000-7000-8000-000000000000'), 'unknown')
})

test('what a dead writer left is taken away, and a folder that was opened to others is closed', async () => {
  const { central, config } = product.deps
  const rfc = randomRfc()
  const [tenantId = ''] = await insertCompanies(central, [rfc])
  const id = await sealEfirma(central, config.fielKeys, makeEfirma({ rfc }), { tenantId })
  const folder = await folderOf(tenantId)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  writeFileSync(path.join(folder, 'password.enc.3f.tmp'), 'half')
  await writeFielFiles(product.deps, id)
  await assertShows(folder, tenantId)
  assert.equal(mode(folder), 0o700)
})

test('a try that fails leaves no more files than there were', async (t) => {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'horux-a-medias-')), 'carpeta')
  t.after(() => rmSync(path.dirname(folder), { recursive: true }))
  mkdirSync(path.join(folder, 'password.enc', 'estorbo'), { recursive: true })
  const bytes = Buffer.from('x')
  const files = {
    'certificate.cer.enc': bytes,
    'private_key.key.enc': bytes,
    'password.enc': bytes,
    'metadata.json.enc': bytes,
  }
  for (let i = 0; i < 3; i++) await assert.rejects(writeFolder(folder, files))
  assert.deepEqual(readdirSync(folder).sort(), ['certificate.cer.enc', 'password.enc', 'private_key.key.enc'])
})

test('a change after the files were written is behind again, until its own job', async () => {
  const { central, config } = product.deps
  const rfc = randomRfc()
  const [tenantId = ''] = await insertCompanies(central, [rfc])
  const id = await sealEfirma(central, config.fielKeys, makeEfirma({ rfc }), { tenantId })
  const isBehind = async () => (await findBehindFiles(central, 500)).includes(id)
  assert.equal(await isBehind(), true)
  await writeFielFiles(product.deps, id)
  assert.equal(await isBehind(), false)
  await central.updateTable('fiel_credentials').set({ version: 2 }).where('id', '=', id).execute()
  assert.equal(await isBehind(), true)
  await writeFielFiles(product.deps, id)
  assert.equal(await isBehind(), false)
  await assertShows(await folderOf(tenantId), tenantId)
})

test('what a suspended company takes back is gone at once, and in its log when it is back', async () => {
  const company = await product.createTenant()
  const answer = await company.send('POST', '/api/fiel', formOfEfirma(makeEfirma({ rfc: company.rfc })))
  assert.equal(answer.statusCode, 201, answer.body)
  const folder = await folderOf(company.id)
  await until(() => existsSync(folder))
  const { staff, deps } = product
  const suspend = (body: object) => staff.send('PATCH', `/api/tenants/${company.id}`, { body })
  assert.equal((await suspend({ suspendida: true, motivo: 'Lo pidió el juez' })).statusCode, 200)
  const gone = await company.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(gone.statusCode, 204, gone.body)
  await until(() => !existsSync(folder))

  const back = () => suspend({ suspendida: false })
  await until(async () => (await back()).statusCode === 200)
  const deeds = () =>
    company.db((db) => db.selectFrom('auditoria').select('accion').where('accion', 'like', 'fiel.%').execute())
  await until(async () => {
    await sweepVault(deps, deps.log)
    return (await deeds().catch(() => [])).length === 2
  }, 30_000)
  assert.deepEqual((await deeds()).map(({ accion }) => accion).sort(), ['fiel.eliminada', 'fiel.subida'])
  await until(async () => (await rowsOf(company.id))[0]?.files_version === -1)
})

test('of a company that was purged nothing is kept; of one that could be restored everything', async () => {
  const { central, config, log } = product.deps
  const [purged, kept] = [randomRfc(), randomRfc()]
  const [gone = '', back = ''] = await insertCompanies(central, [purged, kept])
  for (const [tenantId, rfc] of [
    [gone, purged],
    [back, kept],
  ] as const)
    await writeFielFiles(product.deps, await sealEfirma(central, config.fielKeys, makeEfirma({ rfc }), { tenantId }))
  const folders = [await folderOf(gone), await folderOf(back)]
  await central.updateTable('tenants').set({ deleted_at: new Date() }).where('id', '=', gone).execute()
  await sweepVault(product.deps, log)
  await until(() => folders.map((folder) => existsSync(folder)).join() === 'false,true')
  const [row] = await rowsOf(gone)
  assert.deepEqual([row?.private_key, row?.ended_how, row?.ended_by], [null, 'deleted', null])
  assert.equal((await rowsOf(back))[0]?.ended_at, null)
})
