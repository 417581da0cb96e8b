import type { Operacion } from './codigos.ts'
import type { OperacionSolicita, Servicio } from './consulta.ts'

/** Where each operation is, and what its header says (sat.md 2.1). */
export interface Direccion {
  /** First label of the SAT's host; what is known of one is known of all that is asked there. */
  readonly host: string
  readonly url: string
  readonly accion: string
}

/** `base` null: the SAT's own hosts. Otherwise each host is a folder under it. `de`: which of the three that ask. */
export function direccionDe(
  base: string | null,
  servicio: Servicio,
  operacion: Operacion,
  de?: OperacionSolicita,
): Direccion {
  const host = hostOf(servicio, operacion)
  const root = base === null ? `https://${host}.clouda.sat.gob.mx` : `${base.replace(/\/+$/, '')}/${host}`
  return {
    host,
    url: root + PATHS[operacion],
    accion: operacion === 'solicita' ? `${SOLICITA}${de}` : ACTIONS[operacion],
  }
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
