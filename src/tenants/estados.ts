import type { OperationKind, OperationState } from './operations/operation.ts'
import type { PlacementState } from './queries.ts'

/** How the wire and people call the states of a company. One without a placement is `en_espera`. */
export const estados = {
  provisioning: 'aprovisionando',
  active: 'activa',
  suspended: 'suspendida',
  moving: 'moviendo',
  deleted: 'eliminada',
  purging: 'purgando',
  purged: 'purgada',
  failed: 'fallida',
} as const satisfies Record<PlacementState, string>

export const estadoOf = (state: PlacementState | null) => (state === null ? 'en_espera' : estados[state])

/** The state that a word of the wire stands for. */
export const stateOf = (estado: string): PlacementState | null | undefined =>
  estado === 'en_espera' ? null : (Object.keys(estados) as PlacementState[]).find((state) => estados[state] === estado)

export const tipos = {
  provision: 'aprovisionar',
  suspend: 'suspender',
  resume: 'reactivar',
  delete: 'eliminar',
  restore: 'restaurar',
  purge: 'purgar',
} as const satisfies Record<OperationKind, string>

export const estadosDeOperacion = {
  queued: 'en_cola',
  running: 'en_curso',
  succeeded: 'terminada',
  failed: 'fallida',
  compensating: 'deshaciendo',
  compensated: 'deshecha',
} as const satisfies Record<OperationState, string>
