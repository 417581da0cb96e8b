import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSimulator } from './open-simulator.ts'
import { startSimulator } from './simulator.ts'
import { plain } from './snapshot.ts'

test('a restarted simulator knows its mandates, its time, its faults, and goes on as if it had not stopped', async (t) => {
  const snapshotFile = await place(t)
  const seedOf = async (file?: string) => {
    const first = await openSimulator(t, { ...(file && { snapshotFile: file }) })
    const id = await first.create()
    first.sim.authorise(id, { script: ['FUND', 'APRO'] })
    first.sim.configure({ ts_unit: 'ms' })
    await first.sim.advance({ hours: 2 })
    first.sim.addFault({ fault: 'delay_webhook', minutes: 5, next: 2 })
    return first
  }
  const through = await seedOf()
  const before = await seedOf(snapshotFile)
  await before.sim.close()

  const after = await openSimulator(t, { snapshotFile, at: new Date('2026-01-31T11:00:00-06:00') })
  assert.deepEqual(Object.keys(after.sim.state), Object.keys(through.sim.state))
  for (const each of [through, after]) await each.sim.advance({ months: 2 })

  const history = ({ sim }: typeof after) => {
    const { preapprovals, instalments, payments, random, serial, settings } = sim.state
    return plain([preapprovals, instalments, payments, random, serial, settings])
  }
  assert.equal(after.payments().length, 3)
  assert.deepEqual(history(after), history(through))
  // Webhooks go where the environment now says.
  assert.ok(after.received.length > 3)
})

test('virtual time is kept as a distance from the real one', async (t) => {
  const snapshotFile = await place(t)
  const first = await openSimulator(t, { snapshotFile, frozen: false })
  await first.create()
  await first.sim.advance({ days: 3 })
  await first.sim.close()
  const second = await startSimulator({ port: 0, snapshotFile })
  t.after(() => second.close())
  assert.equal(second.now().toISOString().slice(0, 10), '2026-02-03')
})

test('the file is whole, and only its owner reads it: it holds the secret', async (t) => {
  const snapshotFile = await place(t)
  const { sim, create } = await openSimulator(t, { snapshotFile })
  await create()
  await sim.settled()
  assert.deepEqual(await readdir(path.dirname(snapshotFile)), ['mercadopago.json'])
  assert.equal((await stat(snapshotFile)).mode & 0o777, 0o600)
  assert.match(await readFile(snapshotFile, 'utf8'), /"\$centavos":"650.50"/)
})

test('reset forgets everything, on disk too, and the next history is the first one again', async (t) => {
  const snapshotFile = await place(t)
  const { sim, create } = await openSimulator(t, { snapshotFile })
  const id = await create()
  sim.authorise(id)
  sim.addFault({ fault: 'http_500' })
  await sim.advance({ months: 1 })
  await sim.reset()
  assert.deepEqual([sim.state.preapprovals.size, sim.state.faults.length, sim.deliveries().length], [0, 0, 0])
  assert.equal(sim.now().toISOString(), '2026-01-31T15:00:00.000Z')
  assert.ok(!(await readFile(snapshotFile, 'utf8')).includes(id))
  assert.equal(await create(), id)
})

test('a file that is no snapshot is said, not overwritten', async (t) => {
  const snapshotFile = await place(t)
  for (const text of ['{"version":0}', 'nada']) {
    await writeFile(snapshotFile, text)
    await assert.rejects(openSimulator(t, { snapshotFile }), SyntaxError)
    assert.equal(await readFile(snapshotFile, 'utf8'), text)
  }
})

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mercadopago-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return path.join(folder, 'mercadopago.json')
}
