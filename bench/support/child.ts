import { type ChildProcess, spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import path from 'node:path'

/** A server of its own process, which answers at `url`. */
export interface ServerChild {
  url: string
  pid: number
  stop(): Promise<void>
}

/**
 * Starts `file` (from the root of the repository) with nothing but `env` and waits until `probe` is answered. Its log
 * goes to a file, as under systemd it would go to the journal.
 */
export async function startServer(options: {
  file: string
  env: Readonly<Record<string, string>>
  port: number
  probe: string
  logFile: string
  nodeFlags?: readonly string[]
}): Promise<ServerChild> {
  const root = path.join(import.meta.dirname, '..', '..')
  const log = openSync(options.logFile, 'w')
  const args = [...(options.nodeFlags ?? []), path.join(root, options.file)]
  const env = { PATH: process.env['PATH'] ?? '', TZ: 'America/Mexico_City', ...options.env }
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', log, log] })
  const url = `http://127.0.0.1:${options.port}`
  await answers(child, `${url}${options.probe}`, options.logFile)
  return { url, pid: child.pid ?? 0, stop: () => stop(child) }
}

async function answers(child: ChildProcess, url: string, logFile: string): Promise<void> {
  const deadline = performance.now() + 20_000
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server of ${url} ended: see ${logFile}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    if (performance.now() > deadline) throw new Error(`${url} did not answer in 20 s: see ${logFile}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('exit', () => resolve())
  child.kill('SIGTERM')
  await promise
}
