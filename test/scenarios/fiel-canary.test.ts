import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import pg from 'pg'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { useFiel } from '../../src/fiel/open-fiel.ts'
import { COMPONENTS } from '../../src/fiel/operation-queries.ts'
import { type EfirmaFiles, makeEfirma } from '../support/efirmas.ts'
import { fielForm } from '../support/fiel-form.ts'
import { foundBelow, foundIn, foundInMemory, type Needles, needlesOf, revealingPieces } from '../support/needles.ts'
import { PASSWORD, type Product, startProduct, type Tenant } from '../support/product.ts'
import { until } from '../support/until.ts'
import { horux } from '../support/vault.ts'

/** Nobody else has it, in no letter of it. */
const CANARY = `canário-${randomBytes(9).toString('hex')}-ñ`
const key = (kid: string) => `${kid}:${randomBytes(32).toString('base64')}`

test('the life of an e.firma, with everything that may go wrong in it, leaves nothing of it anywhere', async (t) => {
  const home = folderFor(t)
  const runtime = path.join(home, 'abierta')
  const [before, after] = [key('antes'), key('despues')]
  const env = { FIEL_RUNTIME_PATH: runtime, FIEL_ENCRYPTION_KEY: `${before},${after}` }
  const product = await startProduct(t, { env, logLevel: 'trace' })
  const { central, config, clock, log } = product.deps
  const tenant = await product.createTenant()
  const visor = await tenant.member('visor')
  const efirma = makeEfirma({ rfc: tenant.rfc, password: CANARY })
  const needles = needlesOf(efirma)
  const parts = { certificado: efirma.cer, llave: efirma.key, contrasena: CANARY }
  const said: string[] = []
  const upload = async (expected: number, form = fielForm(parts), who: Pick<Tenant, 'send'> = tenant) => {
    const answer = await who.send('POST', '/api/fiel', {
      ...form,
      headers: { ...form.headers, 'idempotency-key': randomBytes(8).toString('hex') },
    })
    assert.equal(answer.statusCode, expected, answer.body)
    said.push(answer.body)
  }

  // Whatever is refused has been read all the same.
  await upload(422, fielForm({ ...parts, contrasena: `${CANARY}x` }))
  await upload(422, fielForm({ ...parts, certificado: efirma.key, llave: efirma.cer }))
  await upload(422, fielForm({ ...parts, llave: efirma.key.subarray(0, 900) }))
  await upload(422, fielForm({ ...parts, llave: efirma.pkcs8 }))
  await upload(422, fielForm({ ...parts, certificado: makeEfirma({ rfc: 'EKU9003173C9' }).cer }))
  await upload(422, fielForm({ ...parts, passwordActual: `${CANARY}` }))
  await upload(413, fielForm({ ...parts, llave: Buffer.concat([efirma.key, efirma.pkcs8, Buffer.alloc(30_000)]) }))
  await upload(403, fielForm(parts), visor)
  await upload(401, fielForm(parts), product.anonymous)
  const { body, headers } = fielForm(parts)
  await upload(400, { body: body.subarray(0, -40), headers })
  await upload(400, { body, headers: { 'content-type': 'multipart/form-data; boundary=otro' } })
  for (const type of ['application/json', 'application/xml', 'text/plain']) {
    const answer = await tenant.send('POST', '/api/fiel', { body, headers: { 'content-type': type } })
    assert.ok([400, 415].includes(answer.statusCode), `${type}: ${answer.statusCode}`)
    said.push(answer.body)
  }
  const asJson = await tenant.send('POST', '/api/fiel', {
    body: { contrasena: CANARY, llave: efirma.key.toString('base64') },
  })
  assert.ok([400, 415].includes(asJson.statusCode))
  said.push(asJson.body)

  // It is taken, and the worker cannot write its files at first.
  mkdirSync(path.dirname(config.fielStoragePath), { recursive: true })
  rmSync(config.fielStoragePath, { recursive: true, force: true })
  writeFileSync(config.fielStoragePath, 'a file where there should be a folder')
  await upload(201)
  await until(() => product.log.some((line) => line.includes('"fiel.files"') && line.includes('job failed')))
  rmSync(config.fielStoragePath)
  const row = () =>
    central.selectFrom('fiel_credentials').selectAll().where('tenant_id', '=', tenant.id).executeTakeFirstOrThrow()
  const written = async () => (await row()).files_version === (await row()).version
  await until(written)

  // It is used, by what works and by what fails; and it is found damaged.
  const use = (work: () => Promise<void>) => useFiel({ central, config, clock }, tenant.id, work)
  await useFiel({ central, config, clock }, tenant.id, async ({ firmar, ...shown }) => {
    log.info({ shown, efirma: { firmar, ...shown } }, 'signing')
    said.push(firmar(Buffer.from('x')).toString('base64'))
  })
  const failing = await use(() => Promise.reject(new Error('the SAT closed the door'))).catch((err: unknown) => err)
  log.error({ err: failing }, 'failed with an open e.firma')
  const { password, private_key } = await row()
  const put = (sealed: Uint8Array | null) =>
    central.updateTable('fiel_credentials').set({ password: sealed }).where('tenant_id', '=', tenant.id).execute()
  await put(private_key)
  const damaged = await use(async () => undefined).catch((err: unknown) => err)
  assert.equal((damaged as { code?: string }).code, 'fiel.danada')
  log.error({ err: damaged, row: await row() }, 'damaged')
  await put(password)

  // Its key is turned, and it is opened by hand.
  const cli = async (args: string[], expected: number, more: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await horux(product, args, { LOG_LEVEL: 'trace', ...more })
    assert.equal(code, expected, stderr)
    said.push(stdout, stderr)
    return stdout
  }
  await cli(['keys', 'rotate', '--yes', '--json'], 0, { FIEL_ENCRYPTION_KEY: `${after},${before}` })
  assert.equal((await row()).kid, 'despues')
  await until(written)
  await cli(['keys', 'status', '--json'], 0)
  const decrypt = ['fiel', 'decrypt', '--rfc', tenant.rfc, '--motivo', 'Ver que nada se escapa', '--json']
  const onDisk = existsSync('/dev/shm') ? [] : ['--sin-tmpfs']
  await cli([...decrypt, ...onDisk], 1, { FIEL_ENCRYPTION_KEY: before })
  const { carpeta } = JSON.parse(await cli([...decrypt, ...onDisk], 0))
  await cli([...decrypt, ...onDisk], 1)
  await cli(['fiel', 'list', '--json'], 0)

  const everywhere = async () => ({
    'what was answered': foundIn(said.join('\n'), needles),
    'the log': foundIn(product.log.join('\n'), needles),
    'the environment': foundIn(JSON.stringify(process.env), needles),
    'the central database': await foundInDatabase(product.centralOwnerUrl, product, needles),
    'the database of the company': await foundInDatabase(await tenantUrl(product, tenant), product, needles),
    'the files of the server': foundBelow(await dataDirectory(product), needles),
    'the folder of the product': foundBelow(path.dirname(config.filesPath), needles),
  })
  const nowhere = {
    'what was answered': [],
    'the log': [],
    'the environment': [],
    'the central database': [],
    'the database of the company': [],
    'the files of the server': [],
    'the folder of the product': [],
  }
  assert.ok(foundBelow(carpeta, needles).some((hit) => /password\.txt: password as bytes/.test(hit)))
  assert.ok(foundBelow(carpeta, needles).some((hit) => /private_key\.key: \.key at 600 as bytes/.test(hit)))
  assert.deepEqual(await everywhere(), nowhere)
  // The same look finds what is no secret.
  const shown = new Map([['serial', Buffer.from(efirma.serial)]])
  assert.notDeepEqual(await foundInDatabase(product.centralOwnerUrl, product, shown), [])
  assert.notDeepEqual(foundBelow(await dataDirectory(product), shown), [])
  assert.notDeepEqual(foundBelow(path.dirname(config.filesPath), shown), [], 'the mailbox has it')

  await cli(['fiel', 'borrar', '--rfc', tenant.rfc], 0)
  assert.deepEqual(foundBelow(home, needles), [])
  const remove = (passwordActual: string) => tenant.send('DELETE', '/api/fiel', { body: { passwordActual } })
  said.push((await remove(CANARY)).body)
  assert.equal((await remove(PASSWORD)).statusCode, 204)
  await until(async () => (await row()).files_version === -1)
  for (const component of COMPONENTS) assert.equal((await row())[component], null)
  assert.deepEqual(readdirSync(config.fielStoragePath), [])
  assert.deepEqual(await everywhere(), nowhere)
  assert.ok(
    product.log.some((line) => line.includes('"fiel.contrasena_incorrecta"')),
    'the log is being written',
  )
})

