import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { demoStaff } from '../../scripts/seed.ts'
import { ensureStaff } from '../../src/auth/ensure-staff.ts'
import { startProduct } from '../support/product.ts'

const root = path.join(import.meta.dirname, '..', '..')

test('the lines of the README lead a newcomer from a login to the IVA of August', async (t) => {
  if (spawnSync('curl', ['--version']).error) return t.skip('this machine has no curl')
  const product = await startProduct(t)
  await ensureStaff(product.deps.central, { ...demoStaff, temporaryUntil: null }, new Date())
  const api = await product.app.listen({ host: '127.0.0.1', port: 0 })
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(readFileSync(path.join(root, 'README.md'), 'utf8')) ?? []
  const script = block.replace('http://localhost:3000', api).replace('http://localhost:8025', product.mailboxUrl)

  const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: root })

  const [month = ''] = /\{"ejercicio":2026,"mes":8.*$/.exec(stdout) ?? []
  const { acreditable, aFavor } = JSON.parse(month)
  // 10,000 paid at once and 25,000 of the other invoice paid by its first instalment, at 16 %.
  assert.equal(acreditable.total, '5600.00')
  assert.equal(aFavor, '5600.00')
})
