import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { until } from '../../test/support/until.ts'
import { createLog } from '../log.ts'
import { createOverwriting } from './overwrite-received.ts'

const log = createLog({ level: 'silent', service: 'test' })

test('who asks in a flood has it done once, and once more after a rest: nobody may keep a process busy with it', async (t) => {
  let sent = 0
  const count = () => void sent++
  subscribe('http.server.request.start', count)
  t.after(() => unsubscribe('http.server.request.start', count))
  const resting: (() => void)[] = []
  const overwrite = createOverwriting(log, () => new Promise((resolve) => resting.push(resolve)))
  const flood = () => Array.from({ length: 100 }, overwrite)

  flood()
  await until(() => resting.length === 1)
  flood()
  assert.equal(sent, 1)
  resting[0]?.()
  await until(() => resting.length === 2)
  assert.equal(sent, 2)
  resting[1]?.()
  // Nobody had asked any more: the next one need not wait.
  await until(() => {
    overwrite()
    return resting.length === 3
  })
  assert.equal(sent, 3)
})
