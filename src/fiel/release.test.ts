import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { type EfirmaFiles, makeEfirma } from '../../test/support/efirmas.ts'
import { fielForm } from '../../test/support/fiel-form.ts'
import { PASSWORD, type Product, randomRfc, startProduct } from '../../test/support/product.ts'
import { until } from '../../test/support/until.ts'
import { horux, insertCompanies, sealEfirma, startHorux } from '../../test/support/vault.ts'
import { eraseFolder, writeReleased } from './released-files.ts'
import { sweepReleases } from './sweep-releases.ts'

const MINUTE = 60_000
const MOTIVO = 'Revisar con el cliente por qué el SAT la rechaza'
const MEMORY = '/dev/shm'
const hasMemory = existsSync(MEMORY) && [0x01021994, 0x858458f6].includes(statfsSync(MEMORY).type)
const inMemory = { skip: hasMemory ? false : `${MEMORY} is not in memory here` }

interface Vault {
  product: Product
  runtime: string
  tenantId: string
  efirma: EfirmaFiles
  /** As the worker's sweep, so many minutes from now. */
  sweepIn(minutes: number): ReturnType<typeof sweepReleases>
}

async function vault(t: TestContext, { folder = MEMORY, worker = false } = {}): Promise<Vault> {
  const home = mkdtempSync(path.join(folder, 'horux-efirmas-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const runtime = path.join(home, 'abierta')
  const product = await startProduct(t, { worker, env: { FIEL_RUNTIME_PATH: runtime } })
  const { central, config } = product.deps
  const efirma = makeEfirma({ rfc: randomRfc(), password: 'contraseña única ñ 7f3a91' })
  const [tenantId = ''] = await insertCompanies(central, [efirma.rfc])
  await sealEfirma(central, config.fielKeys, efirma, { tenantId })
  const clock = (minutes: number) => ({ now: () => new Date(Date.now() + minutes * MINUTE) })
  const sweepIn = (minutes: number) => sweepReleases({ central, config, clock: clock(minutes) })
  return { product, runtime, tenantId, efirma, sweepIn }
}

const decrypt = ({ product, efirma }: Vault, ...more: string[]) =>
  horux(product, ['fiel', 'decrypt', '--rfc', efirma.rfc, '--motivo', MOTIVO, '--json', ...more])

const openOnce = async (v: Vault) => ({ folder: JSON.parse((await decrypt(v)).stdout).carpeta as string })

const releases = ({ product }: Vault) =>
  product.deps.central.selectFrom('fiel_releases').selectAll().orderBy('released_at').execute()

const inside = (folder: string) => (existsSync(folder) ? readdirSync(folder) : [])
const modeOf = (place: string) => lstatSync(place).mode & 0o777

test(
  'it is put where only its owner sees it, exactly as uploaded, and who and why stays in the log',
  inMemory,
  async (t) => {
    const v = await vault(t)
    const said = await decrypt(v)
    assert.equal(said.code, 0, said.stderr)
    const { carpeta, archivos, seBorra } = JSON.parse(said.stdout)
    assert.deepEqual(archivos, ['certificate.cer', 'private_key.key', 'password.txt'])
    assert.deepEqual(readFileSync(path.join(carpeta, 'certificate.cer')), v.efirma.cer)
    assert.deepEqual(readFileSync(path.join(carpeta, 'private_key.key')), v.efirma.key)
    assert.deepEqual(readFileSync(path.join(carpeta, 'password.txt')), Buffer.from(v.efirma.password))
    assert.deepEqual([modeOf(v.runtime), modeOf(carpeta)], [0o700, 0o700])
    for (const name of archivos) assert.equal(modeOf(path.join(carpeta, name)), 0o600, name)
    assert.ok(!`${said.stdout}${said.stderr}`.includes(v.efirma.password))

    const [release, ...others] = await releases(v)
    assert.equal(others.length, 0)
    assert.deepEqual([release?.folder, release?.reason, release?.deleted_at], [carpeta, MOTIVO, null])
    assert.equal(release?.delete_after.toISOString(), seBorra)
    assert.equal(Number(release?.delete_after) - Number(release?.released_at), 30 * MINUTE)
    const audit = await v.product.deps.central
      .selectFrom('audit_log')
      .selectAll()
      .where('action', '=', 'fiel.abierta')
      .executeTakeFirstOrThrow()
    assert.equal(audit.tenant_id, v.tenantId)
    assert.equal((audit.detail as { motivo: string }).motivo, MOTIVO)

    const listed = await horux(v.product, ['fiel', 'list', '--json'])
    assert.equal(JSON.parse(listed.stdout).carpeta, carpeta)
    const second = await decrypt(v)
    assert.equal(second.code, 1)
    assert.match(second.stderr, /fiel\.ya_abierta/)
    assert.deepEqual(inside(v.runtime), [path.basename(carpeta)])

    const ended = await horux(v.product, ['fiel', 'borrar', '--rfc', v.efirma.rfc])
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(inside(v.runtime), [])
    assert.ok((await releases(v))[0]?.deleted_at)
    assert.equal((await decrypt(v)).code, 0, 'closed, it can be opened again')
  },
)

test('kill -9 after writing: half an hour later whoever sweeps deletes it', inMemory, async (t) => {
  const v = await vault(t, { worker: true })
  const killed = await horux(v.product, ['fiel', 'decrypt', '--rfc', v.efirma.rfc, '--motivo', MOTIVO], {
    HORUX_CRASH_AT: 'fiel.release.written',
  })
  assert.equal(killed.signal, 'SIGKILL')
  const [folder = ''] = inside(v.runtime)
  assert.equal(inside(path.join(v.runtime, folder)).length, 3)
  assert.deepEqual(await v.sweepIn(29), { deleted: 0, failed: [] })
  assert.equal(inside(path.join(v.runtime, folder)).length, 3)
  assert.deepEqual(await v.sweepIn(31), { deleted: 1, failed: [] })
  assert.deepEqual(inside(v.runtime), [])
  assert.ok((await releases(v))[0]?.deleted_at)
  assert.deepEqual(await v.sweepIn(60), { deleted: 0, failed: [] })
})

test('deleted by its company, it does not lie open for the rest of its half hour', inMemory, async (t) => {
  const home = mkdtempSync(path.join(MEMORY, 'horux-efirmas-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const product = await startProduct(t, { env: { FIEL_RUNTIME_PATH: path.join(home, 'abierta') } })
  const tenant = await product.createTenant()
  const { cer, key } = makeEfirma({ rfc: tenant.rfc })
  assert.equal((await tenant.send('POST', '/api/fiel', fielForm({ certificado: cer, llave: key }))).statusCode, 201)
  const said = await horux(product, ['fiel', 'decrypt', '--rfc', tenant.rfc, '--motivo', MOTIVO, '--json'])
  const { carpeta } = JSON.parse(said.stdout)
  assert.deepEqual(await sweepReleases(product.deps), { deleted: 0, failed: [] })
  assert.equal((await tenant.send('DELETE', '/api/fiel', { body: { passwordActual: PASSWORD } })).statusCode, 204)
  await sweepReleases(product.deps)
  assert.ok(!existsSync(carpeta))
})

test('the worker is one who sweeps, and the timer of the system another', inMemory, async (t) => {
  const v = await vault(t, { worker: true })
  const { central, queue } = v.product.deps
  const overdue = async () => {
    assert.equal((await decrypt(v)).code, 0)
    const past = { released_at: new Date(Date.now() - 31 * MINUTE), delete_after: new Date(Date.now() - MINUTE) }
    await central.updateTable('fiel_releases').set(past).where('deleted_at', 'is', null).execute()
  }
  await overdue()
  await central.transaction().execute((trx) => queue.enqueue(trx, 'fiel.sweep', {}))
  await until(async () => (await releases(v)).every(({ deleted_at }) => deleted_at))
  assert.deepEqual(inside(v.runtime), [])
  await overdue()
  const swept = await horux(v.product, ['fiel', 'sweep', '--json'])
  assert.deepEqual(JSON.parse(swept.stdout), { borradas: 1, fallidas: 0 })
  assert.deepEqual(inside(v.runtime), [])
})

for (const [point, files] of [
  ['fiel.release.recorded', undefined],
  ['fiel.release.folder', 0],
  ['fiel.release.file', 1],
] as const)
  test(
    `killed at ${point}: the row was there before the first byte, and nothing is left in the end`,
    inMemory,
    async (t) => {
      const v = await vault(t)
      const args = ['fiel', 'decrypt', '--rfc', v.efirma.rfc, '--motivo', MOTIVO]
      assert.equal((await horux(v.product, args, { HORUX_CRASH_AT: point })).signal, 'SIGKILL')
      const [release] = await releases(v)
      assert.ok(release && release.deleted_at === null)
      assert.equal(existsSync(release.folder) ? inside(release.folder).length : undefined, files)
      const audits = v.product.deps.central.selectFrom('audit_log').select('id').where('action', '=', 'fiel.abierta')
      assert.equal((await audits.execute()).length, 1)
      // Without its folder it is over as soon as it cannot be a matter of milliseconds.
      assert.equal((await v.sweepIn(files === undefined ? 3 : 31)).deleted, 1)
      assert.deepEqual(inside(v.runtime), [])
      assert.ok((await releases(v))[0]?.deleted_at)
      assert.equal((await decrypt(v)).code, 0)
    },
  )

test('interrupted while it writes, it deletes at once', inMemory, async (t) => {
  const v = await vault(t)
  const { config, central } = v.product.deps
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // It waits for the row of the e.firma, which is held here: signalled then, it has written nothing and will not.
    const { child, ended } = startHorux(v.product, ['fiel', 'decrypt', '--rfc', v.efirma.rfc, '--motivo', MOTIVO])
    await central.transaction().execute(async (trx) => {
      await trx.selectFrom('fiel_credentials').select('id').where('tenant_id', '=', v.tenantId).forUpdate().execute()
      await until(async () => await waitsForRow(v))
      // It is the process's own when this returns, which hears of it in its next turn: between the row and the first file lie
      // four questions to the database, each a turn of its own.
      child.kill(signal)
    })
    assert.deepEqual(await ended, [1, null])
    assert.deepEqual(inside(config.fielRuntimePath), [])
  }
  assert.ok((await releases(v)).every(({ deleted_at }) => deleted_at))

  const folder = path.join(v.runtime, `efirma-${'0'.repeat(32)}`)
  const stopping = new AbortController()
  const files = new Map([
    ['a', Buffer.from('a')],
    ['b', Buffer.from('b')],
  ])
  const writing = writeReleased(folder, files, stopping.signal)
  stopping.abort()
  await assert.rejects(writing)
  await eraseFolder(folder)
  assert.deepEqual(inside(v.runtime), [])
})

test('one folder that cannot be deleted, or looked into, keeps none of the others', inMemory, async (t) => {
  const v = await vault(t)
  const { folder } = await openOnce(v)
  const { central, config } = v.product.deps
  const clock = { now: () => new Date(Date.now() + 31 * MINUTE) }
  const elsewhere = { ...config, fielRuntimePath: '/proc/self/mem' }
  const swept = await sweepReleases({ central, config: elsewhere, clock })
  assert.deepEqual([swept.deleted, swept.failed.map((one) => one.folder)], [1, ['/proc/self/mem']])
  assert.equal(existsSync(folder), false)
})

test('two at once: one opens it and the other is told', inMemory, async (t) => {
  const v = await vault(t)
  const both = await Promise.all([decrypt(v), decrypt(v)])
  assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1], both.map(({ stderr }) => stderr).join('\n'))
  assert.match(both.find(({ code }) => code === 1)?.stderr ?? '', /fiel\.ya_abierta/)
  assert.equal((await releases(v)).length, 1)
  assert.equal(inside(v.runtime).length, 1)
})

test('without its key, or damaged, nothing is opened, and nothing is said to have been', inMemory, async (t) => {
  const v = await vault(t)
  const other = `otra:${Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz').toString('base64')}`
  const args = ['fiel', 'decrypt', '--rfc', v.efirma.rfc, '--motivo', MOTIVO]
  const wrong = await horux(v.product, args, { FIEL_ENCRYPTION_KEY: other })
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /llave f1.*fiel\.sin_llave/)
  // Another key under the right name.
  const renamed = await horux(v.product, args, { FIEL_ENCRYPTION_KEY: other.replace('otra', 'f1') })
  assert.match(renamed.stderr, /fiel\.danada/)
  const [nobody = ''] = await insertCompanies(v.product.deps.central, [randomRfc()])
  const none = await horux(v.product, ['fiel', 'decrypt', '--rfc', nobody, '--motivo', MOTIVO])
  assert.match(none.stderr, /fiel\.ausente/)
  assert.equal((await horux(v.product, [...args.slice(0, 4), '--motivo', ' x '])).code, 4)
  assert.deepEqual([await releases(v), inside(v.runtime)], [[], []])
})

