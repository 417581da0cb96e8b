import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { AppError } from '../../errors.ts'

/** The product's test clock (billing.md 6.6): moved together with ours, and asked whether it has done all its work. */
export interface Application {
  setClock(to: Date): Promise<void>
  /** Waits until it has nothing left to do at its instant. Returns when it will have something by itself, or null. */
  idle(): Promise<Date | null>
}

const Idle = z.object({ ocioso: z.boolean(), siguiente: z.iso.datetime({ offset: true }).nullable() })

/** @param giveUpMs real milliseconds after which an application that answers and is never idle is a failure */
export function createApplication(url: string, signal: AbortSignal, giveUpMs = 60_000): Application {
  const base = url.replace(/\/$/, '')
  const ask = async (path: string, init?: RequestInit) => {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
    const response = await fetch(base + path, { ...init, signal: patience }).catch((cause: unknown) => {
      throw lost(`the application did not answer to ${path}`, cause)
    })
    const text = await response.text()
    if (!response.ok) throw lost(`the application answered ${response.status} to ${path}: ${text.slice(0, 500)}`)
    return text
  }
  return {
    async setClock(to) {
      const body = JSON.stringify({ ahora: to.toISOString() })
      await ask('/__test/clock', { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
    },
    async idle() {
      const start = performance.now()
      for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, MOST_WAIT_MS)) {
        const said = await ask('/__test/idle')
        const { ocioso, siguiente } = read(said)
        if (ocioso) return siguiente === null ? null : new Date(siguiente)
        if (performance.now() - start > giveUpMs)
          throw lost(`the application was never idle in ${giveUpMs} ms; its last word: ${said.slice(0, 500)}`)
        await sleep(waitMs, undefined, { signal })
      }
    },
  }
}

const MOST_WAIT_MS = 25
/** For one answer, be the machine ever so busy: who is gone is known at once. */
const ANSWER_MS = 60_000

/** A walk through time cannot go on without the other side. */
const lost = (what: string, cause?: unknown) => new AppError('unavailable', 'application', what, { cause })

function read(said: string): z.output<typeof Idle> {
  try {
    return Idle.parse(JSON.parse(said))
  } catch (cause) {
    throw lost(`the application said what nobody understands of being idle: ${said.slice(0, 500)}`, cause)
  }
}
