import { z } from 'zod'

/** One kind of background work. Payloads carry ids only: whatever else the handler needs it reads when it runs. */
export interface JobDefinition<P extends z.ZodType = z.ZodType> {
  payload: P
  /** Attempts after the first. Then the job goes to the dead letters, where an operator sees and redrives it. */
  retryLimit: number
  /** Seconds before the first retry; doubled for each further one with `backoff`, up to `retryDelayMax`. */
  retryDelay: number
  backoff: boolean
  retryDelayMax: number
  /** How long one attempt may take, seconds. */
  expireInSeconds: number
  /** A worker that died is noticed after this many seconds without a sign of life, instead of after expireInSeconds. */
  heartbeatSeconds: number
  /** Which jobs may exist side by side, counted per `key`. Cannot be changed once the queue exists. */
  policy: 'standard' | 'exclusive' | 'short'
  /** What makes two jobs the same one; needed for every policy but `standard`. */
  key?: (payload: z.output<P>) => string
  /** Whose job it is. One tenant has at most two running at a time over all workers, however many it has waiting. */
  group?: (payload: z.output<P>) => string
  /** When it runs by itself, in the time of Mexico City. The payload is then empty. */
  cron?: string
  /**
   * How many loops of a worker process take from it, two jobs each at a time and no more before both are done. For jobs
   * of tenants more than two: one tenant's slow jobs can hold up as many loops as it may have jobs running.
   */
  loops: number
}

/**
 * Every background job. The API and the worker read the same line, so neither can disagree about a name, a payload or
 * how often it is tried. A job may run twice (its worker can die between the deed and its report): handlers allow it.
 */
