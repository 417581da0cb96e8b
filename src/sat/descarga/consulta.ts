import { createHash } from 'node:crypto'
import { normalizeRfc } from '../../fiscal/rfc.ts'

export type Servicio = 'cfdi' | 'retenciones'
export type TipoSolicitud = 'CFDI' | 'Metadata'

/** What is asked of the mass download service, v1.5 (sat.md 2.3). Times are civil, of Mexico, `YYYY-MM-DDTHH:MM:SS`. */
export type Consulta = ConsultaRango | ConsultaFolio

export interface ConsultaRango {
  readonly servicio: Servicio
  readonly direccion: 'emitidos' | 'recibidos'
  readonly tipo: TipoSolicitud
  readonly desde: string
  readonly hasta: string
  /** Of received CFDI only `Vigente` can be had as XML. */
  readonly estado: 'Todos' | 'Vigente' | 'Cancelado'
  /** The other party: one issuer for received, up to five receivers for issued. */
  readonly contrapartes?: readonly string[]
  readonly tipoComprobante?: 'I' | 'E' | 'T' | 'N' | 'P'
  readonly complemento?: string
  readonly rfcACuentaTerceros?: string
}

export interface ConsultaFolio {
  readonly servicio: Servicio
  readonly direccion: 'folio'
  readonly tipo: 'CFDI'
  readonly folio: string
}

/** Attributes of `solicitud` by their names, and the receivers, which are elements. What is empty is not there. */
export type Parametros = Readonly<Record<string, string | readonly string[]>>

/** The operation that asks for it. */
export const operacionDe = ({ direccion }: Consulta): OperacionSolicita => OPERACIONES[direccion]

export type OperacionSolicita = (typeof OPERACIONES)[keyof typeof OPERACIONES]

const OPERACIONES = {
  emitidos: 'SolicitaDescargaEmitidos',
  recibidos: 'SolicitaDescargaRecibidos',
  folio: 'SolicitaDescargaFolio',
} as const

/**
 * Exactly what is sent for `consulta` by the taxpayer `rfc`, by the names of the service and in their order (sat.md 2.3).
 *
 * RFCs are in upper case, and receivers in order and once each, so that the same is always asked in the same words.
 */
export function parametrosDe(consulta: Consulta, rfc: string): Parametros {
  const solicitante = normalizeRfc(rfc)
  const given: Record<string, string | readonly string[] | undefined> =
    consulta.direccion === 'folio'
      ? { Folio: consulta.folio.trim().toLowerCase(), RfcSolicitante: solicitante }
      : { ...ofRange(consulta), ...ofParties(consulta, solicitante), RfcSolicitante: solicitante }
  const names = Object.keys(given).sort()
  return Object.fromEntries(names.flatMap((name) => (given[name]?.length ? [[name, given[name]]] : [])))
}

/**
 * What makes two requests the same for the SAT, which gives the same CFDI twice at most (5002) and not twice at once (5005):
 * SHA-256 of service, operation and parameters.
 */
export function huellaDe(consulta: Consulta, rfc: string): Buffer {
  const parametros = Object.entries(parametrosDe(consulta, rfc))
  return createHash('sha256')
    .update(JSON.stringify([consulta.servicio, operacionDe(consulta), parametros]))
    .digest()
}

const ofRange = ({ desde, hasta, tipo, estado, tipoComprobante, complemento, rfcACuentaTerceros }: ConsultaRango) => ({
  FechaInicial: desde,
  FechaFinal: hasta,
  TipoSolicitud: tipo,
  // Always said: what is told to be its default is refused where it is left out (sat.md 2.3).
  EstadoComprobante: estado,
  TipoComprobante: tipoComprobante,
  Complemento: complemento,
  RfcACuentaTerceros: rfcACuentaTerceros === undefined ? undefined : normalizeRfc(rfcACuentaTerceros),
})

function ofParties({ direccion, contrapartes = [] }: ConsultaRango, rfc: string) {
  const others = [...new Set(contrapartes.map(normalizeRfc))].sort()
  return direccion === 'emitidos'
    ? { RfcEmisor: rfc, RfcReceptores: others }
    : { RfcReceptor: rfc, RfcEmisor: others[0] }
}
