import { z } from 'zod'

/** What the simulated SAT holds: CFDI by folio fiscal in upper case, issuers by RFC, and what goes wrong. */
export interface State {
  cfdis: Map<string, Registro>
  /** `ValidacionEFOS` by RFC of the issuer; empty leaves the field out. Who is not here is 200. */
  efos: Map<string, string>
  faults: FaultRule[]
  /** Of the faults. */
  nextId: number
}

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

/** What goes wrong with an answer. */
export const FAULTS = [
  '601', // the expression is not valid, although it is
  '602', // not found, although it is there
  'latency', // `ms` longer
  'hang', // no answer; the connection stays open
  'cut', // the connection is closed without one
  'half', // headers and half an answer, then closed
  'stall', // headers and half an answer, then silence
  'http_500', // a fault of WCF
  'http_502',
  'http_503',
  'html_200', // a page of a firewall
  'empty_200',
  'flood', // an answer without end
  'other_words', // a state that nobody knows
] as const
export type Fault = (typeof FAULTS)[number]

/** Which fault, for which CFDI (nothing: all), how often (nothing: until it is taken away) and until when. */
export const NewFault = z.strictObject({
  fault: z.enum(FAULTS),
  uuid: z.guid().exactOptional(),
  next: z.number().int().min(1).max(1_000_000).exactOptional(),
  minutes: z.number().int().min(1).max(100_000).exactOptional(),
  ms: z.number().int().min(0).max(120_000).default(1_000),
})
export type NewFault = z.input<typeof NewFault>
export type FaultRule = Omit<z.output<typeof NewFault>, 'minutes'> & { id: string; until: string | null }

export const emptyState = (): State => ({ cfdis: new Map(), efos: new Map(), faults: [], nextId: 1 })

/** The rules that strike this request; uses up one strike of each. */
export function strike(state: State, uuid: string | null, now: Date): FaultRule[] {
  state.faults = state.faults.filter(({ until }) => until === null || new Date(until) > now)
  const found = state.faults.filter((rule) => rule.uuid === undefined || rule.uuid.toUpperCase() === uuid)
  for (const rule of found) if (rule.next !== undefined) rule.next -= 1
  state.faults = state.faults.filter(({ next }) => next !== 0)
  return found
}
