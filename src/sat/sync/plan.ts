import { mexicoCityTime } from '../../clock.ts'
import { addDays, addMonths, type Fecha } from '../../fiscal/fecha.ts'
import { limitsOf, periodoOf } from '../../fiscal/periodo.ts'
import type { ConsultaRango, Servicio } from '../descarga/consulta.ts'
import { type Civil, earlierCivil, laterCivil, plusSeconds, secondsBetween } from './civil.ts'

export type Direccion = ConsultaRango['direccion']

/** Both ends are in it. */
export interface Rango {
  readonly desde: Civil
  readonly hasta: Civil
}

/** What a plan is made from. */
export interface Situacion {
  readonly kind: 'inicial' | 'nocturna' | 'manual'
  /** The first day that is asked for. */
  readonly historiaDesde: Fecha
  /** XML that was asked for and came, is on its way, or is a person's to look at: by service and direction. */
  readonly cubierto: (servicio: Servicio, direccion: Direccion) => readonly Rango[]
  /** Months long past, and certificates of withholding, are looked at once a week. */
  readonly semanal: boolean
}

export interface Planeada {
  readonly consulta: ConsultaRango
  /** Higher goes first. */
  readonly prioridad: number
}

/**
 * What to ask the SAT for now, the newest first. XML: every second of `historiaDesde` … the last complete day that nothing
 * covers, month by month, so that none is left out and none asked for twice however often it is planned; somebody who asks
 * in person gets this day too. Metadata, which learns of cancellations: the open months each day, 24 months each week. It
 * costs no lifetime request, so it goes first in each month.
 */
export function plan({ kind, historiaDesde, cubierto, semanal }: Situacion, now: Date): Planeada[] {
  const inicio = inicioDe(historiaDesde, now)
  const ayer = `${addDays(hoyDe(now), -1)}T23:59:59`
  const ahora = ahoraDe(now)
  const fin = kind === 'manual' ? ahora : ayer
  const planeadas: Planeada[] = []
  const pide = (consulta: ConsultaRango) => planeadas.push({ consulta, prioridad: prioridadDe(consulta) })

  for (const direccion of DIRECCIONES) {
    for (const rango of huecos({ desde: inicio, hasta: fin }, cubierto('cfdi', direccion))) {
      // Who asks again and again in person does not spend a request on each few minutes.
      if (rango.desde > ayer && secondsBetween(rango.desde, rango.hasta) < 3600) continue
      for (const tramo of porMes(rango)) pide(xml('cfdi', direccion, tramo))
    }
    for (const rango of porMes({ desde: inicioMetadata(kind, semanal, inicio, now), hasta: ahora }))
      pide(metadata('cfdi', direccion, rango))
    if (kind !== 'inicial' && !semanal) continue
    for (const rango of huecos({ desde: inicio, hasta: ayer }, cubierto('retenciones', direccion)))
      for (const tramo of porEjercicio(rango)) pide(xml('retenciones', direccion, tramo))
    for (const rango of porEjercicio({ desde: inicioMetadata('inicial', true, inicio, now), hasta: ahora }))
      pide(metadata('retenciones', direccion, rango))
  }
  return planeadas.sort((a, b) => b.prioridad - a.prioridad)
}

/**
 * XML of a range. Of received ones only those in force can be had; of issued ones the SAT says that all can, and a cancelled
 * one is evidence too. Where it refuses that after all, the machine asks for those in force.
 */
export const xml = (servicio: Servicio, direccion: Direccion, rango: Rango): ConsultaRango => ({
  servicio,
  direccion,
  tipo: 'CFDI',
  ...alMenosUnSegundo(rango),
  estado: direccion === 'recibidos' ? 'Vigente' : 'Todos',
})

export const metadata = (servicio: Servicio, direccion: Direccion, rango: Rango): ConsultaRango => ({
  servicio,
  direccion,
  tipo: 'Metadata',
  ...alMenosUnSegundo(rango),
  estado: 'Todos',
})

