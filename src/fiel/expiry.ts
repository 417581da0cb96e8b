import type { Alerta } from '../alerts/raise-alert.ts'
import { daysBetween, type Fecha, fechaOf } from '../fiscal/fecha.ts'

/** How many days before the end people are told, once for each; 0: it is over. Rule: fiscal.md 3, `FIEL_VENCE`. */
export type Umbral = 60 | 30 | 15 | 5 | 1 | 0

export const FIRST_NOTICE_DAYS = 60

export interface Vencimiento {
  /** Civil days of Mexico City that are left: 0 on its last day, and once it is over. */
  dias: number
  /** The newest threshold that was crossed. */
  umbral: Umbral
}

/** Undefined while it is too early to tell anybody. */
export function vencimientoOf(validTo: Date, now: Date): Vencimiento | undefined {
  if (validTo <= now) return { dias: 0, umbral: 0 }
  return onDay(validTo, fechaOf(now))
}

/**
 * Whether people hear of it now, who last looked at their alerts on `toldOn`: only when a threshold was crossed since, and of
 * several (a worker that was off for days) only of the newest.
 */
export function isNews(validTo: Date, { umbral }: Vencimiento, toldOn: Fecha | null): boolean {
  if (toldOn === null) return true
  // On its last day it may have been told before the hour at which it ended.
  const last = fechaOf(validTo)
  const before = toldOn > last ? 0 : onDay(validTo, toldOn)?.umbral
  return umbral !== before
}

function onDay(validTo: Date, day: Fecha): Vencimiento | undefined {
  const dias = daysBetween(day, fechaOf(validTo))
  const umbral = DAYS.find((limit) => dias <= limit)
  return umbral && { dias, umbral }
}

const DAYS = [1, 5, 15, 30, 60] as const

export interface Vence {
  credentialId: string
  rfc: string
  serial: string
  validTo: Date
}

export const claveVence = (credentialId: string) => `FIEL_VENCE:${credentialId}`

/** One alert for each e.firma, brought up to date as its end comes nearer. */
export function alertaVence({ credentialId, rfc, serial, validTo }: Vence, { dias, umbral }: Vencimiento): Alerta {
  const same = { codigo: 'FIEL_VENCE', clave: claveVence(credentialId) } as const
  const detalle = { rfc, certificado: serial, venceEn: validTo.toISOString(), dias, umbral }
  const fecha = DIA.format(validTo)
  if (umbral === 0)
    return {
      ...same,
      severidad: 'critica',
      titulo: `La e.firma de ${rfc} venció`,
      mensaje: `La e.firma de ${rfc} (certificado ${serial}) venció el ${fecha}. Desde entonces no se le puede pedir nada al SAT y no llegan CFDI ni cancelaciones.`,
      accion:
        'Renuévala en el SAT (por internet si venció hace menos de un año) y sube la nueva en la configuración de la empresa.',
      detalle,
    }
  return {
    ...same,
    severidad: umbral <= 5 ? 'alta' : 'aviso',
    titulo: `La e.firma de ${rfc} vence ${enDias(dias)}`,
    mensaje: `La e.firma de ${rfc} (certificado ${serial}) vence el ${fecha}. Después no se le podrá pedir nada al SAT: dejarán de llegar CFDI y cancelaciones.`,
    accion:
      'Renuévala en el SAT por internet mientras siga vigente, y sube la nueva en la configuración de la empresa.',
    detalle,
  }
}

const enDias = (dias: number) => (dias === 0 ? 'hoy' : dias === 1 ? 'mañana' : `en ${dias} días`)

const DIA = new Intl.DateTimeFormat('es-MX', { timeZone: 'America/Mexico_City', dateStyle: 'long' })
