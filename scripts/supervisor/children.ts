import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT } from '../exit-codes.ts'
import { ROOT } from './environment.ts'
import { type Instance, stopGroup } from './instance.ts'

export interface ChildSpec {
  /** What the log lines and the box call it. */
  name: string
  /** Relative to the root, such as `src/server.ts`. */
  script: string
  nodeFlags?: readonly string[]
  env: Readonly<Record<string, string>>
  watch: boolean
  /** Where it says that it is ready: any 2xx answer. */
  readyUrl: string
}

export interface Child {
  readonly name: string
  /** Resolves when it answers. @throws when it gives up or does not in time, with its last words; when `signal` aborts. */
  ready(timeoutMs: number, signal: AbortSignal): Promise<void>
  stop(deadlineMs: number): Promise<void>
  kill(): void
}

export interface ChildHost {
  instance: Instance
  logDir: string
  /** A line for the terminal: something happened to a child, or it complained. */
  say: (name: string, line: string) => void
  /** Show everything it logs, not only warnings. */
  verbose: boolean
}

/** A process that never became ready and died so often will not become so. One that was ready is always run again. */
const CRASHES_AT_START = 3
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000
const HEALTHY_MS = 30_000
const LAST_WORDS_MS = 1_000

/** Runs a process and runs it again when it ends, later each time. Not when its configuration is wrong: that stays wrong. */
export function keepRunning(spec: ChildSpec, host: ChildHost): Child {
  let stopping = false
  let gaveUp: string | undefined
  let crashes = 0
  let current: ChildProcess | undefined
  const logFile = path.join(host.logDir, `${spec.name}.log`)
  const stopped = new AbortController()

  const lives = (async () => {
    for (let pauseMs = FIRST_PAUSE_MS; !stopping; ) {
      const began = performance.now()
      const { child, logged } = launch(spec, host, logFile)
      current = child
      const how = await ended(child)
      host.instance.ended(spec.name)
      // What it said last comes after its end. Not for ever: what it started may hold its output open.
      await Promise.race([logged, sleep(LAST_WORDS_MS, undefined, { signal: stopped.signal }).catch(() => undefined)])
      if (stopping) return
      if (how === EXIT.configuration) {
        gaveUp = 'su configuración no es válida'
        host.say(spec.name, `${gaveUp}: ${logFile}`)
        return
      }
      crashes += 1
      if (performance.now() - began > HEALTHY_MS) pauseMs = FIRST_PAUSE_MS
      host.say(spec.name, `terminó (${how}); arranca de nuevo en ${pauseMs / 1000} s`)
      await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
  })()

  return {
    name: spec.name,
    ready: async (timeoutMs, signal) => {
      const deadline = performance.now() + timeoutMs
      while (!(await answers(spec.readyUrl))) {
        signal.throwIfAborted()
        const hopeless = gaveUp ?? (crashes >= CRASHES_AT_START ? `terminó ${crashes} veces` : undefined)
        if (hopeless || performance.now() > deadline) throw notReady(spec, logFile, hopeless)
        await sleep(50)
      }
    },
    stop: async (deadlineMs) => {
      stopping = true
      stopped.abort()
      if (current?.pid && current.exitCode === null && current.signalCode === null)
        await stopGroup(current.pid, deadlineMs)
      await lives
    },
    kill: () => {
      stopping = true
      if (current?.pid) signalGroup(current.pid, 'SIGKILL')
    },
  }
}

interface Launched {
  child: ChildProcess
  /** Resolves when all that it said is in its log. */
  logged: Promise<void>
}

function launch({ name, env, watch, nodeFlags = [], ...spec }: ChildSpec, host: ChildHost, logFile: string): Launched {
  const script = path.resolve(ROOT, spec.script) // whole, so that the next supervisor knows it among other checkouts'
  const args = [...nodeFlags, ...(watch ? ['--watch', '--watch-preserve-output'] : []), script]
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C reaches us alone; the order of stopping is ours
  })
  if (child.pid) host.instance.started(name, child.pid, script)
  mkdirSync(host.logDir, { recursive: true })
  keepSmall(logFile)
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 })
  const { promise: logged, resolve: endLog } = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`)
      const shown = forPeople(line, host.verbose)
      if (shown) host.say(name, shown)
    })
  }
  child.once('close', () => log.end(() => endLog()))
  return { child, logged }
}

function ended(child: ChildProcess): Promise<string | number> {
  const { promise, resolve } = Promise.withResolvers<string | number>()
  child.once('error', (error) => resolve(error.message))
  child.once('exit', (code, signal) => resolve(signal ?? code ?? 'sin código'))
  return promise
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

function notReady({ name, readyUrl }: ChildSpec, logFile: string, gaveUp: string | undefined): Error {
  const lastWords = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
  const why = gaveUp ?? `no contesta en ${readyUrl}`
  return new Error(`${name} no arrancó: ${why}. Sus últimas líneas (${logFile}):\n${lastWords}`)
}

/** Logs are JSON: a warning or worse is worth a person's eye. What is not JSON is a crash. */
function forPeople(line: string, verbose: boolean): string | undefined {
  try {
    const { level, message, msg, err } = JSON.parse(line)
    const grave = ['warn', 'error', 'fatal'].includes(level)
    return grave || verbose ? [message ?? msg, err?.message].filter(Boolean).join(': ') : undefined
  } catch {
    return line.trim() ? line : undefined
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // it is gone already
  }
}

/** A development log starts over at 20 MB. */
function keepSmall(logFile: string): void {
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > 20_000_000) truncateSync(logFile)
}
