import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { before } from 'node:test'
import { sql } from 'kysely'
import { type EfirmaFiles, makeEfirma } from '../../test/support/efirmas.ts'
import { type Product, randomRfc, startProduct } from '../../test/support/product.ts'
import { horux, insertCompanies, sealEfirma } from '../../test/support/vault.ts'
import { type KeyRing, parseKeyRing } from '../config.ts'
import { envelopeKid, openEnvelope, sealEnvelope } from '../crypto/envelope.ts'
import { findKeyUse } from './key-use.ts'
import { COMPONENTS, findSealed } from './operation-queries.ts'
import { rotateFielKeys } from './rotate.ts'

const key = (kid: string) => `${kid}:${randomBytes(32).toString('base64')}`
const vieja = key('vieja')
const nueva = key('nueva')
const ring = (text: string) => parseKeyRing('FIEL_ENCRYPTION_KEY', text)

/** One pair of keys is enough: each record seals it under keys of its own. */
let efirma: EfirmaFiles
before(() => {
  efirma = makeEfirma({ rfc: 'EKU9003173C9' })
})

async function vaultOf(t: { after(end: () => Promise<void>): void }, n: number, keys: KeyRing = ring(vieja)) {
  const product = await startProduct(t, { worker: false, env: { FIEL_ENCRYPTION_KEY: `${nueva},${vieja}` } })
  const { central } = product.deps
  const rfcs = Array.from({ length: n }, () => randomRfc())
  const tenants = await insertCompanies(central, rfcs)
  for (const tenantId of tenants) await sealEfirma(central, keys, efirma, { tenantId })
  return { product, central, tenants }
}

/** Opens what a company has with these keys. */
async function opens({ deps }: Product, tenantId: string, keys: KeyRing): Promise<void> {
  const found = await findSealed(deps.central, tenantId)
  assert.ok(found)
  const plain = COMPONENTS.map((component) =>
    openEnvelope(keys, found.sealed[component], { purpose: 'fiel', tenantId, recordId: found.id, component }),
  )
  assert.deepEqual(plain, [efirma.cer, efirma.key, Buffer.from(efirma.password)])
  for (const component of COMPONENTS) assert.equal(envelopeKid(found.sealed[component]), found.kid)
}

async function fileJobs({ deps }: Product): Promise<string[]> {
  const query = sql<{ id: string }>`select data->>'credentialId' as id from pgboss.job where name = 'fiel.files'`
  return (await query.execute(deps.central)).rows.map(({ id }) => id)
}

test('a rotation leaves everything open with the new key alone, and has the files written anew', async (t) => {
  const { product, central, tenants } = await vaultOf(t, 7)
  const said = await horux(product, ['keys', 'rotate', '--dry-run', '--json'])
  assert.deepEqual([said.code, JSON.parse(said.stdout)], [3, { resumen: { llave: 'nueva', porEnvolver: 7 } }])
  assert.equal((await horux(product, ['keys', 'rotate'])).code, 4, 'without --yes nothing is touched')
  for (const tenantId of tenants) await opens(product, tenantId, ring(vieja))

  const done = await horux(product, ['keys', 'rotate', '--yes', '--json'])
  assert.equal(done.code, 0, done.stderr)
  const resumen = { llave: 'nueva', envueltas: 7, cambiadasMientras: 0, fallidas: 0 }
  assert.deepEqual(JSON.parse(done.stdout), { resumen })
  for (const tenantId of tenants) await opens(product, tenantId, ring(nueva))
  const rows = await central.selectFrom('fiel_credentials').select(['id', 'version', 'kid']).orderBy('id').execute()
  assert.ok(rows.every(({ version, kid: wrappedBy }) => version === 2 && wrappedBy === 'nueva'))
  assert.deepEqual(
    (await fileJobs(product)).sort(),
    rows.map(({ id }) => id),
  )

  const again = await horux(product, ['keys', 'rotate', '--yes', '--json'])
  assert.equal(JSON.parse(again.stdout).resumen.envueltas, 0)
  assert.equal((await horux(product, ['keys', 'rotate', '--dry-run'])).code, 0)
})

for (const point of ['fiel.rotate.row', 'fiel.rotate.committed'])
  test(`killed at ${point}, it is resumed, and at every moment everything opens`, async (t) => {
    const { product, tenants } = await vaultOf(t, 5)
    const both = ring(`${nueva},${vieja}`)
    for (let turns = 0; turns < 3; turns++) {
      const killed = await horux(product, ['keys', 'rotate', '--yes'], { HORUX_CRASH_AT: point })
      assert.equal(killed.signal, 'SIGKILL', killed.stderr)
      for (const tenantId of tenants) await opens(product, tenantId, both)
    }
    const { keys } = await findKeyUse(product.deps.central, product.deps.config)
    const left = keys.find(({ kid }) => kid === 'vieja')
    // Killed before a commit it gets nowhere, killed after one it is a row further each time.
    assert.equal(left?.credentials, point === 'fiel.rotate.committed' ? 2 : 5)
    const done = await horux(product, ['keys', 'rotate', '--yes'])
    assert.equal(done.code, 0, done.stderr)
    for (const tenantId of tenants) await opens(product, tenantId, ring(nueva))
  })