test('a folder that is a link, of others, open to others or on a disk is refused', inMemory, async (t) => {
  const v = await vault(t)
  const { runtime } = v
  const refused = async (why: RegExp, ...more: string[]) => {
    const { code, stderr } = await decrypt(v, ...more)
    assert.equal(code, 1, stderr)
    assert.match(stderr, /fiel\.carpeta_insegura/)
    assert.match(stderr, why)
    assert.deepEqual(await releases(v), [])
  }
  const elsewhere = `${runtime}-de-otro`
  mkdirSync(elsewhere, { mode: 0o700 })
  symlinkSync(elsewhere, runtime)
  await refused(/enlace/)
  assert.deepEqual(inside(elsewhere), [])
  rmSync(runtime)
  mkdirSync(runtime, { mode: 0o755 })
  chmodSync(runtime, 0o755)
  await refused(/chmod 700/)
  if (process.geteuid?.() === 0) {
    chmodSync(runtime, 0o700)
    chownSync(runtime, 65_534, 65_534)
    await refused(/otro usuario/)
  }
  rmSync(runtime, { recursive: true })

  const disk = mkdtempSync(path.join(tmpdir(), 'horux-disco-'))
  t.after(() => rmSync(disk, { recursive: true, force: true }))
  if ([0x01021994, 0x858458f6].includes(statfsSync(disk).type)) return
  const env = { FIEL_RUNTIME_PATH: path.join(disk, 'abierta') }
  const args = ['fiel', 'decrypt', '--rfc', v.efirma.rfc, '--motivo', MOTIVO]
  const onDisk = await horux(v.product, args, env)
  assert.match(onDisk.stderr, /tmpfs/)
  assert.deepEqual(await releases(v), [])
  const accepted = await horux(v.product, [...args, '--sin-tmpfs'], env)
  assert.equal(accepted.code, 0, accepted.stderr)
  assert.match(accepted.stderr, /Cuidado/)
  assert.equal((await v.sweepIn(31)).deleted, 1, 'a sweep of another FIEL_RUNTIME_PATH finds it all the same')
  assert.deepEqual(inside(path.join(disk, 'abierta')), [])
})

