import { mexicoCityTime } from '../../../clock.ts'
import { type Avance, avanceDe, paqueteId, settle } from './solicitudes.ts'
import { Ajustes, type AjustesCambio, AjustesCambio as Cambio, type Solicitud } from './state.ts'
import type { World } from './world.ts'

/** A request and where it stands now. */
export type SolicitudVista = Solicitud & { avance: Avance; descargas: number }

/** The levers of the download services. */
export interface DescargaControl {
  /** Every request there ever was, the oldest first. */
  solicitudes(): SolicitudVista[]
  ajustes(): Ajustes
  ajusta(cambio: AjustesCambio): Ajustes
  /** It stays "Aceptada" until somebody says otherwise; without id all do, for so many hours. */
  atora(id: string): void
  atoraTodo(horas: number): void
  desatoraTodo(): void
  /** Ready at once. */
  termina(id: string): void
  /** Its packages are gone. */
  vence(id: string): void
  /** EstadoSolicitud 4. */
  falla(id: string): void
  /** 304 for a certificate, by serial number, or for all of an RFC. */
  revoca(serialORfc: string): void
  restituye(serialORfc: string): void
}

export function createDescargaControl(world: World): DescargaControl {
  const { state, changed } = world
  const find = (id: string): Solicitud => {
    const found = state.solicitudes.find((one) => one.id === id.toLowerCase())
    if (!found) throw new RangeError(`no request ${id}`)
    return found
  }
  const change = (id: string, values: Partial<Solicitud>) => {
    Object.assign(find(id), values)
    changed()
  }
  const ajusta = (cambio: AjustesCambio) => {
    state.ajustes = Ajustes.parse({ ...state.ajustes, ...Cambio.parse(cambio) })
    changed()
    return state.ajustes
  }
  return {
    solicitudes: () =>
      state.solicitudes.map((one) => ({
        ...one,
        avance: avanceDe(world, one),
        descargas: Array.from({ length: one.resultado?.paquetes ?? 0 }, (_, n) => paqueteId(one.id, n + 1)).reduce(
          (sum, id) => sum + (state.descargas[id] ?? 0),
          0,
        ),
      })),
    ajustes: () => state.ajustes,
    ajusta,
    atora: (id) => change(id, { atorada: true, resultado: null, forzada: null }),
    atoraTodo: (horas) =>
      void ajusta({ atoradoHasta: new Date(world.now().getTime() + horas * 3_600_000).toISOString() }),
    desatoraTodo: () => void ajusta({ atoradoHasta: null }),
    termina(id) {
      const solicitud = find(id)
      change(id, { atorada: false, forzada: null })
      solicitud.resultado ??= settle(world, solicitud, world.now())
    },
    vence(id) {
      const solicitud = find(id)
      solicitud.resultado ??= settle(world, solicitud, world.now())
      change(id, { forzada: 'vencida' })
    },
    falla: (id) => change(id, { forzada: 'error' }),
    revoca(who) {
      if (!state.revocados.includes(who.toUpperCase())) state.revocados.push(who.toUpperCase())
      changed()
    },
    restituye(who) {
      state.revocados = state.revocados.filter((one) => one !== who.toUpperCase())
      changed()
    },
  }
}

/** Since when a CFDI is cancelled by a lever, in the time that metadata tells. */
export function noteCancelacion({ state, now }: Pick<World, 'state' | 'now'>, uuid: string, cancelado: boolean): void {
  if (cancelado) state.cancelaciones[uuid] ??= mexicoCityTime(now())
  else delete state.cancelaciones[uuid]
}
