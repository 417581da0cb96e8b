import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'

const credentials = mkdtempSync(path.join(tmpdir(), 'horux-server-'))
after(() => rmSync(credentials, { recursive: true }))

test('production adds no server over a network that could be somebody else, and touches nothing', async () => {
  const hosts = ['db.invalid', 'db.invalid?sslmode=disable', 'db.invalid?sslmode=prefer', '127.0.0.1?host=db.invalid']
  for (const [host = '', query = ''] of hosts.map((text) => text.split('?'))) {
    for (const dryRun of [[], ['--dry-run']]) {
      const { code, err } = await add(`postgres://postgres:clave-del-admin@${host}/postgres?${query}`, ...dryRun)
      assert.deepEqual([code, /--admin-url.*sslmode=verify-full/.test(err)], [4, true], err)
      assert.ok(!err.includes('clave-del-admin'))
    }
  }
  assert.deepEqual(readdirSync(credentials), [])
})

test('a server on this machine, or one that proves who it is, is tried', async () => {
  for (const address of ['127.0.0.1:1/postgres', 'db.invalid/postgres?sslmode=verify-full']) {
    const { code, err } = await add(`postgres://postgres:clave@${address}`, '--dry-run')
    assert.deepEqual([code, /Prepararía/.test(err)], [0, true], err)
  }
})

function add(adminUrl: string, ...options: string[]): Promise<{ code: number; err: string }> {
  const key = () => `k1:${randomBytes(32).toString('base64')}`
  const env = {
    PATH: process.env['PATH'],
    HORUX_ENV: 'production',
    CENTRAL_DATABASE_URL: 'postgres://horux_central:Zk3-9fQx-7Lw2-pTm1@127.0.0.1:1/horux_central',
    CREDENTIALS_DIRECTORY: credentials,
    HORUX_TENANT_KEY: key(),
    JWT_KEYS: key(),
    BILLING_ENCRYPTION_KEY: key(),
    FIEL_ENCRYPTION_KEY: key(),
    SMTP_URL: 'smtps://correo.interno',
    PUBLIC_URL: 'https://app.horux360.mx',
  }
  const script = path.join(import.meta.dirname, '..', 'horux.ts')
  const args = [script, 'server', 'add', '--name', 'otro', '--admin-url', adminUrl, ...options]
  const { promise, resolve } = Promise.withResolvers<{ code: number; err: string }>()
  execFile(process.execPath, args, { env }, (error, _out, err) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, err })
  })
  return promise
}
