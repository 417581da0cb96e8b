import { mexicoCityTime } from '../../clock.ts'
import { addDays, instantOf } from '../../fiscal/fecha.ts'
import type { RespuestaSolicita, RespuestaVerifica } from '../descarga/client.ts'
import type { Clase } from '../descarga/codigos.ts'
import type { Consulta, ConsultaRango } from '../descarga/consulta.ts'
import { esperaTras } from '../descarga/espera.ts'
import { plusSeconds, secondsBetween } from './civil.ts'
import { fraccion } from './plan.ts'
import type { EstadoSolicitud, Solicitud } from './solicitud.ts'

/** What happened to a request. */
export type Evento =
  /** `conocida`: whose its IdSolicitud is already, of all requests that were ever written down. */
  | { readonly kind: 'solicita'; readonly respuesta: RespuestaSolicita; readonly conocida: Conocida }
  | { readonly kind: 'verifica'; readonly respuesta: RespuestaVerifica }
  /** No answer. `enviada`: the SAT may have got it all the same. */
  | { readonly kind: 'fallo'; readonly enviada: boolean; readonly codigo: string; readonly mensaje: string }
  /** Whoever was sending it died: it may have been sent. */
  | { readonly kind: 'perdida' }
  /** All its packages have come to an end. */
  | { readonly kind: 'paquetes'; readonly faltan: number; readonly ilegibles: number }

/** `nuestra`: another request of this company that is under way. */
export type Conocida = 'nadie' | 'nuestra' | 'ajena'

/** What is written of it. */
export interface Cambios {
  readonly estado: EstadoSolicitud
  readonly siguienteEn: Date | null
  readonly codigo?: string | null
  readonly mensaje?: string | null
  readonly intentos?: number
  readonly fallos?: number
  readonly idSolicitud?: string
  readonly numeroCfdis?: number
}

/** What must be done in the commit of the changes, or right after it. */
export type Efecto =
  /** Another request takes its place. `generacion` counts how often in a row that was so. */
  | { readonly kind: 'hija'; readonly consulta: Consulta; readonly generacion: number }
  | { readonly kind: 'paquetes'; readonly ids: readonly string[] }
  /** The SAT does not take the e.firma: nothing more is asked with it. */
  | { readonly kind: 'credencial'; readonly codigo: string; readonly mensaje: string }
  /** Somebody of ours should look. */
  | { readonly kind: 'alarma'; readonly que: string }

export interface Outcome {
  readonly cambios: Cambios
  readonly efectos: readonly Efecto[]
}

/**
 * What an event makes of a request (sat.md 2.4, 2.5). Effects are data: the caller writes both in one commit. No second of
 * a range is ever lost: what cannot be had of a request is asked for by others that cover all of it, a second too much
 * rather than one too few.
 */
export function transition(solicitud: Solicitud, evento: Evento, now: Date): Outcome {
  switch (evento.kind) {
    case 'solicita':
      return onSolicita(solicitud, evento.respuesta, evento.conocida, now)
    case 'verifica':
      return onVerifica(solicitud, evento.respuesta, now)
    case 'fallo':
      return onFallo(solicitud, evento, now)
    case 'perdida':
      return solicitud.estado === 'enviando'
        ? onPerdida(solicitud, { codigo: null, mensaje: null }, now)
        : espera(solicitud, siguienteVerificacion(solicitud, now))
    case 'paquetes':
      return onPaquetes(solicitud, evento)
  }
}

function onSolicita(s: Solicitud, r: RespuestaSolicita, conocida: Conocida, now: Date): Outcome {
  const dijo = { codigo: r.codigo, mensaje: r.mensaje }
  switch (r.clase) {
    case 'aceptada':
    case 'repetida':
      // The SAT is at it already: what another of ours asked, or this one before somebody died.
      if (r.idSolicitud !== null && conocida === 'nuestra') return fin('sustituida', dijo)
      // A list that somebody else asked for, sooner: it knows less, and to ask in other words costs nothing.
      if (r.clase === 'repetida' && s.consulta.tipo === 'Metadata' && s.intentos <= 1) return recorrida(s, dijo)
      if (r.idSolicitud !== null && conocida === 'nadie') return aceptada(s, r.idSolicitud, dijo, now)
      if (r.clase === 'aceptada' && r.idSolicitud === null) return onPerdida(s, dijo, now)
      return s.consulta.direccion === 'folio' ? onTransitoria(noContada(s), dijo, now) : recorrida(s, dijo)
    case 'vacia':
      return fin('vacia', dijo)
    case 'token':
    case 'transitoria':
      return onTransitoria(noContada(s), dijo, now)
    case 'manana':
      return {
        cambios: { ...vuelve(s), ...dijo, intentos: s.intentos - 1, siguienteEn: diaSiguiente(s.id, now) },
        efectos: [],
      }
    case 'credencial':
    case 'sello':
      return onCredencial(s, dijo, { intentos: s.intentos - 1 }, now)
    case 'parametros':
      return onParametros(s, dijo)
    case 'agotada':
      return recorrida(s, dijo)
    case 'tope':
      return dividida(s, dijo)
    case 'no_descargable':
      return fin('completa', dijo)
    case 'desconocida':
    case 'paquete_vencido':
    case 'paquete_agotado':
    case 'persona':
      return fin('fallida', dijo, [alarma(`solicita ${r.codigo}`)])
  }
}