test('an e.firma that is replaced or deleted meanwhile stays as its company left it', async (t) => {
  const { product, central, tenants } = await vaultOf(t, 4)
  const keys = ring(`${nueva},${vieja}`)
  const [first = '', second = '', third = '', fourth = ''] = tenants
  const end = { ended_at: new Date(), certificate: null, private_key: null, password: null, kid: null }
  let looked = 0
  const meddling = {
    async enqueue() {
      // In the commit of the first row: the batch with the others was read before.
      if (looked++ > 0) return null
      await central
        .updateTable('fiel_credentials')
        .set({ ...end, ended_how: 'deleted' })
        .where('tenant_id', '=', second)
        .execute()
      await central
        .updateTable('fiel_credentials')
        .set({ ...end, ended_how: 'replaced' })
        .where('tenant_id', '=', third)
        .execute()
      await sealEfirma(central, keys, efirma, { tenantId: third })
      return null
    },
  }
  const done = await rotateFielKeys({ central, queue: meddling, config: { fielKeys: keys } })
  assert.deepEqual(done, { rewrapped: 2, overtaken: 2, failed: [] })
  assert.equal(await findSealed(central, second), undefined)
  for (const tenantId of [first, third, fourth]) await opens(product, tenantId, ring(nueva))
  assert.equal((await findSealed(central, third))?.version, 1, 'the new one was never the old one')
})

test('two rotations at once do each row once, and who opens e.firmas meanwhile always can', async (t) => {
  const { product, central, tenants } = await vaultOf(t, 60)
  const keys = ring(`${nueva},${vieja}`)
  const deps = { central, queue: product.deps.queue, config: { fielKeys: keys } }
  let rotating = true
  let opened = 0
  const using = (async () => {
    while (rotating)
      for (const tenantId of tenants) {
        await opens(product, tenantId, keys)
        opened += 1
      }
  })()
  const [one, other] = await Promise.all([rotateFielKeys(deps), rotateFielKeys(deps)])
  rotating = false
  await using
  assert.equal(one.rewrapped + other.rewrapped, 60)
  assert.ok(opened >= 60)
  const rows = await central.selectFrom('fiel_credentials').select('version').execute()
  assert.ok(rows.every(({ version }) => version === 2))
})

test('a key that is not in the ring is named, its e.firmas are left as they are, and the others turn', async (t) => {
  const { product, central, tenants } = await vaultOf(t, 3)
  const lost = ring(key('perdida'))
  const [withLost = ''] = await insertCompanies(central, [randomRfc()])
  const id = await sealEfirma(central, lost, efirma, { tenantId: withLost })
  const [withDamaged = ''] = await insertCompanies(central, [randomRfc()])
  const damaged = await sealEfirma(central, ring(vieja), efirma, { tenantId: withDamaged })
  const foreign = { purpose: 'fiel', tenantId: withLost, recordId: id, component: 'password' }
  await central
    .updateTable('fiel_credentials')
    .set({ password: sealEnvelope(ring(vieja), Buffer.from('otra'), foreign) })
    .where('id', '=', damaged)
    .execute()

  const status = await horux(product, ['keys', 'status'])
  assert.equal(status.code, 1)
  assert.match(status.stdout, /perdida.*FALTA/)
  assert.match(status.stderr, /Faltan en FIEL_ENCRYPTION_KEY: perdida/)

  const done = await horux(product, ['keys', 'rotate', '--yes', '--json'])
  assert.equal(done.code, 3, done.stderr)
  const [...lines] = done.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const summary = lines.pop()
  assert.deepEqual(summary.resumen, { llave: 'nueva', envueltas: 3, cambiadasMientras: 0, fallidas: 2 })
  assert.deepEqual(
    lines.map(({ efirma: which, codigo }) => [which, codigo]),
    [
      [id, 'fiel.sin_llave'],
      [damaged, 'fiel.danada'],
    ],
  )
  assert.match(lines[0].mensaje, /perdida/)
  assert.ok(!done.stdout.includes(efirma.password))
  for (const tenantId of tenants) await opens(product, tenantId, ring(nueva))
  await opens(product, withLost, lost)
  assert.equal((await findSealed(central, withDamaged))?.version, 1)
})

test('status tells which key may leave the ring: not while a row or a file on disk still needs it', async (t) => {
  const { product, central, tenants } = await vaultOf(t, 2)
  const folder = path.join(product.deps.config.fielStoragePath, 'EKU9003173C9-1')
  mkdirSync(folder, { recursive: true })
  const found = await findSealed(central, tenants[0] ?? '')
  writeFileSync(path.join(folder, 'password.enc'), found?.sealed.password ?? '')
  writeFileSync(path.join(folder, 'roto.enc'), 'nada')
  const of = async (kid: string) => {
    const { stdout } = await horux(product, ['keys', 'status', '--json'])
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(lines.at(-1).resumen, { faltan: [], archivosIlegibles: [path.join(folder, 'roto.enc')] })
    return lines.find((line) => line.kid === kid)
  }
  const use = { enAnillo: true, activa: false }
  assert.deepEqual(await of('vieja'), { kid: 'vieja', ...use, efirmas: 2, archivos: 1, sePuedeQuitar: false })
  await rotateFielKeys({ central, queue: product.deps.queue, config: product.deps.config })
  assert.deepEqual(await of('vieja'), { kid: 'vieja', ...use, efirmas: 0, archivos: 1, sePuedeQuitar: false })
  writeFileSync(path.join(folder, 'password.enc'), (await findSealed(central, tenants[0] ?? ''))?.sealed.password ?? '')
  assert.deepEqual(await of('vieja'), { kid: 'vieja', ...use, efirmas: 0, archivos: 0, sePuedeQuitar: true })
  assert.equal((await of('nueva')).sePuedeQuitar, false)
})
