import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { loadConfig } from '../../src/config.ts'
import { openCentral } from '../../src/db/client.ts'
import { findKeyFaults } from '../../src/fiel/check-vault.ts'
import { authorityCertificate, makeEfirma } from '../../test/support/efirmas.ts'
import { type PreparedCluster, startPreparedCluster } from '../../test/support/prepared-cluster.ts'
import { insertCompanies, sealEfirma } from '../../test/support/vault.ts'
import { examine, exitCodeOf } from '../commands/doctor.ts'
import { EXIT } from '../exit-codes.ts'
import { addServer } from '../servers/add-server.ts'
import { anyFreePort } from '../supervisor/ports.ts'
import type { Finding } from './finding.ts'
import { freeDisk, mercadoPago, nodeVersion, sat, secretFiles } from './machine.ts'
import { vault } from './vault.ts'

let cluster: PreparedCluster
const home = mkdtempSync(path.join(tmpdir(), 'horux-doctor-'))
before(async () => {
  cluster = await startPreparedCluster()
})
after(async () => {
  await cluster.stop()
  rmSync(home, { recursive: true })
})

test('a wrong setting is named, and everything that does not need it is looked at all the same', async () => {
  const findings = await examine({ HORUX_ENV: 'development' })
  assert.match(named(findings, 'Configuración').detail, /JWT_KEYS/)
  assert.equal(named(findings, 'Node').state, 'ok')
  assert.equal(exitCodeOf(findings), EXIT.configuration)
})

test('a database that does not answer says where it was looked for', async () => {
  const port = await anyFreePort()
  const findings = await examine(environment(`postgres://horux_central:x@127.0.0.1:${port}/horux_central`))
  assert.equal(named(findings, 'PostgreSQL').state, 'unreachable')
  assert.match(named(findings, 'PostgreSQL').detail, new RegExp(`127.0.0.1:${port}`))
  assert.equal(exitCodeOf(findings), EXIT.tryLater)
})

test('an installation that was never migrated is told to migrate', async () => {
  const { name, url } = await cluster.createCentral()
  const admin = new pg.Client(new URL(`/${name}`, cluster.adminUrl).href)
  await admin.connect()
  await admin.query('drop schema public cascade; create schema public; grant usage on schema public to horux_central')
  await admin.end()
  const findings = await examine(environment(url))
  assert.deepEqual(
    { ...named(findings, 'Base central'), detail: '' },
    {
      check: 'Base central',
      state: 'failed',
      detail: '',
      remedy: 'make migrate',
    },
  )
  assert.equal(exitCodeOf(findings), EXIT.failed)
})

test('keys of e.firmas that are missing, old, or lie open too long are told with what to do', async (t) => {
  const { url } = await cluster.createCentral()
  const env = environment(url)
  const other = `otra:${Buffer.from('otra-0123456789abcdefghijklmnopqrstuvwxyz').toString('base64')}`
  const { fielKeys } = loadConfig({ ...env, FIEL_ENCRYPTION_KEY: other }, 'cli')
  const central = openCentral(loadConfig(env, 'cli'))
  t.after(() => central.destroy())
  assert.equal(named(await examine(env), 'Llaves de e.firma').state, 'ok')
  const [tenantId = ''] = await insertCompanies(central, ['EKU9003173C9'])
  const id = await sealEfirma(central, fielKeys, makeEfirma({ rfc: 'EKU9003173C9' }), { tenantId })

  const missing = named(await examine(env), 'Llaves de e.firma')
  assert.equal(missing.state, 'failed')
  assert.match(missing.detail, /falta otra, que envuelve 1/)
  // Another key under the name of the one that is needed.
  const misnamed = `otra:${Buffer.from('mala-0123456789abcdefghijklmnopqrstuvwxyz').toString('base64')}`
  const wrong = named(
    await examine({ ...env, FIEL_ENCRYPTION_KEY: `${env['FIEL_ENCRYPTION_KEY']},${misnamed}` }),
    'Llaves de e.firma',
  )
  assert.equal(wrong.state, 'failed')
  assert.match(wrong.detail, /otra no es la que envuelve 1/)
  const { fielKeys: bad } = loadConfig({ ...env, FIEL_ENCRYPTION_KEY: misnamed }, 'cli')
  assert.deepEqual(await findKeyFaults(central, { fielKeys: bad }), [
    { kind: 'wrong_key', kid: 'otra', credentials: 1 },
  ])
  assert.deepEqual(await findKeyFaults(central, { fielKeys }), [])
  const both = { ...env, FIEL_ENCRYPTION_KEY: `${env['FIEL_ENCRYPTION_KEY']},${other}` }
  const old = named(await examine(both), 'Llaves de e.firma')
  assert.deepEqual([old.state, old.remedy], ['warning', 'horux keys rotate --yes'])

  const hour = new Date(Date.now() - 3_600_000)
  const release = { id, tenant_id: tenantId, credential_id: id, folder: '/run/x', operator: 'yo', reason: 'prueba' }
  await central
    .insertInto('fiel_releases')
    .values({ ...release, released_at: hour, delete_after: new Date(+hour + 1_000) })
    .execute()
  assert.equal(named(await examine(both), 'e.firmas abiertas').state, 'failed')
})

test('a server that was added is healthy, and a database that lets everybody in is not', async () => {
  const { url } = await cluster.createCentral()
  const env = environment(url)
  assert.match(named(await examine(env), 'Servidores').remedy ?? '', /server add/)

  await addServer({ name: 'local', adminUrl: cluster.adminUrl }, loadConfig(env, 'cli'))
  const healthy = await examine(env)
  for (const check of [
    'PostgreSQL',
    'Reloj contra la base',
    'Roles',
    'Catálogos ocultos',
    'Base central',
    'Servidor local',
  ])
    assert.deepEqual(named(healthy, check).state, 'ok', JSON.stringify(named(healthy, check)))
  assert.equal(
    healthy.some(({ state }) => state === 'configuration' || state === 'unreachable'),
    false,
  )

  const admin = new pg.Client(cluster.adminUrl)
  await admin.connect()
  await admin.query('create database abierta')
  await admin.end()
  assert.match(named(await examine(env), 'Servidor local').detail, /abierta/)
})

