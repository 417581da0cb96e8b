import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { openAs } from '../../src/db/client.ts'
import { WORKER_PROCESS } from '../../src/queue/worker-process.ts'
import { childEnv } from './child-env.ts'
import type { Tenancy } from './tenancy.ts'

/** A tenancy, or a whole product. */
interface Surroundings {
  env: Readonly<Record<string, string>>
}

/** A real worker in a process of its own. It is killed with the test's process at the latest. */
export function spawnWorker({ env }: Surroundings, extra: Record<string, string> = {}): ChildProcess {
  const main = path.join(import.meta.dirname, '..', '..', 'workers', 'main.ts')
  const child = spawn(process.execPath, [...WORKER_PROCESS.nodeFlags, main], {
    env: { ...childEnv(), ...WORKER_PROCESS.env, WORKER_METRICS_PORT: '0', ...env, ...extra },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** Lets a worker work until it dies by its own hand at `point`. @throws when it does not come by there in time */
export async function workUntilCrash(of: Surroundings, point: string): Promise<void> {
  const child = spawnWorker(of, { HORUX_CRASH_AT: point })
  const tooLong = setTimeout(() => child.kill('SIGTERM'), 180_000)
  const [code, signal] = await once(child, 'exit')
  clearTimeout(tooLong)
  if (signal !== 'SIGKILL') throw new Error(`the worker did not die at ${point}, it ended with ${code ?? signal}`)
}

/** Time passes: leases of the dead run out, and the queue misses their heartbeats. */
export async function outliveTheDead({ owner }: Pick<Tenancy, 'owner'>): Promise<void> {
  await owner.query(`
    update tenant_operations set lease_until = lease_until - interval '1 minute';
    update pgboss.job set heartbeat_on = heartbeat_on - interval '1 minute' where state = 'active';
    update mp_resources set claimed_until = claimed_until - interval '2 minutes';
    update mp_commands set claimed_until = claimed_until - interval '6 minutes';
    update mail_outbox set claimed_until = claimed_until - interval '2 minutes', queued_at = queued_at - interval '2 minutes'
      where claimed_until is not null;
    update app_instances set heartbeat_at = heartbeat_at - interval '1 minute';
    update pgboss.queue set monitor_on = null, maintain_on = null`)
}

/** The queue of a product has missed the dead, as it does ten seconds later, and tries again at once. */
export async function missTheDead({ centralOwnerUrl }: { centralOwnerUrl: string }): Promise<void> {
  const owner = await openAs(centralOwnerUrl)
  try {
    await outliveTheDead({ owner })
    await owner.query(`update pgboss.job set state = 'retry', start_after = now() where state = 'active'`)
  } finally {
    await owner.end()
  }
}
