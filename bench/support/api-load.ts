import { anyFreePort } from '../../scripts/supervisor/ports.ts'
import type { Side } from '../harness.ts'
import { type ServerChild, startServer } from './child.ts'
import { type Cost, cpuMeter, processCpu } from './cpu.ts'
import { requestsPerSecond } from './load.ts'

export const POOL_MAX = 3
export const CONNECTIONS = 32
const SECONDS = 6
const WARM_UP_SECONDS = 10

export interface Requests {
  url: string
  headers: Readonly<Record<string, string>>
}

/** The product's API in a process of its own. */
export function startApi(
  env: Readonly<Record<string, string>>,
  { logFile, nodeFlags = [] }: { logFile: string; nodeFlags?: readonly string[] },
): Promise<ServerChild> {
  return withPort((port) =>
    startServer({
      file: 'src/server.ts',
      // Everything on, as in production, but a limit that this load does not reach.
      env: {
        ...env,
        HORUX_ENV: 'development',
        API_PORT: String(port),
        METRICS_PORT: '0',
        RATE_LIMIT_PER_MINUTE: '1000000000',
        TENANT_POOL_MAX: String(POOL_MAX),
      },
      port,
      probe: '/api/ready',
      logFile,
      nodeFlags: [...nodeFlags, ...(process.env['BENCH_NODE_FLAGS'] ?? '').split(' ').filter(Boolean)],
    }),
  )
}

export const withPort = async <T>(start: (port: number) => Promise<T>): Promise<T> => start(await anyFreePort())

export interface Measured extends Pick<Side, 'round'> {
  warmUp(): Promise<unknown>
  cost(): Cost
}

/** Rounds of requests to one side, and the CPU that they cost. */
export function measured(requests: Requests, pid: number, pgCpu: () => number | undefined): Measured {
  const meter = cpuMeter(pgCpu, () => processCpu(pid))
  const load = { ...requests, connections: CONNECTIONS, seconds: SECONDS }
  return {
    // Until the compiler of the engine is done with what runs often, as it is in a process that has run for a minute.
    warmUp: () => requestsPerSecond({ ...load, seconds: WARM_UP_SECONDS }),
    async round() {
      const { perSecond } = await meter.round(async () => {
        const answered = await requestsPerSecond(load)
        return { perSecond: answered, count: answered * SECONDS }
      })
      return perSecond
    },
    cost: meter.cost,
  }
}
