import { nextId } from './chance.ts'
import type { State } from './state.ts'

/** Something that will happen by itself at its instant. `ref` is the resource it happens to. */
export interface Due {
  id: string
  at: Date
  kind: DueKind
  ref: string
}

export type DueKind =
  | 'schedule' // an instalment of preapproval `ref` appears
  | 'debit' // instalment `ref` is tried
  | 'settle' // payment `ref`, held for review, is approved
  | 'give_back' // validation payment `ref` is refunded
  | 'deliver' // delivery `ref` is sent

export function addDue(state: State, due: Omit<Due, 'id'>): void {
  state.agenda.push({ id: nextId(state, 'due'), ...due })
  state.agenda.sort((a, b) => a.at.getTime() - b.at.getTime() || Number(a.id) - Number(b.id))
}

export function dropDue(state: State, kind: DueKind, ref: string): void {
  state.agenda = state.agenda.filter((due) => due.kind !== kind || due.ref !== ref)
}

/** Takes out the first that is due at `now`: what happens comes before the news of it. */
export function takeDue(state: State, now: Date): Due | undefined {
  const found = state.agenda.find((due) => due.kind !== 'deliver' && due.at <= now)
  if (found) state.agenda.splice(state.agenda.indexOf(found), 1)
  return found
}

export function takeDeliveries(state: State, now: Date): Due[] {
  const due = state.agenda.filter((entry) => entry.kind === 'deliver' && entry.at <= now)
  state.agenda = state.agenda.filter((entry) => !due.includes(entry))
  return due
}

/** The next thing to happen. News is held back as long as `silent`. */
export function nextDue(state: State, silent: boolean): Due | undefined {
  return state.agenda.find((due) => !(silent && due.kind === 'deliver'))
}