export const jobs = {
  // The saga's own row is the truth about its attempts; this is the nudge that makes a worker look at it.
  'tenant.operation': job({
    payload: z.object({ operationId: z.uuid(), tenantId: z.uuid() }),
    retryLimit: 8,
    retryDelay: 2,
    retryDelayMax: 60,
    heartbeatSeconds: 20,
    expireInSeconds: 600,
    policy: 'exclusive',
    // Not the tenant: the job of its last operation may still be ending when the next one is asked for, and would
    // swallow the job of that. One operation at a time is what the table of operations sees to.
    key: ({ operationId }) => operationId,
  }),
  'tenant.sweep': job({ payload: z.object({}), cron: '* * * * *' }),
  'tenant.migrate': job({
    payload: z.object({ tenantId: z.uuid() }),
    retryLimit: 4,
    retryDelay: 5,
    policy: 'exclusive',
    key: ({ tenantId }) => tenantId,
    group: ({ tenantId }) => tenantId,
  }),
  'mail.send': job({
    payload: z.object({ mailId: z.uuid() }),
    retryLimit: 10,
    retryDelay: 15,
    retryDelayMax: 3600,
    expireInSeconds: 120,
    policy: 'exclusive',
    key: ({ mailId }) => mailId,
  }),
  'mail.sweep': job({ payload: z.object({}), cron: '*/5 * * * *' }),
  // `short`: one waits while another runs, so that what is decided meanwhile is told too.
  'outbox.publish': job({
    payload: z.object({ tenantId: z.uuid() }),
    policy: 'short',
    key: ({ tenantId }) => tenantId,
    group: ({ tenantId }) => tenantId,
  }),
  'outbox.sweep': job({ payload: z.object({}), cron: '17 * * * *' }),
  // At the end of the day: what it misses is rebuilt from the log of seats.
  'billing.seats': job({ payload: z.object({}), cron: '55 23 * * *' }),
  // What to look at again at MercadoPago. The row of the resource is the truth and holds its own lease and next try; the
  // job is the nudge, so that one that got lost costs five minutes.
  'billing.fetch': job({
    payload: z.object({
      connectorId: z.uuid(),
      kind: z.enum(['payment', 'preapproval', 'authorized_payment', 'chargeback']),
      resourceId: z.string(),
    }),
    retryLimit: 2,
    retryDelay: 5,
    loops: 4,
  }),
  'billing.command': job({
    payload: z.object({ commandId: z.uuid() }),
    retryLimit: 2,
    retryDelay: 5,
    policy: 'exclusive',
    key: ({ commandId }) => commandId,
  }),
  // A subscription's mandate read anew, and then whatever is due of it.
  'billing.sync': job({
    payload: z.object({ subscriptionId: z.uuid() }),
    retryLimit: 2,
    retryDelay: 10,
    policy: 'exclusive',
    key: ({ subscriptionId }) => subscriptionId,
  }),
  // Not the only trigger of anything at an hour: the queue's clock forgets turns that it missed.
  'billing.sweep': job({ payload: z.object({}), cron: '*/5 * * * *' }),
  'billing.reconcile': job({ payload: z.object({}), cron: '*/5 * * * *' }),
  'billing.nightly': job({
    payload: z.object({}),
    policy: 'exclusive',
    key: () => 'nightly',
    retryLimit: 1,
    loops: 1,
    expireInSeconds: 3600,
  }),
  'billing.monitor': job({ payload: z.object({}), cron: '30 * * * *' }),
  // What is due of one company, a little at a time. `short`: a turn that leaves something asks for another, which waits
  // behind the turns of everybody else.
  'sat.estado': job({
    payload: z.object({ tenantId: z.uuid() }),
    retryLimit: 2,
    policy: 'short',
    key: ({ tenantId }) => tenantId,
    group: ({ tenantId }) => tenantId,
  }),
  'sat.estado.sweep': job({ payload: z.object({}), cron: '*/10 * * * *' }),
  // One turn of a company: what is due of its requests and packages, as much as a turn may. Their rows are the truth.
  // `short`: what is decided while a turn runs gets a turn too.
  'sat.sync': job({
    payload: z.object({ tenantId: z.uuid() }),
    retryLimit: 2,
    retryDelay: 30,
    expireInSeconds: 3600,
    policy: 'short',
    key: ({ tenantId }) => tenantId,
    group: ({ tenantId }) => tenantId,
  }),
  'sat.sync.sweep': job({ payload: z.object({}), cron: '* * * * *' }),
  // A package of metadata into the company's database. Its row there says how far it got.
  'sat.lectura': job({
    payload: z.object({ tenantId: z.uuid(), solicitudId: z.uuid(), paqueteId: z.string() }),
    retryLimit: 20,
    retryDelay: 5,
    retryDelayMax: 600,
    expireInSeconds: 7200,
    policy: 'short',
    key: ({ paqueteId }) => paqueteId,
    group: ({ tenantId }) => tenantId,
  }),
  // The files of an e.firma as its row has them: written, or gone.
  'fiel.files': job({
    payload: z.object({ credentialId: z.uuid() }),
    retryLimit: 10,
    retryDelay: 5,
    policy: 'short',
    key: ({ credentialId }) => credentialId,
  }),
  // Files that a job lost, opened e.firmas whose half hour is over, notices of expiry.
  'fiel.sweep': job({ payload: z.object({}), cron: '*/5 * * * *' }),
  // Begins anew whenever it is interrupted, from another snapshot: its row and its file are the truth.
  'cfdi.export': job({
    payload: z.object({ tenantId: z.uuid(), exportId: z.uuid() }),
    retryLimit: 6,
    retryDelay: 5,
    retryDelayMax: 120,
    expireInSeconds: 14_400,
    policy: 'exclusive',
    key: ({ exportId }) => exportId,
    group: ({ tenantId }) => tenantId,
    loops: 3,
  }),
  'cfdi.exports-sweep': job({ payload: z.object({}), cron: '*/10 * * * *' }),
  // A load of files. Its row says how far it got, so a worker that stops between two batches hands it back. `short`: tried
  // again while the last attempt is still ending, it must not be swallowed by that.
  'cfdi.import': job({
    payload: z.object({ tenantId: z.uuid(), cargaId: z.uuid() }),
    retryLimit: 20,
    retryDelay: 2,
    retryDelayMax: 120,
    expireInSeconds: 7200,
    policy: 'short',
    key: ({ cargaId }) => cargaId,
    group: ({ tenantId }) => tenantId,
  }),
  'cfdi.import-sweep': job({ payload: z.object({}), cron: '*/10 * * * *' }),
  'cfdi.import-tidy': job({
    payload: z.object({ tenantId: z.uuid() }),
    policy: 'exclusive',
    key: ({ tenantId }) => tenantId,
    group: ({ tenantId }) => tenantId,
  }),
  // After the upgrade that began to keep whole CFDI: the migration leaves one in each company's outbox.
  'cfdi.complete': job({
    payload: z.object({ tenantId: z.uuid() }),
    retryLimit: 20,
    retryDelay: 60,
    retryDelayMax: 3600,
    expireInSeconds: 7200,
    policy: 'short',
    key: ({ tenantId }) => tenantId,
    group: ({ tenantId }) => tenantId,
  }),
  // How full the plan of a company is, after its plan changed. What was told of which plan is written down, and the sweep
  // compares: a change that nobody heard of costs a minute.
  'cfdi.limit': job({
    payload: z.object({ tenantId: z.uuid() }),
    retryLimit: 2,
    retryDelay: 5,
    policy: 'exclusive',
    key: ({ tenantId }) => tenantId,
    group: ({ tenantId }) => tenantId,
    loops: 1,
  }),
  'cfdi.limit-sweep': job({ payload: z.object({}), cron: '* * * * *' }),
  'cleanup.expired': job({ payload: z.object({}), cron: '*/10 * * * *' }),
} as const

export type JobName = keyof typeof jobs
export type Payload<N extends JobName> = z.output<(typeof jobs)[N]['payload']>

export const jobNames = Object.keys(jobs) as JobName[]

/** The definition without its payload's type, for code that treats all queues alike. */
export const definitionOf = (name: JobName): JobDefinition => jobs[name] as unknown as JobDefinition

/** Where jobs end whose retries are used up. Nothing works on it: `source_name` tells where each came from. */
export const deadLetterQueue = 'dead-letters'

type Given<P extends z.ZodType> = Pick<JobDefinition<P>, 'payload'> & Partial<JobDefinition<P>>

function job<P extends z.ZodType>(given: Given<P>): JobDefinition<P> {
  // A sweep that failed is repeated by its next turn, and two at once would do the same work twice.
  const usual = given.cron
    ? { retryLimit: 0, policy: 'exclusive' as const, key: () => 'cron', loops: 1 }
    : { retryLimit: 5, policy: 'standard' as const, loops: given.group ? 4 : 2 }
  return {
    retryDelay: 30,
    backoff: true,
    retryDelayMax: 600,
    expireInSeconds: 900,
    heartbeatSeconds: 20,
    ...usual,
    ...given,
  }
}
