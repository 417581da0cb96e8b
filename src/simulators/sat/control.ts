import type { Asked } from './answer.ts'
import { type FaultRule, MODOS, type Modo, NewFault, type Registro, type State, VIGENTE } from './state.ts'

/** The levers: for tests in process, the page and the JSON under `/__sim`. */
export interface Control {
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

export function createControl(state: State, log: Asked[], now: () => Date, changed: () => void): Control {
  const set = (uuid: string, registro: Partial<Registro>): Registro => {
    const id = uuid.toUpperCase()
    const made = { ...(state.cfdis.get(id) ?? VIGENTE), ...registro }
    state.cfdis.set(id, made)
    changed()
    return made
  }
  return {
    set,
    cancel: (uuid, modo) => set(uuid, MODOS[modo]),
    forget(uuid) {
      state.cfdis.delete(uuid.toUpperCase())
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
      log.length = 0
      changed()
    },
  }
}
