import type { VirtualClock } from './clock.ts'
import type { State } from './state.ts'
import type { Topic } from './topics.ts'
import { wireOf } from './wire.ts'

/** What every part of the simulator works on. One thread, and no part awaits in the middle of a change. */
export interface World {
  state: State
  clock: VirtualClock
  /** Where its own pages are, for `init_point`. */
  url(): string
  /** Something changed or became due: time to look. */
  stir(): void
}

export type ResourceKind = 'preapproval' | 'instalment' | 'payment' | 'chargeback'

/** Stamps a change of a resource and keeps what it answers from now on. Called after every change. */
export function changed(world: World, kind: ResourceKind, id: string): void {
  const { state } = world
  const at = world.clock.now()
  if (kind === 'preapproval') {
    const preapproval = state.preapprovals.get(id)
    if (preapproval) Object.assign(preapproval, { version: preapproval.version + 1, modifiedAt: at })
  } else {
    const resource = { instalment: state.instalments, payment: state.payments, chargeback: state.chargebacks }[
      kind
    ].get(id)
    if (resource) resource.modifiedAt = at
  }
  const versions = state.versions.get(`${kind} ${id}`) ?? []
  versions.push({ at, body: JSON.stringify(wireOf(world, kind, id)) })
  state.versions.set(`${kind} ${id}`, versions.slice(-MOST_VERSIONS))
  world.stir()
}

/** Enough to be a few changes behind; a mandate of ten years must not fill the memory. */
const MOST_VERSIONS = 8

export type { Topic }
