import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProduct } from '../../../test/support/product.ts'
import { insertCompanies } from '../../../test/support/vault.ts'
import { endRun, orderRun } from './run-queries.ts'

// PostgreSQL plans a prepared statement without its values from the sixth time on.
test('a run can be ordered any number of times by one process', async (t) => {
  const { central } = (await startProduct(t, { worker: false })).deps
  const [tenantId = ''] = await insertCompanies(central, ['EKU9003173C9'])
  const now = new Date('2026-02-11T12:00:00Z')
  const order = () =>
    central
      .connection()
      .execute((one) => one.transaction().execute((trx) => orderRun(trx, { tenantId, kind: 'manual', by: null, now })))
  const ids = new Set<string>()
  for (let times = 0; times < 12; times++) {
    const { id, nueva } = await order()
    assert.equal(nueva, times % 3 === 0)
    ids.add(id)
    if (times % 3 === 2) await central.transaction().execute((trx) => endRun(trx, id, 'terminada', now))
  }
  assert.equal(ids.size, 4)
})
