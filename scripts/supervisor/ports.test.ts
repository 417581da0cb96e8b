import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { anyFreePort, isFree } from './ports.ts'

test('any free port is of a range that no other process has, though their numbers be fifty apart', async (t) => {
  const theirs = 12_000 + (process.pid % 50) * 400
  const other = createServer()
  t.after(() => other.close())
  const { promise, resolve } = Promise.withResolvers<void>()
  // Where a process of such a number runs at this moment, it listens there already.
  other.once('error', () => resolve()).listen({ port: theirs, host: '127.0.0.1', exclusive: true }, () => resolve())
  await promise
  const ports = await Promise.all(Array.from({ length: 100 }, anyFreePort))
  assert.equal(new Set(ports).size, ports.length)
  for (const port of ports) {
    assert.ok(port < theirs || port >= theirs + 400, `${port}`)
    assert.ok(port >= 12_000 && port < 32_000, `${port}`)
  }
  // Its first port says that it is taken.
  const [port = 0] = ports
  assert.equal(await isFree(port - ((port - 12_000) % 400)), false)
})
