import type { Servicio, Universe } from '../universe/universe.ts'
import type { Trust } from './certificates.ts'
import type { DescargaState } from './state.ts'

export type { Servicio }
export type Operacion = 'autentica' | 'solicita' | 'verifica' | 'descarga'

/** All that an answer depends on. */
export interface World {
  readonly state: DescargaState
  readonly universe: Universe
  readonly trust: Trust
  now(): Date
  /** What time it would be, had nobody moved the clock a moment ago. */
  before(): readonly Date[]
  /** After what must outlive a restart has changed, and before it is answered. */
  changed(): void
}

/** A universe of nobody. */
export const emptyUniverse: Universe = {
  contribuyentes: [],
  autoridades: [],
  find: () => undefined,
  cfdis: () => [],
  findCfdi: () => undefined,
  efirmaDe: () => undefined,
}
