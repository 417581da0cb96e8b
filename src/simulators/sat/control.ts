import type { Asked } from './answer.ts'
import { type DescargaControl, noteCancelacion } from './descarga/control.ts'
import { emptyDescarga } from './descarga/state.ts'
import { type FaultRule, MODOS, type Modo, NewFault, type Registro, type State, VIGENTE } from './state.ts'

/** The levers: for tests in process, the page and the JSON under `/__sim`. */
export interface Control extends DescargaControl {
  /** What the SAT says of a CFDI from now on. */
  set(uuid: string, registro: Partial<Registro>): Registro
  cancel(uuid: string, modo: Modo): Registro
  /** As if nobody had said anything of it: vigente. */
  forget(uuid: string): void
  /** `ValidacionEFOS` for what this RFC issues; '' leaves the field out, null is 200 again. */
  setEfos(rfc: string, code: string | null): void
  addFault(fault: NewFault): FaultRule
  removeFault(id: string): void
  clearFaults(): void
  /** The last questions, the oldest first. */
  requests(): readonly Asked[]
  reset(): void
}

export function createControl(
  state: State,
  descarga: DescargaControl,
  log: Asked[],
  now: () => Date,
  changed: () => void,
): Control {
  const inicial = state.descarga.ajustes
  const set = (uuid: string, registro: Partial<Registro>): Registro => {
    const id = uuid.toUpperCase()
    const made = { ...(state.cfdis.get(id) ?? VIGENTE), ...registro }
    state.cfdis.set(id, made)
    noteCancelacion({ state: state.descarga, now }, id, made.estado === 'Cancelado')
    changed()
    return made
  }
  return {
    ...descarga,
    set,
    cancel: (uuid, modo) => set(uuid, MODOS[modo]),
    forget(uuid) {
      state.cfdis.delete(uuid.toUpperCase())
      noteCancelacion({ state: state.descarga, now }, uuid.toUpperCase(), false)
      changed()
    },
    setEfos(rfc, code) {
      if (code === null) state.efos.delete(rfc.toUpperCase())
      else state.efos.set(rfc.toUpperCase(), code)
      changed()
    },
    addFault(fault) {
      const { minutes, ...rule } = NewFault.parse(fault)
      const until = minutes === undefined ? null : new Date(now().getTime() + minutes * 60_000).toISOString()
      const made = { ...rule, id: `falla-${state.nextId++}`, until }
      state.faults.push(made)
      return made
    },
    removeFault(id) {
      state.faults = state.faults.filter((rule) => rule.id !== id)
    },
    clearFaults() {
      state.faults = []
    },
    requests: () => log,
    reset() {
      state.cfdis.clear()
      state.efos.clear()
      state.faults = []
      const { llave } = state.descarga
      Object.assign(state.descarga, { ...emptyDescarga(inicial), llave })
      log.length = 0
      changed()
    },
  }
}
