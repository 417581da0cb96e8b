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
