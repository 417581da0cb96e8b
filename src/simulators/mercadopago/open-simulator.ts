import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { type SimulatorOptions, startSimulator } from './simulator.ts'

export const SECRET = 'secreto-de-prueba-0123456789'

/** A webhook as it arrived. */
export interface Received {
  query: URLSearchParams
  headers: IncomingHttpHeaders
  text: string
  body: { id: number; type: string; action: string; user_id: number; data: { id: string } }
}

/** For tests: a simulator whose time stands still at `at`, and somebody who receives its webhooks. */
export async function openSimulator(t: TestContext, options: Partial<SimulatorOptions> = {}) {
  const received: Received[] = []
  /** What the receiver answers, or false: never. */
  let answer: (delivery: Received) => number | false | Promise<number> = () => 200
  const receiver = createServer(async (request, response) => {
    const said = await text(request)
    const query = new URL(request.url ?? '', 'http://receiver').searchParams
    const delivery = { query, headers: request.headers, text: said, body: JSON.parse(said) }
    received.push(delivery)
    const status = await answer(delivery)
    if (status !== false) response.writeHead(status).end('visto')
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.after(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  const sim = await startSimulator({
    port: 0,
    frozen: true,
    at: new Date('2026-01-31T09:00:00-06:00'),
    webhookUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/api/webhooks/mercadopago`,
    webhookSecret: SECRET,
    ...options,
  })
  t.after(() => sim.close())

  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(sim.url + path, {
      method,
      headers: { authorization: `Bearer ${sim.accessToken}`, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const said = await response.text()
    return { status: response.status, headers: response.headers, text: said, body: parsed(said) }
  }
  return {
    sim,
    received,
    call,
    setAnswer: (next: typeof answer) => {
      answer = next
    },
    /** A mandate that waits for its payer; `change` goes over the usual body. */
    create: async (change: Record<string, unknown> = {}, recurring: Record<string, unknown> = {}): Promise<string> => {
      const { status, body, text } = await call('POST', '/preapproval', mandate(change, recurring))
      if (status !== 201) throw new Error(text)
      return String(body['id'])
    },
    payments: (kind = 'subscription') => [...sim.state.payments.values()].filter((payment) => payment.kind === kind),
    instalments: () => [...sim.state.instalments.values()],
    mandate: (id: string) => sim.state.preapprovals.get(id) ?? missing(id),
  }
}

export const mandate = (change: Record<string, unknown> = {}, recurring: Record<string, unknown> = {}) => ({
  reason: 'Horux360 plan Pro',
  external_reference: 'sub-1',
  payer_email: 'ana@muebles.example',
  back_url: 'http://localhost:3000/suscripcion/volver',
  auto_recurring: {
    frequency: 1,
    frequency_type: 'months',
    transaction_amount: 650.5,
    currency_id: 'MXN',
    ...recurring,
  },
  ...change,
})

// biome-ignore lint/suspicious/noExplicitAny: what the wire says is looked at by tests, field by field
function parsed(said: string): any {
  try {
    return JSON.parse(said)
  } catch {
    return null
  }
}

const missing = (id: string): never => {
  throw new Error(`no mandate ${id}`)
}
