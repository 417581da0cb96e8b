import { type ConstructorOptions, type Job, type JobResult, PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import { AppError } from '../src/errors.ts'
import { definitionOf, type JobName, jobNames } from '../src/queue/jobs.ts'
import { bringBackTimes } from '../src/queue/queries.ts'
import type { Handler, WorkerDeps } from './handler.ts'
import { type Handlers, handlers } from './handlers.ts'

export interface Worker {
  /**
   * Takes no new jobs and waits for those that run: they are asked to stop after `patienceMs`, handed back to the queue
   * after `graceMs`. Resolves within `graceMs` and a second or two.
   */
  stop(options?: { patienceMs?: number; graceMs?: number }): Promise<void>
}

export interface WorkerOptions {
  /** In place of the real ones, for tests of the worker itself. */
  handlers?: Partial<Handlers>
  /** Runs the periodic jobs; a test that counts jobs does without. */
  cron?: boolean
  /** How often to look for jobs whose worker died. The queue allows no less than a second. */
  superviseSeconds?: number
  /** How often to look whether the database's clock was put back. */
  timesSeconds?: number
}

/** Begins to take jobs out of every queue. @throws when the central database cannot be reached. */
export async function startWorker(
  deps: WorkerDeps & { log: Logger },
  { handlers: others, cron = true, superviseSeconds = 10, timesSeconds = 60 }: WorkerOptions = {},
): Promise<Worker> {
  const { log } = deps
  const boss = new PgBoss(settings(deps.config.central.url, cron, superviseSeconds))
  boss.on('error', (error) => log.error({ err: error }, 'queue'))
  boss.on('warning', (warning) => log.warn({ warning }, 'queue'))
  const stopping = new AbortController()
  await lookAtTimes(deps, { jobs: true })
  await boss.start()
  const look = setInterval(() => void lookAtTimes(deps, { jobs: false }), timesSeconds * 1000)
  try {
    for (const name of jobNames)
      await takeFrom(boss, name, { ...deps, stopping: stopping.signal, handlers: { ...handlers, ...others } })
    if (cron) await keepSchedules(boss)
    // Whatever a dead process left is found now, and not at the next turn.
    boss.supervise().catch((err: unknown) => log.warn({ err }, 'queue: the first look for dead workers failed'))
    await boss.send('tenant.sweep', {})
  } catch (error) {
    clearInterval(look)
    await boss.stop({ graceful: false })
    throw error
  }
  log.info({ queues: jobNames.length }, 'working')

  return {
    async stop({ patienceMs = 15_000, graceMs = 25_000 } = {}) {
      clearInterval(look)
      // At once: the queue itself gets to it only after it has hung up on the database.
      for (const name of jobNames) void boss.offWork(name, { wait: false })
      const patience = setTimeout(() => stopping.abort(new Error('the worker is stopping')), patienceMs)
      try {
        await boss.stop({ graceful: true, timeout: graceMs })
      } finally {
        clearTimeout(patience)
        stopping.abort(new Error('the worker has stopped'))
      }
    },
  }
}

/** No periodic job can do this: they are what may have stopped. */
async function lookAtTimes(
  { central, log }: WorkerDeps & { log: Logger },
  where: Parameters<typeof bringBackTimes>[1],
): Promise<void> {
  try {
    const found = await bringBackTimes(central, where)
    if (Object.keys(found).length > 0)
      log.error(
        { alarm: 'queue_clock', ...found },
        'the clock of the database was put back: what waited for the other time goes on',
      )
  } catch (error) {
    log.warn({ err: error }, 'queue: nobody could look whether its clock was put back')
  }
}

type TakingDeps = WorkerDeps & { log: Logger; stopping: AbortSignal; handlers: Handlers }

async function takeFrom(boss: PgBoss, name: JobName, deps: TakingDeps): Promise<void> {
  const { loops, group } = definitionOf(name)
  const options = {
    // A batch of one would wait a poll after every job; a larger one keeps finished jobs unsettled behind a slow one.
    batchSize: 2,
    localConcurrency: loops,
    burstWhenBatchFull: true,
    perJobResults: true,
    // A tenant with a thousand jobs waiting holds up nobody else's.
    ...(group && { groupConcurrency: 2 }),
    // New jobs wake us; these are for those that wait for their time, and for a day without notifications.
    notifyPollingIntervalSeconds: 2,
    pollingIntervalSeconds: 1,
  } as const
  await boss.work(name, options, (jobs: Job[]) => Promise.all(jobs.map((job) => perform(name, job, deps))))
}

/** One job from its payload to what is written about it. Never throws: one that fails does not fail its neighbours. */
async function perform(name: JobName, job: Job, deps: TakingDeps): Promise<JobResult<object>> {
  const payload = definitionOf(name).payload.safeParse(job.data)
  const { tenantId } = { tenantId: undefined, ...job.data }
  const log = deps.log.child({ job: name, jobId: job.id, attempt: job.retryCount, tenantId })
  if (!payload.success) {
    log.error({ err: payload.error }, 'job refused: its payload is not what the queue promises')
    return { id: job.id, status: 'deadletter', output: { message: payload.error.message } }
  }
  const started = performance.now()
  const signal = AbortSignal.any([job.signal, deps.stopping])
  try {
    await deps.testClock?.sync()
    const output = await (deps.handlers[name] as Handler<JobName>)(deps, payload.data as never, {
      id: job.id,
      signal,
      log,
    })
    const level = definitionOf(name).cron ? 'debug' : 'info'
    log[level]({ ms: Math.round(performance.now() - started), output }, 'job done')
    return { id: job.id, status: 'completed', ...(output && { output }) }
  } catch (error) {
    const waits = error instanceof AppError && error.kind === 'unavailable'
    log[waits ? 'info' : 'error']({ err: error, ms: Math.round(performance.now() - started) }, 'job failed')
    return { id: job.id, status: 'failed', output: failureOf(error) }
  }
}

/** What stays in the queue's table: no stack and no cause, which may quote data. */
function failureOf(error: unknown): object {
  if (error instanceof AppError) return { code: error.code, message: error.mensaje }
  return { message: error instanceof Error ? error.message : String(error) }
}

/** The periodic jobs as `jobs.ts` has them; a line that was removed there stops here. */
async function keepSchedules(boss: PgBoss): Promise<void> {
  const wanted = jobNames.flatMap((name) => {
    const { cron } = definitionOf(name)
    return cron ? [{ name, cron }] : []
  })
  for (const { name, cron } of wanted) await boss.schedule(name, cron, {}, { tz: 'America/Mexico_City' })
  const names = new Set<string>(wanted.map(({ name }) => name))
  for (const { name, key } of await boss.getSchedules()) if (key || !names.has(name)) await boss.unschedule(name, key)
}

/** A pool of its own: upkeep sends several statements at once and wants every result, which only its driver gives. */
function settings(centralUrl: string, cron: boolean, superviseSeconds: number): ConstructorOptions {
  return {
    connectionString: centralUrl,
    application_name: 'horux-worker-queue',
    max: 6,
    connectionTimeoutMillis: 3_000,
    migrate: false,
    createSchema: false,
    schedule: cron,
    supervise: true,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    useListenNotify: true,
    reindex: false, // its role owns no table
  }
}
