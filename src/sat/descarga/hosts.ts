import type { Operacion } from './codigos.ts'
import type { OperacionSolicita, Servicio } from './consulta.ts'

/** Where each operation is, and what its header says (sat.md 2.1). */
export interface Direccion {
  /** First label of the SAT's host; what is known of one is known of all that is asked there. */
  readonly host: string
  readonly url: string
  readonly accion: string
}

/** Where an operation is; of the three that ask, by its name. */
export type Llamada = Exclude<Operacion, 'solicita'> | OperacionSolicita

/** `base` null: the SAT's own hosts. Otherwise each host is a folder under it. */
export function direccionDe(base: string | null, servicio: Servicio, llamada: Llamada): Direccion {
  const operacion = llamada in ACTIONS ? (llamada as keyof typeof ACTIONS) : 'solicita'
  const host = hostOf(servicio, operacion)
  const root = base === null ? `https://${host}.clouda.sat.gob.mx` : `${base.replace(/\/+$/, '')}/${host}`
  const accion = operacion === 'solicita' ? `${SOLICITA}${llamada}` : ACTIONS[operacion]
  return { host, url: root + PATHS[operacion], accion }
}

export function hostOf(servicio: Servicio, operacion: Operacion): string {
  const which = servicio === 'cfdi' ? 'cfdi' : 'reten'
  return `${which}descargamasiva${operacion === 'descarga' ? '' : 'solicitud'}`
}

const PATHS: Readonly<Record<Operacion, string>> = {
  autentica: '/Autenticacion/Autenticacion.svc',
  solicita: '/SolicitaDescargaService.svc',
  verifica: '/VerificaSolicitudDescargaService.svc',
  descarga: '/DescargaMasivaService.svc',
}

// The login's has no `.sat.` in it.
const SOLICITA = 'http://DescargaMasivaTerceros.sat.gob.mx/ISolicitaDescargaService/'
const ACTIONS = {
  autentica: 'http://DescargaMasivaTerceros.gob.mx/IAutenticacion/Autentica',
  verifica: 'http://DescargaMasivaTerceros.sat.gob.mx/IVerificaSolicitudDescargaService/VerificaSolicitudDescarga',
  descarga: 'http://DescargaMasivaTerceros.sat.gob.mx/IDescargaMasivaTercerosService/Descargar',
} as const
