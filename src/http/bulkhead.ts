import type { ServerResponse } from 'node:http'
import { AppError } from '../errors.ts'
import type { App } from './zod.ts'

/** How many requests work at once, how many wait for it, and for how long. */
export interface Bulkhead {
  running: number
  waiting: number
  waitMs: number
}

export const PER_COMPANY: Bulkhead = { running: 10, waiting: 40, waitMs: 2000 }
export const PER_PROCESS: Bulkhead = { running: 100, waiting: 400, waitMs: 2000 }
/** Of all routes that stand apart. As many as are written in one commit. */
export const APART: Bulkhead = { running: 100, waiting: 400, waitMs: 2000 }

/**
 * One company that hammers waits for itself and then gets a 429; a process that has enough says 503, so that another one
 * is asked. Counted from when the body has arrived, or slow uploads would hold places.
 */
export function limitConcurrency(app: App, perCompany = PER_COMPANY, perProcess = PER_PROCESS, perApart = APART): void {
  const all = createGate(perProcess)
  const apart = createGate(perApart)
  const companies = new Map<string, Gate>()

  const gateOf = (tenantId: string): Gate => {
    const gate = companies.get(tenantId) ?? createGate(perCompany)
    companies.set(tenantId, gate)
    return gate
  }

  app.addHook('preHandler', async (request, reply) => {
    const { probe, flujo } = request.routeOptions.config
    if (probe || flujo) return
    const gone = closed(reply.raw)
    const tenantId = request.user?.tenantId
    if (tenantId) {
      const gate = gateOf(tenantId)
      if (!(await enter(gate, gone))) throw companyBusy()
      gone.then(() => {
        gate.leave()
        if (gate.idle()) companies.delete(tenantId)
      })
    }
    const gate = request.routeOptions.config.aparte ? apart : all
    if (!(await enter(gate, gone))) throw processBusy()
    gone.then(gate.leave)
  })
}

/** Who went away while the guard or the body took its time is gone already: `close` will not come a second time. */
function closed(response: ServerResponse): Promise<void> {
  return response.closed ? Promise.resolve() : new Promise((resolve) => response.once('close', resolve))
}

interface Gate {
  /** Resolves with whether there is a place; `cancel` gives up waiting. */
  enter(): { place: Promise<boolean>; cancel: () => void }
  leave(): void
  idle(): boolean
}

function createGate({ running, waiting, waitMs }: Bulkhead): Gate {
  let busy = 0
  const queue = new Set<(place: boolean) => void>()
  return {
    enter() {
      if (busy < running) {
        busy += 1
        return { place: Promise.resolve(true), cancel: () => undefined }
      }
      if (queue.size >= waiting) return { place: Promise.resolve(false), cancel: () => undefined }
      const { promise: place, resolve } = Promise.withResolvers<boolean>()
      const answer = (given: boolean) => {
        clearTimeout(timer)
        queue.delete(answer)
        resolve(given)
      }
      const timer = setTimeout(answer, waitMs, false)
      queue.add(answer)
      return { place, cancel: () => queue.has(answer) && answer(false) }
    },
    leave() {
      const [next] = queue // first come, first served
      if (next) next(true)
      else busy -= 1
    },
    idle: () => busy === 0 && queue.size === 0,
  }
}

/** Whoever goes away while waiting takes no place. */
function enter(gate: Gate, gone: Promise<void>): Promise<boolean> {
  const { place, cancel } = gate.enter()
  gone.then(cancel)
  return place
}

const companyBusy = () =>
  new AppError(
    'too_many',
    'limite_inquilino',
    'Tu empresa tiene demasiadas solicitudes en curso. Espera a que terminen.',
    {
      retryAfterS: 1,
    },
  )

const processBusy = () =>
  new AppError(
    'unavailable',
    'sobrecarga',
    'Hay demasiadas solicitudes en este momento. Intenta de nuevo en unos segundos.',
    {
      retryAfterS: 2,
    },
  )
