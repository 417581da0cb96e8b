import path from 'node:path'
import { z } from 'zod'
import { DEFAULT_TOKEN, startSimulator } from './simulator.ts'

/**
 * The simulated MercadoPago as a process of its own, started by `make start`. Prints one line of JSON when it listens; a
 * busy port or a bad setting ends it with the reason on stderr (exit 1, or 78 for a setting).
 */
const Environment = z.object({
  // In production money must be real, so HORUX_ENV=production is one of the refused settings.
  HORUX_ENV: z.enum(['development', 'test']).default('development'),
  NODE_ENV: z
    .string()
    .refine((value) => value !== 'production', 'the simulator is not for production')
    .optional(),
  MERCADOPAGO_SIM_PORT: z.coerce.number().int().min(0).max(65535).default(8035),
  MERCADOPAGO_SIM_DIR: z.string().min(1).optional(),
  MERCADOPAGO_SIM_TOKEN: z.string().min(8).default(DEFAULT_TOKEN),
  MERCADOPAGO_SIM_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  MERCADOPAGO_SIM_WEBHOOK_SECRET: z.string().min(16).optional(),
  MERCADOPAGO_SIM_APP_URL: z.url({ protocol: /^https?$/ }).optional(),
})

// A variable that is set to nothing is not set.
const env = Environment.safeParse(Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== '')))
if (!env.success) {
  for (const issue of env.error.issues)
    console.error(`mercadopago-simulator: ${issue.path.join('.')}: ${issue.message}`)
  process.exit(78)
}

const {
  MERCADOPAGO_SIM_DIR: folder,
  MERCADOPAGO_SIM_WEBHOOK_URL: webhookUrl,
  MERCADOPAGO_SIM_WEBHOOK_SECRET: webhookSecret,
  MERCADOPAGO_SIM_APP_URL: appUrl,
} = env.data
const simulator = await startSimulator({
  port: env.data.MERCADOPAGO_SIM_PORT,
  accessToken: env.data.MERCADOPAGO_SIM_TOKEN,
  ...(folder !== undefined && { snapshotFile: path.join(folder, 'mercadopago.json') }),
  ...(webhookUrl !== undefined && { webhookUrl }),
  ...(webhookSecret !== undefined && { webhookSecret }),
  ...(appUrl !== undefined && { appUrl }),
  log: { error: ({ err }, message) => console.error(`mercadopago-simulator: ${message}:`, err) },
}).catch((error: Error) => {
  console.error(`mercadopago-simulator: ${error.message}`)
  process.exit(1)
})
console.log(JSON.stringify({ msg: 'mercadopago simulator listening', url: `${simulator.url}/` }))

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    simulator.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}
