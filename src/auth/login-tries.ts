import { createHash } from 'node:crypto'
import type { CentralDb } from '../db/databases.ts'
import type { AppError } from '../errors.ts'
import { findCounters, lockCounters, saveCounter } from './counter-queries.ts'
import { loginDelayed } from './errors.ts'
import { type Counter, RULES, type Rule, waitS, withFailure, withoutFailure } from './throttle.ts'

/** Where a login comes from. */
export interface LoginSource {
  email: string
  network: string
  /** A device this person has logged in from before, or null. */
  knownDevice: string | null
  /** Whether this person has logged in from this network before. */
  knownNetwork: boolean
}

type Refusal = (retryAfterS: number) => AppError

/** A try that was counted before its outcome is known. */
export type ReservedTry = ReadonlyMap<string, { rule: Rule; blockedUntil: Date | null }>

/**
 * Counts a try as failed, before the password is looked at.
 * @throws AppError too_many `auth.delayed`, or what `refusal` makes of the seconds to wait; then nothing was counted, or an attack would prolong its own blocks
 */
export async function reserveTry(
  central: CentralDb,
  rules: ReadonlyMap<string, Rule>,
  now: Date,
  refusal: Refusal = loginDelayed,
): Promise<ReservedTry> {
  const keys = [...rules.keys()]
  refuseBlocked(await findCounters(central, keys), now, refusal) // most of an attack ends here, without a lock
  return central.transaction().execute(async (trx) => {
    const counters = await lockCounters(trx, keys, now)
    refuseBlocked(counters, now, refusal)
    const reserved = new Map<string, { rule: Rule; blockedUntil: Date | null }>()
    for (const [key, rule] of rules) {
      const counter = withFailure(counters.get(key), rule, now)
      await saveCounter(trx, key, counter)
      reserved.set(key, { rule, blockedUntil: counter.blockedUntil })
    }
    return reserved
  })
}

/** The password was right (`proven`), or was never compared: the try was no failure. */
export async function giveBackTry(central: CentralDb, tried: ReservedTry, proven: boolean, now: Date): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const counters = await lockCounters(trx, [...tried.keys()], now)
    for (const [key, { rule, blockedUntil }] of tried) {
      const counter = counters.get(key)
      if (!counter) continue
      // The account is theirs: what this source had failed before was a slip. The other counters tell of others too.
      const forgiven = proven && rule === RULES.origen
      const left = forgiven ? { ...counter, failures: 0, blockedUntil: null } : withoutFailure(counter, blockedUntil)
      await saveCounter(trx, key, left)
    }
  })
}

/**
 * What a login is counted on. Whoever is known to the account is not kept out by strangers who guess: a known device has
 * only a counter of its own, a known network that and the network's. An attack slows the attacker and newcomers.
 */
export function loginCounters({ email, network, knownDevice, knownNetwork }: LoginSource): Map<string, Rule> {
  const account = accountKey(email)
  if (knownDevice) return new Map([[`origen:${account}:${knownDevice}`, RULES.origen]])
  const near: [string, Rule][] = [
    [`origen:${account}:${network}`, RULES.origen],
    [`red:${network}`, RULES.red],
  ]
  if (knownNetwork) return new Map(near)
  return new Map([...near, [`cuenta:${account}`, RULES.cuenta], ['todo', RULES.todo]])
}

/** What a link that sets a password is counted on: each known device or network by itself, all strangers together. */
export function linkCounters({ email, network, knownDevice, knownNetwork }: LoginSource): Map<string, Rule> {
  const from = knownDevice ?? (knownNetwork ? network : 'strangers')
  return new Map([[`enlace:${accountKey(email)}:${from}`, RULES.enlace]])
}

/** For who is logged in and types the current password again: a stolen access token must not serve to guess it. */
export const reauthenticationCounters = (userId: string) => new Map<string, Rule>([[`cambio:${userId}`, RULES.origen]])

/** The name of an account in keys, which should not say who has trouble logging in. */
export const accountKey = (email: string) => createHash('sha256').update(email).digest('base64url').slice(0, 22)

function refuseBlocked(counters: ReadonlyMap<string, Counter>, now: Date, refusal: Refusal): void {
  const wait = Math.max(0, ...[...counters.values()].map((counter) => waitS(counter, now)))
  if (wait > 0) throw refusal(Math.ceil(wait))
}
