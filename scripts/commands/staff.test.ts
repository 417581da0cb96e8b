import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { type Product, startProduct } from '../../test/support/product.ts'

const DAY = 86_400_000

test('a temporary password is good for its hours on the clock that its owner will be compared with', async (t) => {
  const product = await startProduct(t, { env: { TEST_CLOCK: 'true' }, worker: false })
  const payload = { ahora: new Date(Date.now() + 400 * DAY).toISOString() }
  assert.equal((await product.app.inject({ method: 'PUT', url: '/__test/clock', payload })).statusCode, 200)
  const email = 'otra@horux.example'
  const password = await addStaff(product, email)
  const logIn = () =>
    product.app.inject({ method: 'POST', url: '/api/auth/login', payload: { email, password, transporte: 'cuerpo' } })
  assert.equal((await logIn()).statusCode, 200)

  const later = { ahora: new Date(Date.now() + 410 * DAY).toISOString() }
  assert.equal((await product.app.inject({ method: 'PUT', url: '/__test/clock', payload: later })).statusCode, 200)
  assert.notEqual((await logIn()).statusCode, 200)
})

test('where time cannot be moved, the row of a moved clock is nobody’s time', async (t) => {
  const product = await startProduct(t, { worker: false })
  await product.deps.central
    .updateTable('test_clock')
    .set({ offset_ms: BigInt(400 * DAY) })
    .execute()
  const email = 'otra@horux.example'
  const password = await addStaff(product, email)
  const payload = { email, password, transporte: 'cuerpo' }
  assert.equal((await product.app.inject({ method: 'POST', url: '/api/auth/login', payload })).statusCode, 200)
  const row = await product.deps.central.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst()
  assert.ok(row?.password_expires_at && row.password_expires_at.getTime() < Date.now() + 10 * DAY)
})

async function addStaff({ env }: Product, email: string): Promise<string> {
  const script = path.join(import.meta.dirname, '..', 'horux.ts')
  const { PATH = '' } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'staff', 'add', '--email', email], {
    env: { PATH, ...env },
  })
  return stdout.trim()
}
