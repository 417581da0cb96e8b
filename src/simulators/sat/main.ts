import path from 'node:path'
import { z } from 'zod'
import { startSatSimulator } from './simulator.ts'
import { createUniverse } from './universe/create-universe.ts'

/**
 * The simulated SAT as a process of its own, started by `make start`. Prints one line of JSON when it listens; a busy port
 * or a bad setting ends it with the reason on stderr (exit 1, or 78 for a setting).
 */
const Environment = z.object({
  // In production what is said of a CFDI must be true, so HORUX_ENV=production is one of the refused settings.
  HORUX_ENV: z.enum(['development', 'test']).default('development'),
  NODE_ENV: z
    .string()
    .refine((value) => value !== 'production', 'the simulator is not for production')
    .optional(),
  SAT_SIM_PORT: z.coerce.number().int().min(0).max(65535).default(8045),
  SAT_SIM_DIR: z.string().min(1).optional(),
  SAT_SIM_APP_URL: z.url({ protocol: /^https?$/ }).optional(),
})

// A variable that is set to nothing is not set.
const env = Environment.safeParse(Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== '')))
if (!env.success) {
  for (const issue of env.error.issues) console.error(`sat-simulator: ${issue.path.join('.')}: ${issue.message}`)
  process.exit(78)
}

const { SAT_SIM_PORT: port, SAT_SIM_DIR: folder, SAT_SIM_APP_URL: appUrl } = env.data
const simulator = await startSatSimulator({
  port,
  universe: createUniverse({ folder }),
  // Long enough to be seen waiting, short enough to be waited for.
  ajustes: { esperaMinMs: 20_000, esperaMaxMs: 40_000 },
  ...(appUrl !== undefined && { appUrl }),
  ...(folder !== undefined && { snapshotFile: path.join(folder, 'sat.json') }),
}).catch((error: Error) => {
  console.error(`sat-simulator: ${error.message}`)
  process.exit(1)
})
console.log(JSON.stringify({ msg: 'sat simulator listening', url: `${simulator.url}/` }))

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    simulator.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
}
