import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { demo, demoStaff } from '../../scripts/seed.ts'
import { ensureStaff } from '../../src/auth/ensure-staff.ts'
import { startBillingWorld } from '../support/billing-world.ts'

const root = path.join(import.meta.dirname, '..', '..')
const guide = readFileSync(path.join(root, 'docs', 'suscripciones.md'), 'utf8')

test('the guide to subscriptions leads from a checkout through three failures and back, as it says', async (t) => {
  if (spawnSync('curl', ['--version']).error) return t.skip('this machine has no curl')
  const { product, simulator, appUrl, company } = await startBillingWorld(t, { at: new Date('2027-01-04T16:00:00Z') })
  await ensureStaff(product.deps.central, { ...demoStaff, temporaryUntil: null }, new Date('2027-01-04T16:00:00Z'))
  const kemper = await company({ plan: 'professional', rfc: demo.rfc })

  const blocks = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  const [
    shortcuts = '',
    pay = '',
    charged = '',
    fails = '',
    reads = '',
    asks = '',
    marks = '',
    changes = '',
    foresees = '',
  ] = blocks
  assert.equal(blocks.length, 9)
  const run = async (block: string, before = '') => {
    const script = `${shortcuts}\n${before}\n${block}`
      .replaceAll('admin@kemper.ejemplo.mx"', `${kemper.admin.email}"`)
      .replace('http://localhost:3000', appUrl)
      .replace('http://localhost:8035', simulator.url)
      .replace(demo.email, kemper.admin.email)
      .replace(demo.password, `'${kemper.admin.password}'`)
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: root })
    return stdout
  }

  const page = (await run(pay)).trim()
  const mandate = new URL(page).searchParams.get('preapproval_id') ?? ''
  simulator.authorise(mandate)
  assert.match(await run(charged), /"estado":"activa"[\s\S]*"paid_through":"2027-02-04"/)

  simulator.setCard(mandate, 'FUND')
  assert.match(await run(fails), /"estado":"pendiente_pago"\s+"access":"full"/)
  const refusedAndWhy = await run(reads)
  assert.match(refusedAndWhy, /"code":"subscription_read_only"/)
  assert.match(refusedAndWhy, /Tu empresa está en solo lectura desde el 7 de febrero de 2027/)

  const owed = await run(asks)
  assert.match(owed, /"porPagar":\{"importe":"1250.00"/)
  assert.match(await run(marks, asks), /"aplicado":"periodo"[\s\S]*"estado":"activa"\s+"access":"full"/)
  const change = await run(changes)
  assert.match(change, /"importeDespues":"2900.00"/)
  assert.match(change, /"initPoint":"http/)
  assert.match(await run(foresees), /"fin_gracia"/)
})
