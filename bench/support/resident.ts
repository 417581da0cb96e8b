import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { WORKER_PROCESS } from '../../src/queue/worker-process.ts'
import type { Product } from '../../test/support/product.ts'
import { type ServerChild, startServer } from './child.ts'

/** A worker of its own process, started as a machine would start it. `port` and the one before are its metrics'. */
export function startMeasuredWorker(product: Product, port: number): Promise<ServerChild> {
  return startServer({
    file: 'workers/main.ts',
    env: {
      ...product.env,
      ...WORKER_PROCESS.env,
      METRICS_PORT: String(port - 1),
      WORKER_METRICS_PORT: String(port),
      LOG_LEVEL: 'info',
    },
    nodeFlags: WORKER_PROCESS.nodeFlags,
    port,
    probe: '/metrics',
    logFile: path.join(path.dirname(product.deps.config.filesPath), 'worker.log'),
  })
}

/** Of a process: what is resident now, or the kernel's own mark of the most that was, in MiB. */
export function resident(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const [, kib = '0'] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

/** Forgets the mark. @returns what is resident now, MiB */
export function forgetPeak(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  return resident(pid, 'VmRSS')
}
