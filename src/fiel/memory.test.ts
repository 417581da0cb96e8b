import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import { childEnv } from '../../test/support/child-env.ts'
import { makeEfirma } from '../../test/support/efirmas.ts'
import { fielForm } from '../../test/support/fiel-form.ts'
import { startProduct } from '../../test/support/product.ts'
import { until } from '../../test/support/until.ts'

test('nothing of an e.firma is left in the memory of the process that took or refused it', async (t) => {
  const product = await startProduct(t)
  const tenant = await product.createTenant()
  const [port, metrics] = [await anyFreePort(), await anyFreePort()]
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../server.ts')], {
    env: { ...childEnv(), ...product.env, API_PORT: `${port}`, METRICS_PORT: `${metrics}`, LOG_LEVEL: 'trace' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  t.after(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const ask = (route: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${route}`, init)
  await until(
    () =>
      ask('/api/ready').then(
        ({ ok }) => ok || undefined,
        () => undefined,
      ),
    150_000,
  )

  const canary = (n: number) => `canario-${n}-${randomBytes(12).toString('hex')}`
  const send = async (
    password: string,
    typed: string,
    { rfc = tenant.rfc, token = tenant.token, first = 'certificado', type = '' } = {},
  ) => {
    const efirma = makeEfirma({ rfc, password })
    const { body: form, headers } = fielForm({ certificado: efirma.cer, llave: efirma.key, contrasena: typed })
    if (type) headers['content-type'] = type
    const body = Buffer.from(form.toString('latin1').replace('"certificado"', `"${first}"`), 'latin1')
    const authorization = `Bearer ${token}`
    const post = () =>
      ask('/api/fiel', { method: 'POST', body: new Uint8Array(body), headers: { ...headers, authorization } })
    const answer = await until(async () => {
      const sent = await post()
      const text = await sent.text()
      return text.includes('sobrecarga') ? undefined : { status: sent.status, text }
    })
    const secrets = [typed, efirma.key.subarray(200, 232), efirma.pkcs8.subarray(400, 464)].map((one) =>
      Buffer.from(one),
    )
    return { ...answer, secrets }
  }
  const right = canary(1)
  const uploads = [
    await send(right, right),
    await send(canary(2), canary(3)),
    await send(canary(4), canary(4), { rfc: 'XIA190128J61' }),
    // Refused before anybody reads what was sent.
    await send(canary(5), canary(5), { token: 'nadie' }),
    // Or before they have read all of it.
    await send(canary(6), canary(6), { first: 'certificada' }),
    await send(canary(7), canary(7), { type: 'application/json' }),
  ]
  assert.deepEqual(
    uploads.map(({ status, text }) => (status === 201 ? 201 : JSON.parse(text).code)),
    [
      201,
      'fiel.contrasena_incorrecta',
      'fiel.rfc_distinto',
      'auth.unauthenticated',
      'request.invalid',
      'request.unsupported_media_type',
    ],
  )
  const held = Buffer.from(tenant.rfc) // what may well be there: the search finds what is
  const secrets = uploads.flatMap((upload) => upload.secrets)
  const look = () => findInMemory(child.pid as number, [held, ...secrets])
  if (!(await look())) return t.skip('the memory of another process cannot be read here')
  // No other request comes: what the last one left in the receive buffer, which Node has one of, is overwritten by itself.
  const nothing = [true, ...secrets.map(() => false)]
  let found: boolean[] | undefined
  await until(async () => {
    found = await look()
    return isDeepStrictEqual(found, nothing)
  }).catch(() => undefined)
  assert.deepEqual(found, nothing)
})

/** Which of these stand somewhere in what a process may write to. Undefined where the kernel does not let us look. */
async function findInMemory(pid: number, needles: readonly Buffer[]): Promise<boolean[] | undefined> {
  let memory: number
  try {
    memory = openSync(`/proc/${pid}/mem`, 'r')
  } catch {
    return undefined
  }
  try {
    const found = needles.map(() => false)
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
      const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)]
      for (let at = start; at < end; at += CHUNK) {
        const bytes = Buffer.alloc(Math.min(CHUNK + 64, end - at))
        try {
          readSync(memory, bytes, 0, bytes.length, at)
        } catch {
          continue // mapped and not there
        }
        for (const [i, needle] of needles.entries()) found[i] ||= bytes.includes(needle)
      }
    }
    return found
  } finally {
    closeSync(memory)
  }
}

const CHUNK = 8 * 1024 ** 2
