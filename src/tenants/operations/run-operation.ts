import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { crashpoint } from '../../crashpoint.ts'
import { partWith } from '../servers/part-with.ts'
import { tryLockTenant } from '../servers/queries.ts'
import { isPermanent, operationError } from './failure.ts'
import type { Operation, OperationError } from './operation.ts'
import { findOrMakeSite } from './place-waiting.ts'
import * as queries from './queries.ts'
import type { CentralWrite, Context, OperationDeps, Saga } from './saga.ts'
import { sagaOf } from './sagas.ts'

/** `waiting`: no server has room, the sweep tries again. `busy`: somebody else holds the operation or the tenant. */
export type Outcome = 'succeeded' | 'failed' | 'compensated' | 'waiting' | 'busy'

export interface RunOptions {
  signal?: AbortSignal
  /** After so many attempts the operation is given up and undone. */
  maxAttempts?: number
  /** How long a dead worker keeps an operation. Renewed while it lives. */
  leaseMs?: number
  /** How long to wait for the lock of a tenant whose last worker may still be dying. */
  lockWaitMs?: number
}

/**
 * Works on an operation from the step after its last noted one to its end.
 *
 * Safe to be called by any number of processes at once and killed at any moment. Three things see to it: the lease says
 * who may write about the operation; the tenant's lock, held by the very session that changes the server, says who may
 * act; and each step looks at what is there before it does anything.
 * @throws what a step threw, when another attempt may help: the caller tries again later.
 */
export async function runOperation(deps: OperationDeps, id: string, options: RunOptions = {}): Promise<Outcome> {
  const { signal, maxAttempts = 6, leaseMs = 30_000, lockWaitMs = 10_000 } = options
  const holder = { id, worker: `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}` }
  const operation = await queries.claimOperation(deps.central, { ...holder, leaseMs })
  if (!operation) return settled(await queries.findOperation(deps.central, id))
  const hold: Hold = { deps, operation, holder, leaseMs, ...(signal && { signal }) }

  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(keepRenewing(hold))
  let context: Context
  try {
    const site = await findOrMakeSite(deps, operation)
    if (!site) {
      await queries.releaseOperation(deps.central, holder, { forgiven: true, requeue: true })
      // It may have been cancelled meanwhile; then it was not ours to release.
      const now = await queries.findOperation(deps.central, id)
      return now?.finishedAt ? settled(now) : 'waiting'
    }
    const owner = cleanup.adopt(await deps.servers.owner(site.server), partWith)
    context = { deps, operation, site, owner, write: (work) => writeAsHolder(hold, work), cleanup }
    if (!(await lockTenant(context, lockWaitMs))) {
      await queries.releaseOperation(deps.central, holder, { forgiven: true })
      return 'busy'
    }
  } catch (error) {
    // A server that is down says nothing against the operation: it waits as long as it takes.
    await queries.releaseOperation(deps.central, holder, { error: operationError('lock', error), forgiven: true })
    throw error
  }

  // `return await` below: without it the lock's session would be ended before the work is.
  const saga = sagaOf(context)
  if (operation.state === 'compensating') return await takeBack(hold, saga, operation.error ?? workerDied)
  if (operation.attempts > maxAttempts) return await takeBack(hold, saga, operation.error ?? workerDied)
  const progress = { step: 'lock' }
  try {
    await forward(hold, saga, progress)
    return 'succeeded'
  } catch (error) {
    if (error instanceof LeaseLost) return 'busy'
    const failure = operationError(progress.step, error)
    deps.log.warn(
      { err: error, operationId: id, tenantId: operation.tenantId, step: progress.step },
      'operation step failed',
    )
    if (isPermanent(error) || (operation.attempts >= maxAttempts && !signal?.aborted))
      return await takeBack(hold, saga, failure)
    await queries.releaseOperation(deps.central, holder, signal?.aborted ? { forgiven: true } : { error: failure })
    throw error
  }
}

/** What this attempt has in hand. */
interface Hold {
  deps: OperationDeps
  operation: Operation
  holder: queries.Holder
  leaseMs: number
  signal?: AbortSignal
}

