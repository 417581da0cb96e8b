import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'

test('the process says where it listens, serves, and ends in peace on SIGTERM', async (t) => {
  const { child, exited } = await start(t, {})
  const [line] = await once(child.stdout, 'data')
  const { url } = z.object({ url: z.url(), smtpPort: z.number() }).parse(JSON.parse(String(line)))
  assert.equal((await fetch(url)).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null])
})

test('a busy port ends it with the reason', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const busy = String((other.address() as AddressInfo).port)
  for (const variable of ['MAILBOX_SMTP_PORT', 'MAILBOX_HTTP_PORT']) {
    const { child, exited } = await start(t, { [variable]: busy })
    const [said, [code]] = await Promise.all([text(child.stderr), exited])
    assert.equal(code, 1)
    assert.match(said, new RegExp(`^mailbox: .*EADDRINUSE.*${busy}`))
  }
})

test('it does not start in production, where mail must reach people, or on a setting it does not understand', async (t) => {
  for (const [variable, value] of [
    ['HORUX_ENV', 'production'],
    ['MAILBOX_SMTP_PORT', 'veinticinco'],
    ['MAILBOX_HTTP_PORT', '70000'],
  ] as const) {
    const { child, exited } = await start(t, { [variable]: value })
    const [said, [code]] = await Promise.all([text(child.stderr), exited])
    assert.equal(code, 78)
    assert.match(said, new RegExp(`^mailbox: ${variable}: `))
  }
})

async function start(t: TestContext, env: Record<string, string>) {
  const folder = await mkdtemp(path.join(tmpdir(), 'buzon-'))
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env['PATH'], MAILBOX_SMTP_PORT: '0', MAILBOX_HTTP_PORT: '0', MAILBOX_DIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  })
  return { child, exited }
}
