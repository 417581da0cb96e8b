import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { startTenancy, type Tenancy } from '../../test/support/tenancy.ts'
import { expectHealthy } from '../../test/support/tenancy-checks.ts'

let tenancy: Tenancy
before(async () => {
  tenancy = await startTenancy()
})
after(() => tenancy.stop())

test('a company is deleted, restored, deleted and purged by the operator, without a worker', async () => {
  const { tenantId, rfc, database } = await tenancy.company()
  const listed = await horux('list')
  assert.ok(listed.out.includes(`${tenantId}\t${rfc}\tactiva\tstarter\t${database}`))

  const planned = await horux('delete', rfc)
  assert.deepEqual([planned.code, planned.out], [4, ''])
  assert.match(planned.err, new RegExp(`${database} en 127.0.0.1:${tenancy.cluster.port}[\\s\\S]*falta --yes`))
  assert.equal((await horux('delete', rfc, '--dry-run')).code, 3)
  await expectHealthy(tenancy, tenantId)

  const deleted = await horux('delete', rfc.toLowerCase(), '--yes', '--json')
  assert.equal(deleted.code, 0, deleted.err)
  assert.equal(JSON.parse(deleted.out).estado, 'terminada')
  assert.match(deleted.err, /hecho: Retirar la base de datos con otro nombre/)
  assert.ok(!(await horux('list')).out.includes(rfc))
  assert.match((await horux('list', '--all', '--json')).out, new RegExp(`"rfc":"${rfc}"[^\n]*"estado":"eliminada"`))

  assert.equal((await horux('restore', tenantId, '--yes')).code, 0)
  await expectHealthy(tenancy, tenantId)

  assert.equal((await horux('delete', rfc, '--yes')).code, 0)
  const guarded = [[], ['--without-backup'], ['--without-backup', '--rfc', 'OTRO850101AB1'], ['--rfc', rfc]]
  for (const options of guarded) assert.equal((await horux('purge', rfc, '--yes', ...options)).code, 4)
  assert.equal((await horux('purge', rfc, '--yes', '--without-backup', '--rfc', rfc)).code, 0)
  assert.match((await horux('show', tenantId)).out, /estado: purgada[\s\S]*operación: purgar, terminada/)
})

test('what cannot be done is said with a code a script can read', async () => {
  const { rfc } = await tenancy.company()
  const missing = await horux('show', 'AAA010101AAA')
  assert.deepEqual([missing.code, missing.out], [1, ''])
  const living = await horux('restore', rfc, '--yes')
  assert.equal(living.code, 1)
  assert.match(living.err, /No se puede restaurar una empresa en estado «activa»\. \(tenants\.wrong_state\)/)
  assert.match((await horux('retry', rfc, '--yes')).err, /tenants\.nothing_to_retry/)
  assert.equal((await horux('nada')).code, 2)
})

function horux(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const script = path.join(import.meta.dirname, '..', 'horux.ts')
  const env = { PATH: process.env['PATH'] ?? '', ...tenancy.env }
  const { promise, resolve } = Promise.withResolvers<{ code: number; out: string; err: string }>()
  execFile(process.execPath, [script, 'tenant', ...args], { env }, (error, out, err) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
  })
  return promise
}