async function forward(hold: Hold, saga: Saga, progress: { step: string }): Promise<void> {
  const { deps, operation, holder, leaseMs, signal } = hold
  const { kind } = operation
  const noted = saga.steps.findIndex((step) => step.name === operation.step)
  // The note of a step is written while the next one runs: a step may be repeated, so a note that comes late costs
  // nothing, and one that finds the operation in other hands stops us before anything is closed.
  let noting: Promise<void> = Promise.resolve()
  const note = async (name: string, before: Promise<void>) => {
    await before
    if (!(await queries.saveStep(deps.central, holder, name, leaseMs))) throw new LeaseLost()
    crashpoint(`${kind}.${name}.noted`)
  }
  for (const step of saga.steps.slice(noted + 1)) {
    signal?.throwIfAborted()
    progress.step = step.name
    crashpoint(`${kind}.${step.name}.before`)
    await step.run()
    crashpoint(`${kind}.${step.name}.done`)
    noting = note(step.name, noting)
    noting.catch(() => undefined) // awaited below
  }
  signal?.throwIfAborted()
  progress.step = saga.finish.name
  crashpoint(`${kind}.${saga.finish.name}.before`)
  const [write] = await Promise.all([saga.finish.prepare(), noting])
  await close(hold, { state: 'succeeded', step: saga.finish.name }, write)
  crashpoint(`${kind}.${saga.finish.name}.done`)
}

/** Undoes every step that can be undone, the last one first: which of them ran half way nobody can know. */
async function takeBack(hold: Hold, saga: Saga, error: OperationError): Promise<Outcome> {
  const { deps, operation, holder } = hold
  const undoable = saga.steps.filter((step) => step.undo)
  try {
    if (!(await queries.startCompensation(deps.central, holder, error))) return 'busy'
    for (const step of undoable.toReversed()) {
      crashpoint(`${operation.kind}.${step.name}.undo`)
      await step.undo?.()
    }
    const state = undoable.length > 0 ? 'compensated' : 'failed'
    await close(hold, { state, error }, saga.giveUp)
    deps.log.error(
      { operationId: operation.id, tenantId: operation.tenantId, kind: operation.kind, error },
      'operation given up',
    )
    return state
  } catch (failure) {
    if (failure instanceof LeaseLost) return 'busy'
    if (!isPermanent(failure)) {
      await queries.releaseOperation(deps.central, holder, { error })
      throw failure
    }
    // What is there is not what we left: a person must look before anything is dropped.
    const what = { err: failure, operationId: operation.id, tenantId: operation.tenantId }
    deps.log.error({ ...what, alarm: 'tenants.undo_failed' }, 'an operation could not be undone')
    await close(hold, { state: 'failed', error }, saga.giveUp)
    return 'failed'
  }
}

async function writeAsHolder({ deps, holder, leaseMs }: Hold, work: CentralWrite): Promise<void> {
  await deps.central.transaction().execute(async (trx) => {
    if (!(await queries.keepHold(trx, holder, leaseMs))) throw new LeaseLost()
    await work(trx)
  })
}

async function close(
  { deps, operation, holder }: Hold,
  outcome: Parameters<typeof queries.closeOperation>[2],
  write: CentralWrite,
): Promise<void> {
  await deps.central.transaction().execute(async (trx) => {
    if (!(await queries.closeOperation(trx, holder, outcome, deps.clock.now()))) throw new LeaseLost()
    await write(trx)
    crashpoint(`${operation.kind}.closing`)
  })
}

/** Tries, instead of waiting in the server: a waiter would hold a snapshot and be killed by the statement timeout. */
async function lockTenant({ owner, operation }: Context, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs
  while (!(await tryLockTenant(owner, operation.tenantId))) {
    if (performance.now() >= deadline) return false
    await pause(25)
  }
  return true
}

function keepRenewing({ deps, holder, leaseMs }: Hold): () => void {
  const renew = () =>
    queries.renewLease(deps.central, holder, leaseMs).catch((error: unknown) => {
      deps.log.warn({ err: error, operationId: holder.id }, 'lease not renewed')
    })
  const timer = setInterval(renew, leaseMs / 3)
  return () => clearInterval(timer)
}

function settled(operation: Operation | undefined): Outcome {
  const state = operation?.state
  return state === 'succeeded' || state === 'failed' || state === 'compensated' ? state : 'busy'
}

/** Somebody else took the operation over: nothing more is written about it here. */
class LeaseLost extends Error {}

const workerDied: OperationError = {
  step: 'lock',
  code: 'operation.worker_died',
  message: 'El proceso que hacía la operación terminó varias veces sin concluirla.',
}