function onVerifica(s: Solicitud, r: RespuestaVerifica, now: Date): Outcome {
  const dijo = { codigo: r.codigo, mensaje: r.mensaje }
  switch (r.clase) {
    case 'aceptada':
      return onEstado(s, r, now)
    case 'vacia':
      return fin('vacia', dijo)
    case 'token':
    case 'transitoria':
    case 'repetida':
      return onTransitoria(s, dijo, now)
    case 'manana':
      return espera(s, diaSiguiente(s.id, now), dijo)
    case 'credencial':
    case 'sello':
      return onCredencial(s, dijo, {}, now)
    case 'parametros':
      return fin('rechazada', dijo, [alarma(`verifica ${r.codigo}`)])
    case 'agotada':
    case 'desconocida':
      return recorrida(s, dijo)
    case 'tope':
      return dividida(s, dijo)
    case 'no_descargable':
      return fin('completa', dijo)
    case 'paquete_vencido':
    case 'paquete_agotado':
    case 'persona':
      return fin('fallida', dijo, [alarma(`verifica ${r.codigo}`)])
  }
}

/** EstadoSolicitud drives, CodigoEstadoSolicitud explains (sat.md 2.4). */
function onEstado(s: Solicitud, r: RespuestaVerifica, now: Date): Outcome {
  const dijo = { codigo: r.codigoEstado ?? r.codigo, mensaje: r.mensaje }
  switch (r.estadoSolicitud) {
    case 1:
    case 2:
      if (perdidaDeVista(s, now)) return recorrida(s, { ...dijo, codigo: SIN_RESPUESTA })
      return {
        cambios: {
          ...dijo,
          estado: r.estadoSolicitud === 1 ? 'aceptada' : 'en_proceso',
          siguienteEn: siguienteVerificacion(s, now),
          fallos: 0,
        },
        efectos: [],
      }
    case 3:
      if (r.paquetes.length > 0)
        return {
          cambios: { ...dijo, estado: 'terminada', siguienteEn: now, fallos: 0, numeroCfdis: r.numeroCfdis },
          efectos: [{ kind: 'paquetes', ids: r.paquetes }],
        }
      // Documents without packages: they may be there in a moment.
      return r.numeroCfdis === 0 ? fin('vacia', dijo) : onTransitoria(s, dijo, now)
    case 6:
      return recorrida(s, dijo)
    case 4:
    case 5:
      return onRechazada(s, r.claseEstado, dijo, r.estadoSolicitud, now)
    default:
      return r.claseEstado !== null && DECISIVAS.has(r.claseEstado)
        ? onRechazada(s, r.claseEstado, dijo, 5, now)
        : onTransitoria(s, dijo, now)
  }
}

function onRechazada(s: Solicitud, clase: Clase | null, dijo: Dijo, estado: 4 | 5, now: Date): Outcome {
  switch (clase) {
    case 'vacia':
      return fin('vacia', dijo)
    case 'tope':
      return dividida(s, dijo)
    case 'agotada':
    case 'repetida':
    case 'desconocida':
    case 'transitoria':
      return recorrida(s, dijo)
    case 'manana':
      return espera(s, diaSiguiente(s.id, now), dijo)
    case 'credencial':
    case 'sello':
      return onCredencial(s, dijo, {}, now)
    case 'no_descargable':
      return fin('completa', dijo)
    case 'parametros':
      return onParametros(s, dijo)
    // An error of the SAT that says nothing of us: asked anew. A refusal without a reason is a person's.
    case 'aceptada':
    case null:
      return estado === 4 ? recorrida(s, dijo) : fin('fallida', dijo, [alarma(`estado ${estado} ${dijo.codigo}`)])
    case 'token':
    case 'paquete_vencido':
    case 'paquete_agotado':
    case 'persona':
      return fin('fallida', dijo, [alarma(`estado ${estado} ${dijo.codigo}`)])
  }
}

