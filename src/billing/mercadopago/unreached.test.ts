import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { AppError } from '../../errors.ts'
import { createPace } from '../../outbound/pace.ts'
import { setMercadoPagoUrl } from './base-url.ts'
import { createGateway } from './create-gateway.ts'
import { isPassing } from './errors.ts'
import type { Gateway } from './gateway.ts'

// The SDK has one address per process; at this one nobody listens.
setMercadoPagoUrl('http://127.0.0.1:2')

const MANDATE = {
  reason: 'Horux360',
  externalReference: 'hx-1-1',
  payerEmail: 'pago@ejemplo.mx',
  backUrl: 'https://horux360.example/pago',
  frecuencia: 'mensual',
  amountC: 65000n,
} as const
const PAGE = { ...MANDATE, title: 'Cambio de plan', expiresAt: new Date('2026-05-07T18:00:00Z') }

const calls: [string, (gateway: Gateway) => Promise<unknown>][] = [
  ['a mandate is asked for', (gateway) => gateway.createPreapproval(MANDATE)],
  ['a page is asked for', (gateway) => gateway.createPreference(PAGE)],
  ['money is given back', (gateway) => gateway.refundPayment('77', { amountC: null, idempotencyKey: 'clave-1' })],
  ['a mandate is looked at', (gateway) => gateway.getPreapproval('abc')],
]
for (const [name, call] of calls) {
  test(`while MercadoPago refuses connections ${name} four times, and was surely not sent`, async () => {
    const sleeps: number[] = []
    const gateway = createGateway({
      accessToken: 'APP_USR-prueba',
      account: 'prueba',
      log: pino({ level: 'silent' }),
      pace: createPace({ intervalMs: 0 }),
      random: () => 0.999999999,
      sleep: async (ms) => void sleeps.push(ms),
    })
    const error: unknown = await call(gateway).catch((error: unknown) => error)
    assert.ok(error instanceof AppError, String(error))
    assert.equal(error.code, 'gateway.unreached')
    assert.match(error.mensaje, /no se envió nada/i)
    assert.match((error.cause as Error).message, /^not sent: .*ECONNREFUSED/)
    assert.ok(isPassing(error), 'a job waits for it')
    assert.deepEqual(sleeps, [2_000, 4_000, 8_000])
    assert.equal(gateway.stats().failures, 4)
  })
}
