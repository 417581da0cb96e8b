import { z } from 'zod'
import { type DescargaState, emptyDescarga } from './descarga/state.ts'

/** What the simulated SAT holds: CFDI by folio fiscal in upper case, issuers by RFC, and what goes wrong. */
export interface State {
  cfdis: Map<string, Registro>
  /** `ValidacionEFOS` by RFC of the issuer; empty leaves the field out. Who is not here is 200. */
  efos: Map<string, string>
  faults: FaultRule[]
  /** Of the faults. */
  nextId: number
  descarga: DescargaState
}

export const OPERACIONES = ['estado', 'autentica', 'solicita', 'verifica', 'descarga'] as const
export type Operacion = (typeof OPERACIONES)[number]

export const Registro = z.strictObject({
  estado: z.enum(['Vigente', 'Cancelado', 'No Encontrado']),
  esCancelable: z.enum(['No cancelable', 'Cancelable sin aceptación', 'Cancelable con aceptación']),
  estatusCancelacion: z.enum([
    '',
    'En proceso',
    'Solicitud rechazada',
    'Cancelado sin aceptación',
    'Cancelado con aceptación',
    'Plazo vencido',
  ]),
})
export type Registro = z.output<typeof Registro>

export const RegistroChange = z.strictObject({
  estado: Registro.shape.estado.exactOptional(),
  esCancelable: Registro.shape.esCancelable.exactOptional(),
  estatusCancelacion: Registro.shape.estatusCancelacion.exactOptional(),
})

/** Of every CFDI that nobody said anything about. */
export const VIGENTE: Registro = {
  estado: 'Vigente',
  esCancelable: 'Cancelable con aceptación',
  estatusCancelacion: '',
}

/** The ways in which a cancellation stands or ends (sat.md 3). */
export const MODOS = {
  sin_aceptacion: {
    ...VIGENTE,
    estado: 'Cancelado',
    esCancelable: 'Cancelable sin aceptación',
    estatusCancelacion: 'Cancelado sin aceptación',
  },
  con_aceptacion: { ...VIGENTE, estado: 'Cancelado', estatusCancelacion: 'Cancelado con aceptación' },
  plazo_vencido: { ...VIGENTE, estado: 'Cancelado', estatusCancelacion: 'Plazo vencido' },
  en_proceso: { ...VIGENTE, estatusCancelacion: 'En proceso' },
  solicitud_rechazada: { ...VIGENTE, estatusCancelacion: 'Solicitud rechazada' },
} as const satisfies Record<string, Registro>
export type Modo = keyof typeof MODOS

/** What goes wrong with an answer, and of which operations. */
const FAULTS_OF = {
  latency: OPERACIONES, // `ms` longer
  hang: OPERACIONES, // no answer; the connection stays open; nothing is done
  cut: OPERACIONES, // the connection is closed without one; nothing is done
  perdida: OPERACIONES, // done, and then the connection is closed without an answer
  half: OPERACIONES, // headers and half an answer (or `bytes` of it), then closed
  stall: OPERACIONES, // headers and half an answer (or `bytes` of it), then silence
  http_500: OPERACIONES, // a fault of WCF
  http_502: OPERACIONES,
  http_503: OPERACIONES,
  html_200: OPERACIONES, // a page of a firewall
  empty_200: OPERACIONES,
  flood: ['estado', 'autentica', 'solicita', 'verifica'], // an answer without end
  601: ['estado'], // the expression is not valid, although it is
  602: ['estado'], // not found, although it is there
  other_words: ['estado'], // a state that nobody knows
  seguridad: ['autentica', 'solicita', 'verifica', 'descarga'], // fault InvalidSecurity
  accion: ['autentica', 'solicita', 'verifica', 'descarga'], // fault ActionNotSupported
  otra_forma: ['autentica', 'solicita', 'verifica'], // other prefixes, other case
  codigo: ['solicita', 'verifica', 'descarga'], // CodEstatus `codigo` (nothing: 404) with `mensaje`; nothing is done
  codigo_estado: ['verifica'], // rejected, CodigoEstadoSolicitud `codigo` (nothing: 5002)
  estado_desconocido: ['verifica'], // EstadoSolicitud 9
  lenta: ['descarga'], // `ms` between two pieces of the answer
  paquete_vacio: ['descarga'], // 5000 and no package
  base64_roto: ['descarga'],
  zip_roto: ['descarga'], // half a ZIP in a whole message
  zip_crc: ['descarga'], // a member with a wrong checksum
  zip_ajeno: ['descarga'], // a CFDI of somebody else among them
  zip_repetido: ['descarga'], // one CFDI twice, and in every package
  zip_faltan: ['descarga'], // the first and every tenth CFDI after it are left out
} as const satisfies Record<string, readonly Operacion[]>
export const FAULTS = Object.keys(FAULTS_OF) as [Fault, ...Fault[]]
export type Fault = `${keyof typeof FAULTS_OF}`

/**
 * Which fault, in which operation, for which taxpayer and CFDI (nothing: all), how often (nothing: until it is taken away)
 * and until when. Minutes are of the simulator's clock, milliseconds are real.
 */
export const NewFault = z.strictObject({
  fault: z.enum(FAULTS),
  operacion: z.enum(OPERACIONES).exactOptional(),
  rfc: z.string().exactOptional(),
  uuid: z.guid().exactOptional(),
  next: z.number().int().min(1).max(1_000_000).exactOptional(),
  minutes: z.number().int().min(1).max(100_000).exactOptional(),
  ms: z.number().int().min(0).max(120_000).default(1_000),
  codigo: z.string().min(1).max(10).exactOptional(),
  mensaje: z.string().max(1_000).exactOptional(),
  bytes: z.number().int().min(1).exactOptional(),
})
export type NewFault = z.input<typeof NewFault>
export type FaultRule = Omit<z.output<typeof NewFault>, 'minutes'> & { id: string; until: string | null }

export const emptyState = (descarga: DescargaState = emptyDescarga()): State => ({
  cfdis: new Map(),
  efos: new Map(),
  faults: [],
  nextId: 1,
  descarga,
})

/** The rules that strike this request; uses up one strike of each. */
export function strike(
  state: State,
  { operacion, rfc, uuid }: { operacion: Operacion; rfc: string | null; uuid: string | null },
  now: Date,
): FaultRule[] {
  state.faults = state.faults.filter(({ until }) => until === null || new Date(until) > now)
  const found = state.faults.filter(
    (rule) =>
      (FAULTS_OF[rule.fault] as readonly Operacion[]).includes(operacion) &&
      (rule.operacion === undefined || rule.operacion === operacion) &&
      (rule.rfc === undefined || rule.rfc.toUpperCase() === rfc) &&
      (rule.uuid === undefined || rule.uuid.toUpperCase() === uuid),
  )
  for (const rule of found) if (rule.next !== undefined) rule.next -= 1
  state.faults = state.faults.filter(({ next }) => next !== 0)
  return found
}