function onFallo(s: Solicitud, { enviada, codigo, mensaje }: Evento & { kind: 'fallo' }, now: Date): Outcome {
  const dijo = { codigo, mensaje }
  if (s.estado !== 'enviando') return onTransitoria(s, dijo, now, SIEMPRE)
  // Refused by our own rules, before anything was sent: it would be each time.
  if (codigo === 'sat.parametros') return fin('rechazada', dijo, [alarma(codigo)])
  return enviada ? onPerdida(s, dijo, now) : onTransitoria(noContada(s), dijo, now, SIEMPRE)
}

/** Nobody knows whether the SAT has it. It takes the same parameters twice: once more, and then others. */
function onPerdida(s: Solicitud, dijo: Dijo, now: Date): Outcome {
  if (s.consulta.tipo === 'Metadata' || s.intentos < MOST_SENT) return onTransitoria(s, dijo, now, SIEMPRE)
  return recorrida(s, { ...dijo, codigo: dijo.codigo ?? SIN_RESPUESTA })
}

function onPaquetes(s: Solicitud, { faltan, ilegibles }: Evento & { kind: 'paquetes' }): Outcome {
  if (faltan > 0) return recorrida(s, { codigo: '5007', mensaje: 'Un paquete ya no se puede descargar.' })
  if (ilegibles > 0) {
    const outcome = recorrida(s, { codigo: 'sat.paquete_ilegible', mensaje: 'Un paquete llegó dañado dos veces.' })
    return { ...outcome, efectos: [...outcome.efectos, alarma('sat.paquete_ilegible')] }
  }
  return fin('completa', {})
}

/** Issued XML of all states is refused after all: then those in force. */
function onParametros(s: Solicitud, dijo: Dijo): Outcome {
  const { consulta } = s
  if (consulta.direccion === 'emitidos' && consulta.tipo === 'CFDI' && consulta.estado === 'Todos')
    return fin('sustituida', dijo, [
      { kind: 'hija', consulta: { ...consulta, estado: 'Vigente' }, generacion: s.generacion + 1 },
      alarma('emitidos Todos 301'),
    ])
  return fin('rechazada', dijo, [alarma(`parámetros ${dijo.codigo}`)])
}

/** The request stays as it is until there is another e.firma. */
const onCredencial = (s: Solicitud, dijo: Dijo, change: Partial<Cambios>, now: Date): Outcome => ({
  cambios: { ...vuelve(s), ...dijo, ...change, siguienteEn: now },
  efectos: [{ kind: 'credencial', codigo: dijo.codigo ?? '', mensaje: dijo.mensaje ?? '' }],
})

/** `most`: after so many answers in a row that say nothing somebody should look. Where there is none, it is the SAT's outage. */
function onTransitoria(s: Solicitud, dijo: Dijo, now: Date, most = MOST_FAILURES): Outcome {
  if (s.estado !== 'enviando' && perdidaDeVista(s, now)) return recorrida(s, dijo)
  const fallos = most === SIEMPRE ? Math.max(s.fallos, Math.min(s.fallos + 1, HOURLY)) : s.fallos + 1
  if (fallos > most) return fin('fallida', dijo, [alarma(`${most} fallos`)])
  const siguienteEn = new Date(now.getTime() + esperaTras(fallos, s.id))
  return { cambios: { ...vuelve(s), ...dijo, intentos: s.intentos, fallos, siguienteEn }, efectos: [] }
}

/** These parameters give nothing: the same range with its end a second later, which asks for one second too much. */
function recorrida(s: Solicitud, dijo: Dijo): Outcome {
  const { consulta } = s
  if (consulta.direccion === 'folio') return fin('fallida', dijo)
  if (s.generacion >= MOST_GENERATIONS) return fin('fallida', dijo, [alarma(`${MOST_GENERATIONS} veces sustituida`)])
  return fin('sustituida', dijo, [{ kind: 'hija', consulta: alargada(consulta), generacion: s.generacion + 1 }])
}

