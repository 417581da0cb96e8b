import { createHmac, randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { z } from 'zod'

/**
 * Sends deliveries as MercadoPago does, each of another payment and signed freshly, and prints what came of it as JSON.
 * A process of its own: what signing costs is taken from neither side. `SIGN=no` sends the same bytes without a signature.
 */
const {
  URL: target,
  SECRET,
  CONNECTIONS,
  COUNT,
  SECONDS,
  ACCOUNT,
  SIGN,
} = z
  .object({
    URL: z.string(),
    SECRET: z.string(),
    CONNECTIONS: z.coerce.number(),
    /** This many at once and no more; or, without, as many as go in SECONDS. */
    COUNT: z.coerce.number().default(0),
    SECONDS: z.coerce.number().default(0),
    ACCOUNT: z.string(),
    SIGN: z.string().default('yes'),
  })
  .parse(process.env)

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
const latencies: number[] = []
const statuses: Record<string, number> = {}
let serial = 1_000_000_000 + Math.floor(process.uptime() * 1_000_000) + Number(process.pid) * 100_000

const started = performance.now()
if (COUNT > 0) await Promise.all(Array.from({ length: COUNT }, deliver))
else {
  const until = started + SECONDS * 1000
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < until) await deliver()
    }),
  )
}
const seconds = (performance.now() - started) / 1000
console.log(JSON.stringify({ seconds, statuses, latencies: latencies.map((ms) => Math.round(ms * 100) / 100) }))
agent.destroy()

async function deliver(): Promise<void> {
  serial += 1
  const id = String(serial)
  const requestId = randomUUID()
  const ts = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', SECRET).update(`id:${id};request-id:${requestId};ts:${ts};`).digest('hex')
  const body = JSON.stringify({
    id: serial + 5_000_000_000,
    live_mode: true,
    type: 'payment',
    date_created: new Date().toISOString(),
    user_id: Number(ACCOUNT),
    api_version: 'v1',
    action: 'payment.updated',
    data: { id },
  })
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
    ...(SIGN === 'yes' && { 'x-signature': `ts=${ts},v1=${signature}` }),
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const began = performance.now()
  const sent = request(`${target}?data.id=${id}&type=payment`, { method: 'POST', agent, headers }, (answer) => {
    answer.resume()
    answer.once('end', () => {
      latencies.push(performance.now() - began)
      const status = String(answer.statusCode)
      statuses[status] = (statuses[status] ?? 0) + 1
      resolve()
    })
  })
  sent.once('error', reject)
  sent.end(body)
  await promise
}