test('a disk that was lost is written anew by the worker, from the rows', inMemory, async (t) => {
  const v = await vault(t)
  const said = await horux(v.product, ['fiel', 'files'])
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, /^1 e\.firmas/)
  const query = sql<{ n: number }>`select count(*)::int as n from pgboss.job where name = 'fiel.files'`
  assert.equal((await query.execute(v.product.deps.central)).rows[0]?.n, 1)
})

test('planted links and files: none is written through, none is followed, and only what is ours is deleted', async (t) => {
  const home = mkdtempSync(path.join(tmpdir(), 'horux-plantado-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const victim = path.join(home, 'victima')
  mkdirSync(victim)
  writeFileSync(path.join(victim, 'dato'), 'intacto')
  const folder = path.join(home, `efirma-${'a'.repeat(32)}`)
  const files = new Map([['password.txt', Buffer.from('secreto')]])
  symlinkSync(victim, folder)
  await assert.rejects(writeReleased(folder, files), { code: 'EEXIST' })
  await eraseFolder(folder)
  assert.deepEqual(readdirSync(home), ['victima'])

  await writeReleased(folder, files)
  await assert.rejects(writeReleased(folder, files), { code: 'EEXIST' }, 'nothing is overwritten')
  symlinkSync(victim, path.join(folder, 'enlace'))
  symlinkSync(path.join(victim, 'dato'), path.join(folder, 'otro'))
  mkdirSync(path.join(folder, 'copia'))
  writeFileSync(path.join(folder, 'copia', 'llave.key'), 'x'.repeat(200_000))
  await eraseFolder(folder)
  assert.deepEqual(readdirSync(home), ['victima'])
  assert.equal(readFileSync(path.join(victim, 'dato'), 'utf8'), 'intacto')
  await assert.rejects(eraseFolder(victim), /not a folder/)
})

test('what root made in the folder goes too, and what cannot go keeps none of the others', (t) => {
  if (process.geteuid?.() !== 0) return t.skip('only root makes what is not ours')
  const home = mkdtempSync(path.join(tmpdir(), 'horux-de-root-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const [uid, gid] = [65_534, 65_534]
  const folder = path.join(home, `efirma-${'d'.repeat(32)}`)
  mkdirSync(folder)
  for (const name of ['a', 'z']) {
    writeFileSync(path.join(folder, name), 'secreto', { mode: 0o600 })
    chownSync(path.join(folder, name), uid, gid)
  }
  writeFileSync(path.join(folder, 'abierta.pem'), 'secreto', { mode: 0o600 })
  mkdirSync(path.join(folder, 'carpeta'), { mode: 0o700 })
  writeFileSync(path.join(folder, 'carpeta', 'x'), 'secreto', { mode: 0o600 })
  for (const place of [home, folder]) chownSync(place, uid, gid)
  const erase = `import(process.argv[1]).then(({ eraseFolder }) => eraseFolder(process.argv[2]))`
  const args = ['-e', erase, path.join(import.meta.dirname, 'released-files.ts'), folder]
  const { status } = spawnSync(process.execPath, args, { uid, gid, cwd: home, env: {} })
  assert.deepEqual([status, readdirSync(folder)], [1, ['carpeta']])
})

test('folders of ours that no row knows go when they are old, and others are left alone', inMemory, async (t) => {
  const v = await vault(t)
  mkdirSync(v.runtime, { mode: 0o700 })
  const orphan = path.join(v.runtime, `efirma-${'b'.repeat(32)}`)
  const ofSomebody = path.join(v.runtime, 'notas')
  for (const folder of [orphan, ofSomebody]) {
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'password.txt'), 'x')
  }
  assert.equal((await v.sweepIn(5)).deleted, 0, 'another installation may know it')
  utimesSync(orphan, new Date(), new Date(Date.now() - 31 * MINUTE))
  assert.equal((await v.sweepIn(0)).deleted, 1)
  assert.deepEqual(inside(v.runtime), ['notas'])
})

test('deleting writes zeros first', async (t) => {
  const home = mkdtempSync(path.join(tmpdir(), 'horux-ceros-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const folder = path.join(home, `efirma-${'c'.repeat(32)}`)
  await writeReleased(folder, new Map([['private_key.key', Buffer.alloc(150_000, 'k')]]))
  // A second name for the same bytes shows what became of them.
  linkSync(path.join(folder, 'private_key.key'), path.join(home, 'otro-nombre'))
  await eraseFolder(folder)
  const left = readFileSync(path.join(home, 'otro-nombre'))
  assert.equal(left.length, 150_000)
  assert.ok(left.every((byte) => byte === 0))
})

async function waitsForRow({ product }: Vault): Promise<boolean> {
  const admin = new pg.Client(product.adminUrl)
  await admin.connect()
  try {
    const { rows } = await admin.query(
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%fiel_credentials%for update%'`,
    )
    return rows.length > 0
  } finally {
    await admin.end()
  }
}