/** The same a second longer. */
export const alargada = (consulta: ConsultaRango): ConsultaRango => ({
  ...consulta,
  hasta: plusSeconds(consulta.hasta, 1),
})

/** More than one request may bring: two halves, that overlap by a second where there is none to spare. */
function dividida(s: Solicitud, dijo: Dijo): Outcome {
  const { consulta } = s
  if (consulta.direccion === 'folio') return fin('fallida', dijo, [alarma('5003 de un folio')])
  const seconds = secondsBetween(consulta.desde, consulta.hasta)
  if (seconds < 2) return fin('fallida', dijo, [alarma('5003 en un segundo')])
  const half = Math.floor(seconds / 2)
  const start = seconds >= 3 ? half + 1 : half
  const hijas = [
    { ...consulta, desde: plusSeconds(consulta.desde, start) },
    { ...consulta, hasta: plusSeconds(consulta.desde, half) },
  ]
  return fin(
    'dividida',
    dijo,
    hijas.map((hija) => ({ kind: 'hija', consulta: hija, generacion: 0 })),
  )
}

/** Minutes after which it is asked for: soon, then less and less, then each hour (sat.md 2.5); ±10 % by its id. */
function siguienteVerificacion({ id, verificaciones }: Solicitud, now: Date): Date {
  const minutes = RHYTHM[Math.min(verificaciones, RHYTHM.length - 1)] ?? 60
  return new Date(now.getTime() + Math.round(minutes * 60_000 * (0.9 + fraccion(id) / 5)))
}

const aceptada = (s: Solicitud, idSolicitud: string, dijo: Dijo, now: Date): Outcome => ({
  cambios: {
    ...dijo,
    estado: 'aceptada',
    idSolicitud,
    fallos: 0,
    siguienteEn: siguienteVerificacion({ ...s, verificaciones: 0 }, now),
  },
  efectos: [],
})

/** Three days without a package, by a clock that may have been set back meanwhile. */
const perdidaDeVista = ({ aceptadaEn, verificaciones }: Solicitud, now: Date): boolean =>
  aceptadaEn !== null &&
  (now.getTime() - aceptadaEn.getTime() > LOST_MS || (aceptadaEn > now && verificaciones >= VERIFIED_WHEN_LOST))

/** The SAT answered, and took nothing. */
const noContada = (s: Solicitud): Solicitud => ({ ...s, intentos: Math.max(0, s.intentos - 1) })

const vuelve = (s: Solicitud) => ({ estado: s.estado === 'enviando' ? ('por_enviar' as const) : s.estado })

const espera = (s: Solicitud, siguienteEn: Date, dijo: Partial<Dijo> = {}): Outcome => ({
  cambios: { ...vuelve(s), ...dijo, siguienteEn },
  efectos: [],
})

const fin = (estado: EstadoSolicitud, dijo: Partial<Dijo>, efectos: readonly Efecto[] = []): Outcome => ({
  cambios: { ...dijo, estado, siguienteEn: null },
  efectos,
})

const alarma = (que: string): Efecto => ({ kind: 'alarma', que })

/** Some time after the next midnight of Mexico City, each at another. */
function diaSiguiente(id: string, now: Date): Date {
  const dia = addDays(mexicoCityTime(now).slice(0, 10), 1)
  return new Date(instantOf(dia).getTime() + Math.round(fraccion(id) * 2 * HOUR_MS))
}

interface Dijo {
  readonly codigo: string | null
  readonly mensaje: string | null
}

/** What the code of a request tells whose state is none that we know. */
const DECISIVAS: ReadonlySet<Clase> = new Set([
  'vacia',
  'tope',
  'agotada',
  'parametros',
  'credencial',
  'sello',
  'persona',
])

/** Ours: 72 hours without an end. */
export const SIN_RESPUESTA = 'sat.sin_respuesta'
const RHYTHM = [1, 2, 5, 10, 20, 30, 60]
const HOUR_MS = 3_600_000
export const LOST_MS = 72 * HOUR_MS
/** More often than in three days by its rhythm. */
const VERIFIED_WHEN_LOST = 90
/** More than three days of failures an hour apart. */
const MOST_FAILURES = 80
/** It is asked again each hour for as long as it takes, and not held against it when there is an answer again. */
const SIEMPRE = Number.POSITIVE_INFINITY
/** Failures after which the pause grows no more. */
const HOURLY = 10
const MOST_SENT = 2
const MOST_GENERATIONS = 5
