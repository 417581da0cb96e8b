import { randomInt, randomUUID } from 'node:crypto'
import { mexicoCityTime } from '../../../clock.ts'
import { contenido } from './contenido.ts'
import type { Pedido } from './parametros.ts'
import type { Solicitud } from './state.ts'
import type { World } from './world.ts'

/** How long a request and its packages are there after it got ready. */
export const VIGENCIA_MS = 72 * 3_600_000

/** `EstadoSolicitud` and what goes with it. */
export interface Avance {
  estado: 1 | 2 | 3 | 4 | 5 | 6
  codigo: string
  numero: number
  paquetes: string[]
}

/** Where a request stands. Who looks first after it got ready fixes what is in it, as of the instant it got ready. */
export function avanceDe(world: World, solicitud: Solicitud): Avance {
  const { id, forzada } = solicitud
  const none = { codigo: '5000', numero: 0, paquetes: [] }
  if (forzada === 'error') return { ...none, estado: 4, codigo: '404' }
  const now = world.now()
  const ready = readyAt(world, solicitud)
  const resultado = solicitud.resultado ?? (ready && ready <= now ? settle(world, solicitud, ready) : undefined)
  if (!resultado) {
    const begun = new Date(solicitud.creadaEn).getTime() + solicitud.esperaMs / 3
    return { ...none, estado: ready && now.getTime() >= begun ? 2 : 1 }
  }
  const { codigo, numero, paquetes } = resultado
  if (codigo !== '5000') return { ...none, estado: 5, codigo }
  if (forzada === 'vencida' || isOver(resultado.en, now)) return { ...none, estado: 6, numero }
  return { estado: 3, codigo, numero, paquetes: Array.from({ length: paquetes }, (_, n) => paqueteId(id, n + 1)) }
}

export const isOver = (en: string, now: Date): boolean => now.getTime() > new Date(en).getTime() + VIGENCIA_MS

export const paqueteId = (id: string, n: number): string => `${id}_${String(n).padStart(2, '0')}`

/** Whether the same may not be asked again yet (5005). */
export const isActive = (world: World, solicitud: Solicitud): boolean => avanceDe(world, solicitud).estado <= 2

/** A request that is taken; what it is about is never asked again after the last time that is allowed. */
export function accept(world: World, pedido: Pedido): Solicitud {
  const { esperaMinMs, esperaMaxMs } = world.state.ajustes
  const solicitud: Solicitud = {
    ...pedido,
    id: randomUUID(),
    creadaEn: world.now().toISOString(),
    esperaMs: randomInt(esperaMinMs, Math.max(esperaMinMs, esperaMaxMs) + 1),
    atorada: false,
    forzada: null,
    resultado: null,
  }
  world.state.solicitudes.push(solicitud)
  world.changed()
  return solicitud
}

/** Whether it got ready, and when; undefined while nothing says that it will. */
function readyAt({ state, now }: World, { creadaEn, esperaMs, atorada }: Solicitud): Date | undefined {
  if (atorada) return undefined
  const stuckUntil = state.ajustes.atoradoHasta === null ? undefined : new Date(state.ajustes.atoradoHasta)
  if (stuckUntil && stuckUntil > now()) return undefined
  const ready = new Date(creadaEn).getTime() + esperaMs
  return new Date(stuckUntil && new Date(creadaEn) < stuckUntil ? Math.max(ready, stuckUntil.getTime()) : ready)
}

/** Counts what there is, no further than the cap. */
export function settle(world: World, solicitud: Solicitud, en: Date): NonNullable<Solicitud['resultado']> {
  const { ajustes } = world.state
  const corte = mexicoCityTime(en)
  const [tope, porPaquete] =
    solicitud.tipo === 'CFDI'
      ? [ajustes.topeCfdi, ajustes.cfdisPorPaquete]
      : [ajustes.topeMetadata, ajustes.filasPorPaquete]
  let numero = 0
  for (const _ of contenido(world, solicitud, corte, ajustes.copias)) {
    numero += 1
    if (numero > tope) break
  }
  const codigo = numero === 0 ? '5004' : numero > tope ? '5003' : '5000'
  const paquetes = codigo === '5000' ? Math.ceil(numero / porPaquete) : 0
  solicitud.resultado = { en: en.toISOString(), corte, codigo, numero, paquetes, porPaquete, copias: ajustes.copias }
  world.changed()
  return solicitud.resultado
}
