import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { envelopeKid } from '../../src/crypto/envelope.ts'
import { type OwnerConnection, openAs } from '../../src/db/client.ts'
import { useFiel } from '../../src/fiel/open-fiel.ts'
import { FILES, folderOfFiel } from '../../src/fiel/vault-folder.ts'
import { writeFielFiles } from '../../src/fiel/write-files.ts'
import { type EfirmaFiles, makeEfirma } from '../support/efirmas.ts'
import { fielForm } from '../support/fiel-form.ts'
import { PASSWORD, type Product, startProduct, type Tenant } from '../support/product.ts'
import { until } from '../support/until.ts'
import { outliveTheDead, workUntilCrash } from '../support/worker-child.ts'

let product: Product
let tenant: Tenant
let owner: OwnerConnection
let env: Record<string, string>
let folder: string
/** Takes a quarter of a second to make. */
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const endings: (() => Promise<void>)[] = []

before(async () => {
  product = await startProduct({ after: (end) => void endings.push(end) })
  tenant = await product.createTenant()
  await product.worker.stop()
  owner = await openAs(product.centralOwnerUrl)
  endings.push(() => owner.end())
  env = { ...product.env, WORKER_METRICS_PORT: '0', LOG_LEVEL: 'silent' }
  const query = product.deps.central.selectFrom('tenants').select(['rfc', 'number']).where('id', '=', tenant.id)
  folder = folderOfFiel(product.deps.config.fielStoragePath, await query.executeTakeFirstOrThrow())
})
after(async () => {
  for (const end of endings.toReversed()) await end()
})

const rows = () =>
  product.deps.central.selectFrom('fiel_credentials').selectAll().where('tenant_id', '=', tenant.id).execute()
const living = async () => (await rows()).find(({ ended_at }) => ended_at === null)
const serialInUse = () => useFiel(product.deps, tenant.id, async ({ certificado }) => certificado.serial)

/** Does one thing in a process of its own, which dies of it at `point`. */
async function dieOf(point: string, ...deed: string[]): Promise<void> {
  const { PATH = '', TZ = 'America/Mexico_City' } = process.env
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../support/fiel-child.ts'), ...deed], {
    env: { PATH, TZ, ...product.env, HORUX_CRASH_AT: point },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL', point)
}

const isUpToDate = async () =>
  (await rows()).every((row) => row.files_version === (row.ended_at ? -1 : row.version)) || undefined

async function upload(efirma: EfirmaFiles): Promise<void> {
  const answer = await tenant.send('POST', '/api/fiel', fielForm({ certificado: efirma.cer, llave: efirma.key }))
  assert.equal(answer.statusCode, 201, answer.body)
}

/** Old or new, each is whole: an envelope from its first byte to its last. */
function assertFilesAreWhole(): void {
  for (const name of existsSync(folder) ? readdirSync(folder).filter((one) => one.endsWith('.enc')) : [])
    assert.match(envelopeKid(readFileSync(path.join(folder, name))), /^f1$/)
}

async function assertNotedOnce(serial: string): Promise<void> {
  const noted = await tenant.db((db) =>
    db.selectFrom('auditoria').select('detalle').where('accion', '=', 'fiel.subida').execute(),
  )
  assert.equal(noted.filter(({ detalle }) => (detalle as { serie: string }).serie === serial).length, 1)
}

async function assertFilesAreTheRows(): Promise<void> {
  const row = await living()
  assert.deepEqual(readdirSync(folder).sort(), [...FILES].sort())
  const read = (name: string) => readFileSync(path.join(folder, name))
  assert.ok(row?.certificate && read('certificate.cer.enc').equals(Buffer.from(row.certificate)))
  assert.ok(row.private_key && read('private_key.key.enc').equals(Buffer.from(row.private_key)))
  assert.ok(row.password && read('password.enc').equals(Buffer.from(row.password)))
}

for (const point of ['fiel.files.temporary', 'fiel.files.password.enc', 'fiel.files.noted'])
  test(`whoever dies at ${point} leaves whole files, and the next one makes them those of the row`, async () => {
    const efirma = makeEfirma({ rfc: tenant.rfc, privateKey })
    await upload(efirma)
    const { id = '' } = (await living()) ?? {}
    await dieOf(point, 'files', id)
    assertFilesAreWhole()
    assert.equal(await serialInUse(), efirma.serial)
    assert.ok(!(await isUpToDate()), 'the work is still there to be found')
    assert.equal(await writeFielFiles(product.deps, id), 'written')
    await assertFilesAreTheRows()
    await assertNotedOnce(efirma.serial)
    assert.ok(await isUpToDate())
  })

test('whoever dies while an e.firma is taken away leaves it to the next one', async () => {
  const { id = '' } = (await living()) ?? {}
  const gone = await tenant.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(gone.statusCode, 204, gone.body)
  await dieOf('fiel.files.written', 'files', id)
  assert.ok(!(await isUpToDate()), 'the work is still there to be found')
  assert.equal(await writeFielFiles(product.deps, id), 'removed')
  assert.ok(!existsSync(folder))
  assert.ok(await isUpToDate())
})

test('whoever dies anywhere in an upload has taken it whole or not at all', async (t) => {
  const { id: userId } = await product.deps.central
    .selectFrom('users')
    .select('id')
    .where('email', '=', tenant.admin.email)
    .executeTakeFirstOrThrow()
  const parts = mkdtempSync(path.join(tmpdir(), 'horux-kill-fiel-'))
  t.after(() => rmSync(parts, { recursive: true }))
  let before: string | undefined
  for (const [point, taken] of [
    ['fiel.store.sealed', false],
    ['fiel.store.written', false],
    ['fiel.store.committed', true],
  ] as const) {
    const efirma = makeEfirma({ rfc: tenant.rfc, privateKey })
    writeFileSync(path.join(parts, 'cert.cer'), efirma.cer)
    writeFileSync(path.join(parts, 'key.key'), efirma.key)
    writeFileSync(path.join(parts, 'password.txt'), efirma.password)
    await dieOf(point, 'store', tenant.id, tenant.rfc, userId, tenant.admin.email, parts)
    assert.equal((await living())?.serial, taken ? efirma.serial : before, point)
    // The person tries again.
    await upload(efirma)
    assert.equal(await serialInUse(), efirma.serial, point)
    before = efirma.serial
  }
})

test('a worker that dies over the files of an e.firma is followed by one that finds the job again', async () => {
  const efirma = makeEfirma({ rfc: tenant.rfc, privateKey })
  await upload(efirma)
  await workUntilCrash({ env }, 'fiel.files.written')
  assertFilesAreWhole()
  await outliveTheDead({ owner })
  await product.worker.start()
  await until(isUpToDate)
  // A job that came twice may still be writing the same files again.
  await product.worker.stop()
  await assertFilesAreTheRows()
  await assertNotedOnce(efirma.serial)
})