test('nothing of it stays in the heap of an API that took it, nor in the memory of a process that signed with it', async (t) => {
  const product = await startProduct(t, { env: { RATE_LIMIT_PER_MINUTE: '0' } })
  const tenant = await product.createTenant()
  const efirma = makeEfirma({ rfc: tenant.rfc, password: CANARY })
  const needles = needlesOf(efirma)
  const home = folderFor(t)

  const port = await anyFreePort()
  const api = spawnNode(t, product, {
    flags: ['--heapsnapshot-signal=SIGUSR2', `--diagnostic-dir=${home}`],
    args: ['src/server.ts'],
    env: { API_PORT: String(port), METRICS_PORT: String(await anyFreePort()), LOG_LEVEL: 'silent' },
  })
  const url = `http://127.0.0.1:${port}/api`
  await until(
    () =>
      fetch(`${url}/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    60_000,
  )
  await uploadTo(url, tenant, efirma, `${CANARY}x`, 422)
  await uploadTo(url, tenant, efirma, CANARY, 201)
  api.kill('SIGUSR2')
  const snapshot = await until(() => readdirSync(home).find((name) => name.endsWith('.heapsnapshot')))
  const heap = await until(() => {
    const bytes = readFileSync(path.join(home, snapshot))
    return bytes.length > 1_000_000 && bytes.subarray(-100).toString().trimEnd().endsWith('}') ? bytes : undefined
  }, 60_000)
  assert.ok(heap.includes('fiel_credentials'), 'the snapshot has the strings of the process')
  assert.deepEqual(foundIn(heap, needles), [])

  const user = spawnNode(t, product, { flags: ['--expose-gc'], args: ['test/support/use-fiel-child.ts', tenant.id] })
  const [used] = await once(user.stdout as NodeJS.ReadableStream, 'data')
  assert.equal(String(used), 'used\n')
  // What OpenSSL read the encrypted .key from is freed as it is. Without the password, which is wiped, it opens nothing.
  const secret = new Map(
    [...needles].filter(([name]) => !name.startsWith('.key') && !/^key at \d+ as bytes/.test(name)),
  )
  for (const [name, piece] of revealingPieces(efirma)) secret.set(name, piece)
  const inMemory = foundInMemory(user.pid as number, secret)
  if (inMemory === undefined) t.diagnostic('this machine does not let a test read the memory of another process')
  else assert.deepEqual(inMemory, [])
  // The same look finds what is there: this process knows the password.
  assert.ok(inMemory === undefined || foundInMemory(process.pid, needles)?.includes('password as bytes'))
  assert.equal(foundIn(Buffer.concat([Buffer.alloc(3), efirma.pkcs8.subarray(401, 473)]), secret).length, 1)
})

async function uploadTo(url: string, tenant: Tenant, efirma: EfirmaFiles, contrasena: string, expected: number) {
  const { body, headers } = fielForm({ certificado: efirma.cer, llave: efirma.key, contrasena })
  const authorization = `Bearer ${tenant.token}`
  // A process that has just begun on a busy machine sends away whom it can.
  const answer = await until(async () => {
    const sent = await fetch(`${url}/fiel`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { ...headers, authorization },
    })
    return sent.status === 503 ? undefined : sent
  }, 30_000)
  assert.equal(answer.status, expected, await answer.text())
}

interface Spawned {
  flags: string[]
  args: string[]
  env?: Record<string, string>
}

function spawnNode(t: TestContext, product: Product, { flags, args, env = {} }: Spawned): ChildProcess {
  const { PATH = '', TZ = 'America/Mexico_City' } = process.env
  const [script = '', ...rest] = args
  const root = path.join(import.meta.dirname, '..', '..')
  const child = spawn(process.execPath, [...flags, path.join(root, script), ...rest], {
    env: { PATH, TZ, ...product.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => void child.kill('SIGKILL'))
  return child
}

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'horux-canario-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Every row of every table there is, as text: what a dump would hold. */
async function foundInDatabase(url: string, { adminUrl }: Product, needles: Needles): Promise<string[]> {
  const asAdmin = new URL(adminUrl)
  asAdmin.pathname = new URL(url).pathname
  return withClient(asAdmin.href, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    )
    assert.ok(tables.length > 10)
    const found: string[] = []
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`)
      found.push(...foundIn(rows.map(({ row }) => row).join('\n'), needles).map((hit) => `${name}: ${hit}`))
    }
    return found
  })
}

async function tenantUrl({ deps, adminUrl }: Product, { id }: Tenant): Promise<string> {
  const { database_name } = await deps.central
    .selectFrom('tenant_databases')
    .select('database_name')
    .where('tenant_id', '=', id)
    .executeTakeFirstOrThrow()
  return new URL(`/${database_name}`, adminUrl).href
}

const dataDirectory = ({ adminUrl }: Product) =>
  withClient(adminUrl, async (client) => {
    await client.query('checkpoint')
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    return rows[0]?.data_directory ?? ''
  })

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
