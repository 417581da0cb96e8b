import { statfs } from 'node:fs/promises'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import type { Drain } from './drain.ts'
import { within } from './within.ts'
import type { App } from './zod.ts'

/** What this process needs to be able to work. Each rejects when it does not hold. */
export interface ReadyChecks {
  /** The central database answers and its schema is at least what this build needs. */
  central(): Promise<void>
}

const LEAST_DISK = 0.1
const READY_WITHIN_MS = 1000

/**
 * `live`: the loop turns, nothing else, or a blip of the database would restart everything.
 * `ready`: send requests here. `health`: for people.
 */
export const healthRoutes =
  (deps: { version: string; clock: Clock; drain: Drain; ready: ReadyChecks }) => async (app: App) => {
    const Health = z.strictObject({
      status: z.enum(['ok', 'degradado']),
      timestamp: z.iso.datetime(),
      version: z.string(),
    })

    app.get('/api/live', route('El proceso responde', z.strictObject({ status: z.literal('ok') })), async () => {
      return { status: 'ok' as const }
    })

    app.get(
      '/api/ready',
      route('El proceso puede atender solicitudes', z.strictObject({ status: z.literal('ok') })),
      async (request) => {
        const missing = await whatIsMissing(deps)
        if (missing.length === 0) return { status: 'ok' as const }
        if (!deps.drain.draining)
          request.log.warn({ missing: missing.map(({ what }) => what), err: missing[0]?.error }, 'not ready')
        throw new AppError(
          'unavailable',
          `ready.${missing[0]?.what}`,
          'Este proceso no puede atender solicitudes por ahora.',
          { retryAfterS: 1 },
        )
      },
    )

    app.get('/api/health', route('Estado, hora y versión', Health), async () => {
      const missing = await whatIsMissing(deps)
      return {
        status: missing.length === 0 ? ('ok' as const) : ('degradado' as const),
        timestamp: deps.clock.now().toISOString(),
        version: deps.version,
      }
    })
  }

const route = <T extends z.ZodType>(summary: string, answer: T) => ({
  config: {
    acceso: { quien: 'publico' as const },
    probe: true as const,
    rateLimit: false as const,
    pressureHandler: () => undefined,
  },
  schema: { summary, tags: ['Salud'], response: { 200: answer } },
})

interface Missing {
  what: 'draining' | 'central' | 'disk'
  error?: unknown
}

async function whatIsMissing({ drain, ready }: { drain: Drain; ready: ReadyChecks }): Promise<Missing[]> {
  if (drain.draining) return [{ what: 'draining' }]
  const [central, disk] = await Promise.allSettled([within(READY_WITHIN_MS, ready.central()), freeDisk()])
  const missing: Missing[] = []
  if (central.status === 'rejected') missing.push({ what: 'central', error: central.reason })
  if (disk.status === 'rejected' || disk.value <= LEAST_DISK) missing.push({ what: 'disk' })
  return missing
}

/** Share of the disk of the working folder that is free: uploads and logs go there. */
async function freeDisk(): Promise<number> {
  const { bavail, blocks } = await statfs('.')
  return blocks === 0 ? 1 : bavail / blocks
}
