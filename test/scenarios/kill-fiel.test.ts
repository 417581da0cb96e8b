import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { envelopeKid } from '../../src/crypto/envelope.ts'
import { type OwnerConnection, openAs } from '../../src/db/client.ts'
import { useFiel } from '../../src/fiel/open-fiel.ts'
import { FILES, folderOfFiel } from '../../src/fiel/vault-folder.ts'
import { type EfirmaFiles, makeEfirma } from '../support/efirmas.ts'
import { fielForm } from '../support/fiel-form.ts'
import { PASSWORD, type Product, startProduct, type Tenant } from '../support/product.ts'
import { until } from '../support/until.ts'
import { outliveTheDead, spawnWorker, workUntilCrash } from '../support/worker-child.ts'

let product: Product
let tenant: Tenant
let owner: OwnerConnection
let env: Record<string, string>
let folder: string
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

const formOf = ({ cer, key }: EfirmaFiles) => fielForm({ certificado: cer, llave: key })
const rows = () =>
  product.deps.central.selectFrom('fiel_credentials').selectAll().where('tenant_id', '=', tenant.id).execute()
const living = async () => (await rows()).find(({ ended_at }) => ended_at === null)
const serialInUse = () => useFiel(product.deps, tenant.id, async ({ certificado }) => certificado.serial)

/** A worker that nothing happens to does what is left. */
async function finish(): Promise<void> {
  await outliveTheDead({ owner })
  const child = spawnWorker({ env })
  try {
    await until(
      async () => (await rows()).every((row) => row.files_version === (row.ended_at ? -1 : row.version)),
      60_000,
    )
  } finally {
    // Not killed: a job that came twice may still be writing the same files again.
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
}

async function assertFilesAreTheRows(): Promise<void> {
  const row = await living()
  assert.deepEqual(readdirSync(folder).sort(), [...FILES].sort())
  const read = (name: string) => readFileSync(path.join(folder, name))
  assert.ok(row?.certificate && read('certificate.cer.enc').equals(Buffer.from(row.certificate)))
  assert.ok(row.private_key && read('private_key.key.enc').equals(Buffer.from(row.private_key)))
  assert.ok(row.password && read('password.enc').equals(Buffer.from(row.password)))
}

for (const point of ['fiel.files.temporary', 'fiel.files.password.enc', 'fiel.files.written', 'fiel.files.noted'])
  test(`a worker that dies at ${point} leaves whole files, and the next one makes them those of the row`, async () => {
    const efirma = makeEfirma({ rfc: tenant.rfc })
    const answer = await tenant.send('POST', '/api/fiel', formOf(efirma))
    assert.equal(answer.statusCode, 201, answer.body)
    await workUntilCrash({ env }, point)
    // Old or new, each is whole: an envelope from its first byte to its last.
    for (const name of existsSync(folder) ? readdirSync(folder).filter((one) => one.endsWith('.enc')) : [])
      assert.match(envelopeKid(readFileSync(path.join(folder, name))), /^f1$/)
    assert.equal(await serialInUse(), efirma.serial)
    await finish()
    await assertFilesAreTheRows()
    const noted = await tenant.db((db) =>
      db.selectFrom('auditoria').select('detalle').where('accion', '=', 'fiel.subida').execute(),
    )
    assert.equal(noted.filter(({ detalle }) => (detalle as { serie: string }).serie === efirma.serial).length, 1)
  })

test('a worker that dies while it takes an e.firma away leaves it to the next one', async () => {
  const gone = await tenant.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })
  assert.equal(gone.statusCode, 204, gone.body)
  await workUntilCrash({ env }, 'fiel.files.written')
  await finish()
  assert.ok(!existsSync(folder))
})

test('an API that dies anywhere in an upload has taken it whole or not at all', async () => {
  let before: string | undefined
  for (const [point, taken] of [
    ['fiel.store.sealed', false],
    ['fiel.store.written', false],
    ['fiel.store.committed', true],
  ] as const) {
    const efirma = makeEfirma({ rfc: tenant.rfc })
    await uploadToDying(efirma, point)
    assert.equal((await living())?.serial, taken ? efirma.serial : before, point)
    // The person tries again.
    const answer = await tenant.send('POST', '/api/fiel', formOf(efirma))
    assert.equal(answer.statusCode, 201, answer.body)
    assert.equal(await serialInUse(), efirma.serial, point)
    before = efirma.serial
  }
  await finish()
  await assertFilesAreTheRows()
})

/** Sends an e.firma to an API process that dies of it at `point`. */
async function uploadToDying(efirma: EfirmaFiles, point: string): Promise<void> {
  const [api, metrics] = [await anyFreePort(), await anyFreePort()]
  const { PATH = '', TZ = 'America/Mexico_City' } = process.env
  const own = { HORUX_CRASH_AT: point, API_PORT: `${api}`, METRICS_PORT: `${metrics}` }
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../../src/server.ts')], {
    env: { PATH, TZ, ...product.env, ...own },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  try {
    const ready = () =>
      fetch(`http://127.0.0.1:${api}/api/ready`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      )
    await until(ready, 60_000)
    const { body, headers } = formOf(efirma)
    const told = await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${api}/api/fiel`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { ...headers, authorization: `Bearer ${tenant.token}` },
      }).then(
        async (sent) => `${sent.status} ${await sent.text()}`,
        () => 'nobody answered',
      )
      // A process that has just begun on a busy machine sends whom it can away.
      return answer.includes('sobrecarga') ? undefined : answer
    }, 30_000)
    assert.equal(told, 'nobody answered')
    const [, signal] = await exited
    assert.equal(signal, 'SIGKILL')
  } finally {
    child.kill('SIGKILL')
  }
}
