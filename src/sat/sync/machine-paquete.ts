import { mexicoCityTime } from '../../clock.ts'
import { addDays, instantOf } from '../../fiscal/fecha.ts'
import type { RespuestaDescarga } from '../descarga/client.ts'
import { esperaTras } from '../descarga/espera.ts'
import { fraccion } from './plan.ts'
import type { EstadoPaquete, Paquete } from './solicitud.ts'

/** What happened to a package. */
export type EventoPaquete =
  | { readonly kind: 'descarga'; readonly respuesta: RespuestaDescarga }
  /** No answer, or half of one. `enviada`: the SAT may have counted it. */
  | { readonly kind: 'fallo'; readonly enviada: boolean; readonly codigo: string; readonly mensaje: string }
  /** Whoever was downloading it died, and nothing whole lies here. */
  | { readonly kind: 'perdido' }
  /** Its 72 hours are over. */
  | { readonly kind: 'plazo' }
  /** What came is no ZIP, or got lost before it was read. */
  | { readonly kind: 'ilegible'; readonly codigo: string; readonly mensaje: string }

export interface OutcomePaquete {
  readonly cambios: {
    readonly estado: EstadoPaquete
    readonly siguienteEn: Date | null
    readonly codigo?: string | null
    readonly mensaje?: string | null
    readonly intentos?: number
    readonly fallos?: number
  }
  readonly credencial?: { readonly codigo: string; readonly mensaje: string }
  readonly alarma?: string
}

/** What an event makes of a package (sat.md 2.4): the SAT gives each twice, within 72 hours, and then never. */
export function transitionPaquete(p: Paquete, evento: EventoPaquete, now: Date): OutcomePaquete {
  switch (evento.kind) {
    case 'descarga':
      return onDescarga(p, evento.respuesta, now)
    case 'fallo':
      return evento.enviada ? deNuevo(p, evento, now) : despues(p, evento, now)
    case 'perdido':
      return deNuevo(p, { codigo: null, mensaje: null }, now)
    case 'plazo':
      return fin('vencido', { codigo: '5007', mensaje: null })
    case 'ilegible':
      return p.intentos < MOST_DOWNLOADS ? deNuevo(p, evento, now) : fin('ilegible', evento)
  }
}

function onDescarga(p: Paquete, r: RespuestaDescarga, now: Date): OutcomePaquete {
  const dijo = { codigo: r.codigo, mensaje: r.mensaje }
  if (r.paquete) return { cambios: { ...dijo, estado: 'descargado', fallos: 0, siguienteEn: now } }
  switch (r.clase) {
    case 'aceptada':
      return deNuevo(p, dijo, now)
    case 'vacia':
    case 'desconocida':
    case 'paquete_vencido':
      return fin('vencido', dijo)
    case 'paquete_agotado':
    case 'agotada':
      return fin('agotado', dijo)
    case 'token':
    case 'transitoria':
    case 'repetida':
      return despues(p, dijo, now)
    case 'manana': {
      const dia = addDays(mexicoCityTime(now).slice(0, 10), 1)
      const siguienteEn = new Date(instantOf(dia).getTime() + Math.round(fraccion(seed(p.id)) * 7_200_000))
      return { cambios: { ...dijo, estado: 'pendiente', intentos: p.intentos - 1, siguienteEn } }
    }
    case 'credencial':
    case 'sello': {
      const cambios = { ...dijo, estado: 'pendiente' as const, intentos: p.intentos - 1, siguienteEn: now }
      return { cambios, credencial: dijo }
    }
    case 'parametros':
    case 'tope':
    case 'no_descargable':
    case 'persona':
      return { ...fin('ilegible', dijo), alarma: `descarga ${r.codigo}` }
  }
}

/** It may have been counted: once more, if that was the first. */
function deNuevo(p: Paquete, dijo: Dijo, now: Date): OutcomePaquete {
  if (p.intentos >= MOST_DOWNLOADS) return fin('agotado', dijo)
  return espera(p, p.intentos, dijo, now)
}

/** It was not counted. */
const despues = (p: Paquete, dijo: Dijo, now: Date) => espera(p, p.intentos - 1, dijo, now)

function espera(p: Paquete, intentos: number, { codigo, mensaje }: Dijo, now: Date): OutcomePaquete {
  const fallos = p.fallos + 1
  const siguienteEn = new Date(now.getTime() + esperaTras(fallos, p.id))
  return { cambios: { codigo, mensaje, estado: 'pendiente', intentos: Math.max(0, intentos), fallos, siguienteEn } }
}

const fin = (estado: EstadoPaquete, { codigo, mensaje }: Dijo): OutcomePaquete => ({
  cambios: { codigo, mensaje, estado, siguienteEn: null },
})

/** The hexadecimal digits of an id of the SAT. */
const seed = (id: string): string => id.replace(/[^0-9a-f]/gi, '') || '0'

interface Dijo {
  readonly codigo: string | null
  readonly mensaje: string | null
}

export const MOST_DOWNLOADS = 2
