import type { Anfitrion } from '../descarga/client.ts'
import type { Servicio } from '../descarga/consulta.ts'
import type { Salud } from '../descarga/salud.ts'
import { fraccion } from './plan.ts'

/** A company of which something is due. */
export interface Pendiente {
  readonly tenantId: string
  /** What needs nobody but us: to plan, to import, to end. */
  readonly propio: boolean
  /** What the rest is due at. */
  readonly anfitriones: readonly Donde[]
}

export type Donde = `${Servicio}.${Anfitrion}`

/**
 * Which companies have a turn now. Of those that only wait for a host of the SAT that is failing one has, each minute
 * another, when a call may be made to see; when it answers again, all of them within ten minutes and not at once. As an
 * outage of days has to be told, each looks in every six hours all the same.
 */
export function admit(
  pendientes: readonly Pendiente[],
  salud: (servicio: Servicio, operacion: Anfitrion) => Salud,
  now: Date,
): string[] {
  const minute = Math.floor(now.getTime() / 60_000)
  const admitted = new Set<string>()
  const waiting = new Map<Donde, string[]>()
  const waitingAt = (donde: Donde) => {
    const known = waiting.get(donde) ?? []
    waiting.set(donde, known)
    return known
  }
  for (const { tenantId, propio, anfitriones } of pendientes) {
    const at = fraccion(tenantId)
    const stands = (donde: Donde) => {
      const [servicio, operacion] = donde.split('.') as [Servicio, Anfitrion]
      // Nothing is had without logging in first, which is asking.
      const hosts =
        operacion === 'descarga'
          ? [salud(servicio, 'solicita'), salud(servicio, operacion)]
          : [salud(servicio, operacion)]
      if (hosts.some(({ estado }) => estado === 'caido')) return 'no'
      if (hosts.some(({ estado }) => estado === 'a_prueba')) return 'prueba'
      return hosts.every((host) => host.estado === 'bien' && hasTurn(host.desdeMs, at, now)) ? 'si' : 'no'
    }
    const how = anfitriones.map((donde) => ({ donde, puede: stands(donde) }))
    const looksIn = minute % LOOK_IN === Math.floor(at * LOOK_IN)
    if (propio || looksIn || how.some(({ puede }) => puede === 'si')) admitted.add(tenantId)
    else for (const { donde, puede } of how) if (puede === 'prueba') waitingAt(donde).push(tenantId)
  }
  for (const tenants of waiting.values()) admitted.add(tenants[minute % tenants.length] ?? '')
  return [...admitted]
}

/** Each time in another order: of a host that fails every few minutes the last ones would have nothing. */
function hasTurn(desdeMs: number | null, at: number, now: Date): boolean {
  if (desdeMs === null) return true
  const recovery = Math.round((now.getTime() - desdeMs) / 60_000)
  return ((at + recovery * GOLDEN) % 1) * SPREAD_MS <= desdeMs
}

/** Minutes. */
const LOOK_IN = 360
const SPREAD_MS = 600_000
/** However many follow each other, what is left of their sum lies evenly between 0 and 1. */
const GOLDEN = (Math.sqrt(5) - 1) / 2