/** What of `todo` none of the ranges covers, the earliest first. */
export function huecos(todo: Rango, cubiertos: readonly Rango[]): Rango[] {
  const found: Rango[] = []
  let desde = todo.desde
  for (const rango of [...cubiertos].sort((a, b) => (a.desde < b.desde ? -1 : 1))) {
    if (rango.desde > todo.hasta) break
    if (rango.desde > desde) found.push({ desde, hasta: plusSeconds(rango.desde, -1) })
    desde = laterCivil(desde, plusSeconds(rango.hasta, 1))
  }
  if (desde <= todo.hasta) found.push({ desde, hasta: todo.hasta })
  return found
}

/** Up to which second all is covered from `desde` on; undefined when its first is not. */
export function cubiertoHasta(desde: Civil, cubiertos: readonly Rango[]): Civil | undefined {
  const [hueco] = huecos({ desde, hasta: '9999-12-31T23:59:58' }, cubiertos)
  if (!hueco) return undefined
  return hueco.desde === desde ? undefined : plusSeconds(hueco.desde, -1)
}

/** The parts of a range that lie in one month each. */
export function porMes({ desde, hasta }: Rango): Rango[] {
  const parts: Rango[] = []
  for (let at = desde; at <= hasta; ) {
    const fin = earlierCivil(limitsOf(periodoOf(at)).hasta, hasta)
    parts.push({ desde: at, hasta: fin })
    at = plusSeconds(fin, 1)
  }
  return parts
}

function porEjercicio({ desde, hasta }: Rango): Rango[] {
  const parts: Rango[] = []
  for (let at = desde; at <= hasta; ) {
    const fin = earlierCivil(`${at.slice(0, 4)}-12-31T23:59:59`, hasta)
    parts.push({ desde: at, hasta: fin })
    at = plusSeconds(fin, 1)
  }
  return parts
}

/**
 * When the next night's turn of a company is: at 03:00 in Mexico City and as many minutes later, of a window, as its id
 * says. The same each night, and all companies together spread evenly.
 */
export function siguienteNoche(
  tenantId: string,
  windowMinutes: number,
  now: Date,
  nocheDe: (dia: Fecha) => Date,
): Date {
  const offset = Math.floor(fraccion(tenantId) * windowMinutes * 60_000)
  const hoy = hoyDe(now)
  const turno = new Date(nocheDe(hoy).getTime() + offset)
  return turno > now ? turno : new Date(nocheDe(addDays(hoy, 1)).getTime() + offset)
}

/** 0 to 1 by an id. Its last digits: the first of a v7 are the time it was made. */
export const fraccion = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(-8), 16) / 0x1_0000_0000

/** The SAT gives nothing of before today − 6 years; two days less, so that no turn that waited falls over the edge. */
export const primeroDe = (now: Date): Civil => `${addDays(addMonths(hoyDe(now), -72), 2)}T00:00:00`

export const inicioDe = (historiaDesde: Fecha, now: Date): Civil =>
  laterCivil(`${historiaDesde}T00:00:00`, primeroDe(now))

/** Not this very moment: what was stamped in the last minutes is not listed yet. */
export const ahoraDe = (now: Date): Civil => mexicoCityTime(new Date(now.getTime() - 15 * 60_000))

export const hoyDe = (now: Date): Fecha => mexicoCityTime(now).slice(0, 10)

function inicioMetadata(kind: Situacion['kind'], semanal: boolean, inicio: Civil, now: Date): Civil {
  const months = kind === 'inicial' ? 72 : semanal ? 24 : 1
  return laterCivil(inicio, `${addMonths(`${hoyDe(now).slice(0, 8)}01`, -months)}T00:00:00`)
}

/** By its month, the newest first; within one the list goes before the documents, and withholdings come last. */
export function prioridadDe({ servicio, tipo, hasta }: ConsultaRango): number {
  const { ejercicio, mes } = periodoOf(hasta)
  return (ejercicio * 12 + mes) * 4 + (servicio === 'cfdi' ? 2 : 0) + (tipo === 'Metadata' ? 1 : 0)
}

/** An instant is refused: then one second more, which is asked for twice, rather than none. */
const alMenosUnSegundo = ({ desde, hasta }: Rango): Rango =>
  secondsBetween(desde, hasta) >= 1 ? { desde, hasta } : { desde, hasta: plusSeconds(desde, 1) }

const DIRECCIONES = ['emitidos', 'recibidos'] as const
