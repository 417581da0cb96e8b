import Fastify, { type FastifyInstance } from 'fastify'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { App } from './zod.ts'

/** Counts of the tenant pools of this process: what there is now, and what has happened since it began. */
export interface PoolCounts {
  live: number
  connections: number
  leased: number
  waiting: number
  opens: number
  evictions: number
  /** Within a minute of opening: above one per second the busy companies do not fit TENANT_DB_BUDGET. */
  youngEvictions: number
  retries: number
  /** A wire that led to another tenant's database. */
  mismatches: number
}

export interface MetricSources {
  tenantPools?: () => PoolCounts
  /** Waiting and running jobs per queue. */
  queueDepth?: () => Promise<readonly { queue: string; state: string; jobs: number }[]>
}

export interface Metrics {
  registry: Registry
  watch(app: App): void
}

/**
 * What is counted. Labels are route patterns, methods, statuses and queue names: their number does not grow with
 * customers. The id of a tenant is never a label.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer, by route pattern',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
    registers,
  })
  const inFlight = new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests being answered, streams apart',
    registers,
  })
  const aborted = new Counter({
    name: 'http_requests_aborted_total',
    help: 'Clients that left before the answer, streams apart',
    registers,
  })
  if (sources.tenantPools) watchPools(sources.tenantPools, registers)
  if (sources.queueDepth) watchQueues(sources.queueDepth, registers)

  return {
    registry,
    watch(app) {
      app.addHook('onRequest', async (request, reply) => {
        // Streams keep nobody busy, and end by being left.
        if (request.routeOptions.config.flujo) return
        inFlight.inc()
        // `close` comes exactly once, answered or not; Fastify's hooks do not, and of whoever leaves once his body was read
        // they say nothing.
        reply.raw.once('close', () => {
          inFlight.dec()
          if (!reply.raw.writableFinished) aborted.inc()
        })
      })
      app.addHook('onResponse', async (request, reply) => {
        const route = request.routeOptions.url ?? 'none'
        duration.observe({ route, method: request.method, status: reply.statusCode }, reply.elapsedTime / 1000)
      })
    },
  }
}

function watchPools(read: () => PoolCounts, registers: Registry[]): void {
  new Gauge({
    name: 'tenant_pools',
    help: 'Tenant pools open, their connections, leases in use and callers waiting for one',
    labelNames: ['what'],
    registers,
    collect() {
      const { live, connections, leased, waiting } = read()
      for (const [what, n] of Object.entries({ live, connections, leased, waiting })) this.set({ what }, n)
    },
  })
  new Counter({
    name: 'tenant_pool_events_total',
    help: 'Pools opened and evicted, uses begun again elsewhere, wires that led to the wrong database',
    labelNames: ['event'],
    registers,
    collect() {
      const { opens, evictions, youngEvictions, retries, mismatches } = read()
      this.reset()
      for (const [event, n] of Object.entries({ opens, evictions, youngEvictions, retries, mismatches }))
        this.inc({ event }, n)
    },
  })
}

function watchQueues(read: NonNullable<MetricSources['queueDepth']>, registers: Registry[]): void {
  new Gauge({
    name: 'pgboss_queue_depth',
    help: 'Jobs by queue and state',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      this.reset()
      for (const { queue, state, jobs } of await read()) this.set({ queue, state }, jobs)
    },
  })
}

/** Answers `/metrics`. For a listener of its own on loopback: what it tells is for the operator. */
export function metricsApp({ registry }: Metrics): FastifyInstance {
  const app = Fastify({ logger: false, requestTimeout: 10_000 })
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  return app
}
