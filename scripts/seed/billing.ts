import { z } from 'zod'
import { call } from './client.ts'

export interface BillingSeed {
  apiUrl: string
  /** Of staff. */
  token: string
  /** The account of the simulator that the companies pay to; undefined where there is no simulator. */
  mercadoPago: { accessToken: string; webhookSecret: string } | undefined
  say: (line: string) => void
}

/** Prices and somebody to pay them to. What staff has decided stays: only plans without any price get one. */
export async function seedBilling(seed: BillingSeed): Promise<void> {
  await seedPrices(seed)
  if (seed.mercadoPago) await seedConnector(seed, seed.mercadoPago)
}

/** Of a month and of a year, IVA as the plan says. Invented: the owner sets those that are sold. */
const PRICES: Readonly<Record<string, { precioMensual: string; precioAnual: string }>> = {
  starter: { precioMensual: '350.00', precioAnual: '3500.00' },
  business: { precioMensual: '650.00', precioAnual: '6500.00' },
  professional: { precioMensual: '1250.00', precioAnual: '12500.00' },
  enterprise: { precioMensual: '2900.00', precioAnual: '29000.00' },
}
const EXTRA_USER = '85.00'

/** One after the other, each looked at by itself: killed between two, the rest is done next time. */
async function seedPrices({ apiUrl, token, say }: BillingSeed): Promise<void> {
  const { datos } = await call(apiUrl, 'GET', '/api/planes?limite=200', Planes, { token })
  const unpriced = datos.filter(
    (plan) => plan.precioMensual === null && plan.precioAnual === null && plan.precioUsuarioExtra === null,
  )
  for (const plan of unpriced) {
    const prices = PRICES[plan.codigo]
    if (!prices) continue
    const body = { ...plan, ...prices, precioUsuarioExtra: EXTRA_USER }
    await call(apiUrl, 'PUT', '/api/planes', z.unknown(), { token, body })
    say(`precio de demostración de ${plan.codigo}: ${prices.precioMensual} al mes`)
  }
}

async function seedConnector(
  { apiUrl, token, say }: BillingSeed,
  { accessToken, webhookSecret }: NonNullable<BillingSeed['mercadoPago']>,
): Promise<void> {
  const { datos } = await call(apiUrl, 'GET', '/api/conectores-pago', Conectores, { token })
  if (datos.some(({ principal }) => principal)) return
  const body = { nombre: 'MercadoPago (simulador)', tipo: 'simulador', accessToken, webhookSecret }
  const { id } =
    datos.find(({ tipo }) => tipo === 'simulador') ??
    (await call(apiUrl, 'POST', '/api/conectores-pago', Conector, { token, body }))
  await call(apiUrl, 'POST', `/api/conectores-pago/${id}/verificar`, z.unknown(), { token })
  await call(apiUrl, 'POST', `/api/conectores-pago/${id}/principal`, z.unknown(), { token })
  say('se cobra con el simulador de MercadoPago')
}

// What PUT takes of what GET gives.
const Plan = z.object({
  codigo: z.string(),
  nombre: z.string(),
  precioMensual: z.string().nullable(),
  precioAnual: z.string().nullable(),
  precioUsuarioExtra: z.string().nullable(),
  modoImpuesto: z.string(),
  tasa: z.string(),
  limiteCfdi: z.int(),
  limiteUsuarios: z.int(),
  modoLimiteUsuarios: z.string(),
  modoLimiteCfdi: z.string(),
  funciones: z.array(z.string()),
})
const Planes = z.object({ datos: z.array(Plan) })
const Conector = z.object({ id: z.string(), tipo: z.string(), principal: z.boolean() })
const Conectores = z.object({ datos: z.array(Conector) })