test('a secret that others can read is a failure with its chmod', () => {
  const credentials = path.join(home, 'open')
  mkdirSync(credentials)
  const file = path.join(credentials, 'local-owner')
  writeFileSync(file, 'horux_owner:x\n', { mode: 0o600 })
  const config = loadConfig({ ...environment('postgres://a:b@c/d'), CREDENTIALS_DIRECTORY: credentials }, 'cli')
  assert.equal(secretFiles(config).state, 'ok')
  chmodSync(file, 0o640)
  const finding = secretFiles(config)
  assert.equal(finding.state, 'failed')
  assert.equal(finding.remedy, `chmod 600 ${file}`)
})

test('folders of e.firmas that others may enter, or on a disk where that is forbidden, are failures', async () => {
  const storage = path.join(home, 'fiel')
  const runtime = path.join(home, 'fiel-abierta')
  mkdirSync(storage, { mode: 0o700 })
  const env = { ...environment('postgres://a:b@c/d'), FIEL_STORAGE_PATH: storage, FIEL_RUNTIME_PATH: runtime }
  const config = loadConfig(env, 'cli')
  assert.deepEqual(
    (await vault(config)).map(({ state }) => state),
    ['ok', 'info'],
  )
  chmodSync(storage, 0o755)
  const [open] = await vault(config)
  assert.deepEqual([open?.state, open?.remedy], ['failed', `chmod 700 ${storage}`])
  chmodSync(storage, 0o700)
  writeFileSync(runtime, '')
  assert.match((await vault(config))[0]?.detail ?? '', /no es una carpeta/)
})

test('it tells whether the issuer of an e.firma is believed by name or by signature', async () => {
  const ca = path.join(home, 'autoridades')
  mkdirSync(ca)
  const told = async (env: Record<string, string>) => {
    const config = loadConfig({ ...environment('postgres://a:b@c/d'), ...env }, 'cli')
    return (await vault(config)).filter(({ detail }) => detail.includes(ca) || detail.includes('nombre'))
  }
  const [byName] = await told({})
  assert.equal(byName?.state, 'info')
  assert.match(byName?.remedy ?? '', /FIEL_CA_PATH/)
  const [empty, ...more] = await told({ FIEL_CA_PATH: ca })
  assert.deepEqual([empty?.state, more], ['failed', []])
  writeFileSync(path.join(ca, 'ac.cer'), authorityCertificate())
  const [signed] = await told({ FIEL_CA_PATH: ca })
  assert.deepEqual([signed?.state, signed?.detail], ['ok', `por la firma de 1 autoridades, de ${ca}`])
})

test('an old Node is refused, and a disk that fills up is told before it is full', () => {
  assert.equal(nodeVersion('20.20.2').state, 'failed')
  const withFree = (percent: number) => freeDisk('/srv', () => ({ bavail: percent, blocks: 100, bsize: 4096 })).state
  assert.deepEqual([50, 15, 5].map(withFree), ['ok', 'warning', 'failed'])
})

test('MercadoPago that does not answer is a failure where it must, and what make start brings elsewhere', async (t) => {
  const server = createServer((_request, response) => response.writeHead(403).end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const config = loadConfig(environment('postgres://a:b@c/d'), 'cli')
  const answered = await mercadoPago({ ...config, mercadoPagoUrl: `http://127.0.0.1:${port}` })
  assert.equal(answered.state, 'ok', 'a refusal is an answer')
  const silent = { ...config, mercadoPagoUrl: 'http://127.0.0.1:1' }
  assert.equal((await mercadoPago({ ...silent, env: 'production' })).state, 'failed')
  const inDevelopment = await mercadoPago({ ...silent, env: 'development' })
  assert.equal(inDevelopment.state, 'warning')
  assert.match(inDevelopment.remedy ?? '', /make start/)
})

test('a SAT that does not answer is told, and is no failure of this installation', async () => {
  const config = { ...loadConfig(environment('postgres://a:b@c/d'), 'cli'), satEstadoUrl: 'http://127.0.0.1:1/' }
  for (const env of ['production', 'development'] as const)
    assert.equal((await sat({ ...config, env })).state, 'warning')
  assert.match((await sat({ ...config, env: 'development' })).remedy ?? '', /make start/)
})

function named(findings: readonly Finding[], check: string): Finding {
  const found = findings.find((finding) => finding.check === check)
  assert.ok(found, `${check} is not among ${findings.map((finding) => finding.check).join(', ')}`)
  return found
}

function environment(centralUrl: string): Record<string, string> {
  const key = (kid: string) => `${kid}:${Buffer.from(`${kid}-0123456789abcdefghijklmnopqrstuvwxyz`).toString('base64')}`
  return {
    HORUX_ENV: 'test',
    MERCADOPAGO_URL: 'http://127.0.0.1:1',
    SAT_ESTADO_URL: 'http://127.0.0.1:1/',
    CENTRAL_DATABASE_URL: centralUrl,
    CREDENTIALS_DIRECTORY: path.join(home, 'credentials'),
    HORUX_TENANT_KEY: key('empresa'),
    JWT_KEYS: key('jwt'),
    BILLING_ENCRYPTION_KEY: key('cobro'),
    FIEL_ENCRYPTION_KEY: key('efirma'),
  }
}
