import { addDays, type Fecha, instantOf } from '../fiscal/fecha.ts'
import type { Centavos } from '../fiscal/money.ts'
import type { Period } from './periods.ts'

/** People with access to a company at 23:55 of a day in Mexico City. */
export interface Snapshot {
  readonly day: Fecha
  readonly users: number
}

export interface Overage {
  /** The most people of any night; 0 when no night is known. */
  readonly max: number
  /** Those beyond the ones included. */
  readonly seats: number
  readonly amountC: Centavos
}

export interface SeatPrice {
  /** People in the price of the plan; -1 is unlimited and never has an overage. */
  readonly included: number
  /** What is charged for each one more, per period, IVA inside. */
  readonly extraUserC: Centavos
}

/**
 * What a closed period's people cost beyond the plan in force when it closed (billing.md 4.8). `snapshots` are the nights
 * of that period, in any order.
 */
export function overage({ snapshots, included, extraUserC }: { snapshots: readonly Snapshot[] } & SeatPrice): Overage {
  const max = snapshots.reduce((most, { users }) => Math.max(most, users), 0)
  const seats = included === UNLIMITED ? 0 : Math.max(0, max - included)
  return { max, seats, amountC: BigInt(seats) * extraUserC }
}

/** How many people a company had from an instant on. */
export interface SeatChange {
  readonly at: Date
  readonly users: number
}

export interface Rebuilt {
  /** Every night that is known or could be rebuilt, in order. */
  readonly snapshots: readonly Snapshot[]
  /** Those of them that were missing. */
  readonly rebuilt: readonly Snapshot[]
  /** Nights before which the log says nothing: the period is billed by the others and flagged. */
  readonly unknown: readonly Fecha[]
}

/**
 * The nights from `from` up to, not including, `to`, of which the worker missed some (billing.md 4.8). A night that was
 * counted stands; a missing one has the people of the last change up to its 23:55. The log may be in any order, but of
 * two changes at one instant the one written later is the later.
 */
export function rebuildSnapshots({ log, known, from, to }: RebuildInput): Rebuilt {
  const counted = new Map(known.map((snapshot) => [snapshot.day, snapshot]))
  const changes = log.toSorted((a, b) => a.at.getTime() - b.at.getTime())
  const snapshots: Snapshot[] = []
  const rebuilt: Snapshot[] = []
  const unknown: Fecha[] = []
  let next = 0
  let users: number | null = null
  for (let day = from; day < to; day = addDays(day, 1)) {
    const night = snapshotInstant(day)
    for (let change = changes[next]; change && change.at <= night; change = changes[++next]) users = change.users
    const snapshot = counted.get(day)
    if (snapshot) snapshots.push(snapshot)
    else if (users === null) unknown.push(day)
    else {
      snapshots.push({ day, users })
      rebuilt.push({ day, users })
    }
  }
  return { snapshots, rebuilt, unknown }
}

interface RebuildInput {
  readonly log: readonly SeatChange[]
  readonly known: readonly Snapshot[]
  readonly from: Fecha
  readonly to: Fecha
}

/** 23:55 of a day in Mexico City. */
export const snapshotInstant = (day: Fecha): Date => new Date(instantOf(day, 23).getTime() + 55 * 60_000)

export interface Projection {
  /** Of the nights counted until now: it is owed whatever happens. */
  readonly soFar: Overage
  /** Of the whole period if the people stay as they are: what the next notice will announce. */
  readonly projected: Overage
}

/**
 * What the running period will cost beyond the plan (billing.md 4.8). To show what an invitation would cost, ask with one
 * person more in `currentUsers`. Nights outside the period do not count; after its last day nothing more can be added.
 */
export function projection({ snapshots, currentUsers, period, today, ...price }: ProjectionInput): Projection {
  const nights = snapshots.filter(({ day }) => day >= period.start && day < period.end)
  const tonight = today < period.end ? [{ day: today, users: currentUsers }] : []
  return {
    soFar: overage({ snapshots: nights, ...price }),
    projected: overage({ snapshots: [...nights, ...tonight], ...price }),
  }
}

interface ProjectionInput extends SeatPrice {
  readonly snapshots: readonly Snapshot[]
  readonly currentUsers: number
  readonly period: Period
  readonly today: Fecha
}

const UNLIMITED = -1
