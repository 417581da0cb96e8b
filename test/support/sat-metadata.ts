/** The header of a list, as the SAT writes it. */
export const METADATA_HEADER =
  'Uuid~RfcEmisor~NombreEmisor~RfcReceptor~NombreReceptor~RfcPac~FechaEmision~FechaCertificacionSat~Monto~EfectoComprobante~Estatus~FechaCancelacion'

export const METADATA_ROW = {
  uuid: 'E7215E3B-2DC5-4A40-AB10-C902FF9258DF',
  rfcEmisor: 'EKU9003173C9',
  nombreEmisor: 'ESCUELA KEMPER URGATE',
  rfcReceptor: 'URE180429TM6',
  nombreReceptor: 'UNIVERSIDAD ROBOTICA ESPAÑOLA',
  rfcPac: 'SPR190613I52',
  fechaEmision: '2026-08-11 07:10:23',
  fechaCertificacion: '2026-08-11 07:10:51',
  monto: '1124.11',
  efecto: 'I',
  estatus: '1',
  fechaCancelacion: '',
}

/** A row of a list, without its end. */
export const metadataRow = (row: Partial<typeof METADATA_ROW> = {}): string =>
  Object.values({ ...METADATA_ROW, ...row }).join('~')

/** A list of `rows`, each line ended. */
export const metadataList = (rows: readonly string[], { end = '\r\n', header = METADATA_HEADER } = {}): string =>
  [header, ...rows].map((line) => line + end).join('')
