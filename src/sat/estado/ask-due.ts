import { type Clock, mexicoCityTime } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb } from '../../db/databases.ts'
import { sqlState } from '../../db/failures.ts'
import { AppError } from '../../errors.ts'
import type { Log } from '../../tenants/operations/saga.ts'
import { FARTHEST_MS, SETTLING_MS } from './agenda.ts'
import type { EstadoSat } from './client.ts'
import { wasNotAsked } from './errors.ts'
import { type Consultable, expresionImpresa } from './expresion.ts'
import { type Resultado, recordEstados } from './record-estados.ts'
import { lease, lockBeyond, lockDue, lockUnasked, release } from './turn-queries.ts'

export interface AskDueDeps {
  clock: Clock
  estadoSat: EstadoSat
}

/** What one turn of a company did. */
export interface AskedDue {
  asked: number
  changed: number
  failed: number
  /** There was as much as one turn may ask, so there may be more. */
  more: boolean
}

/**
 * Asks the SAT for what is due of one company, as much as one turn may, and writes the answers down a few at a time. What
 * is taken belongs to this turn for a while: whoever dies meanwhile leaves it to the next. With the SAT out of order it
 * ends in peace, and what it did not ask is as it was.
 */
export async function askDue(
  { clock, estadoSat }: AskDueDeps,
  db: TenantDb,
  { signal, log, size = TURN_SIZE }: { signal: AbortSignal; log: Pick<Log, 'error'>; size?: number },
): Promise<AskedDue> {
  if (estadoSat.restMs() > 0) return { asked: 0, changed: 0, failed: 0, more: false }
  const until = new Date(clock.now().getTime() + LEASE_MS)
  const taken = await takeTurn(db, clock.now(), until, size)
  const done: AskedDue = { asked: 0, changed: 0, failed: 0, more: taken.length === size }
  const left = [...taken]
  let unwritten: Resultado[] = []
  const flush = async () => {
    if (unwritten.length === 0) return
    const answers = unwritten
    unwritten = []
    done.changed += await writeDown(db, answers, clock.now(), log)
    crashpoint('sat.estado.recorded')
  }
  try {
    for (let next = left[0]; next && !signal.aborted; next = left[0]) {
      const resultado = await ask(estadoSat, next, clock, signal)
      if (!resultado) break
      left.shift()
      done['fallo' in resultado ? 'failed' : 'asked'] += 1
      unwritten.push(resultado)
      crashpoint('sat.estado.asked')
      if (unwritten.length >= AT_ONCE) await flush()
    }
    await flush()
  } finally {
    const back = left.map(({ uuid }) => uuid)
    if (back.length > 0) await release(db, back, until, clock.now())
  }
  return { ...done, more: done.more && left.length === 0 }
}

/**
 * Together, and one by one where that fails for what one of them is: a month that cannot be computed with it must not keep
 * the others from being known. @returns how many changed
 */
async function writeDown(
  db: TenantDb,
  resultados: readonly Resultado[],
  now: Date,
  log: Pick<Log, 'error'>,
): Promise<number> {
  try {
    return (await recordEstados(db, resultados, now)).length
  } catch (error) {
    const [first, ...more] = resultados
    if (!first || !isAboutData(error)) throw error
    if (more.length > 0) {
      let changed = 0
      for (const one of resultados) changed += await writeDown(db, [one], now, log)
      return changed
    }
    const { uuid, preguntadoEn } = first
    log.error({ err: error, uuid, alarm: 'sat_estado_unwritten' }, 'an answer of the SAT cannot be written down')
    await recordEstados(db, [{ uuid, preguntadoEn, fallo: 'sat.no_registrado' }], now)
    return 0
  }
}

/** Classes 22 and 23: a value, a constraint. Not a lost connection, and no wait that was too long. */
const isAboutData = (error: unknown): boolean => /^2[23]/.test(sqlState(error) ?? '')

/** Undefined when nobody can be asked now. */
async function ask(
  sat: EstadoSat,
  cfdi: Consultable,
  clock: Clock,
  signal: AbortSignal,
): Promise<Resultado | undefined> {
  const { uuid } = cfdi
  const preguntadoEn = clock.now()
  try {
    return { uuid, ...(await sat.ask(expresionImpresa(cfdi), { signal })) }
  } catch (error) {
    if (signal.aborted || wasNotAsked(error)) return undefined
    if (error instanceof AppError) return { uuid, preguntadoEn, fallo: error.code }
    throw error
  }
}

/**
 * Of each kind some, however much there is of the others: in the time of a load of fifty thousand the open months must
 * still be looked at each day.
 */
async function takeTurn(db: TenantDb, now: Date, until: Date, size: number): Promise<Consultable[]> {
  const settling = {
    from: mexicoCityTime(new Date(now.getTime() - SETTLING_MS)),
    to: mexicoCityTime(new Date(now.getTime() + SETTLING_MS)),
  }
  return db.transaction().execute(async (trx) => {
    const unasked = await lockUnasked(trx, settling, size)
    const soon = await lockDue(trx, 0, now, size)
    const late = await lockDue(trx, 1, now, size)
    const beyond = await lockBeyond(trx, now, new Date(now.getTime() + FARTHEST_MS), size)
    const taken = mixed([unasked, soon, unasked, [...late, ...beyond]], size)
    await lease(
      trx,
      taken.map(({ uuid }) => uuid),
      until,
    )
    return taken
  })
}

/** One of each in turn, from the first on, until `size` or nothing is left. A list that stands twice goes twice. */
function mixed(lists: readonly Consultable[][], size: number): Consultable[] {
  const next = new Map(lists.map((list) => [list, 0]))
  const found: Consultable[] = []
  for (let empty = 0, i = 0; found.length < size && empty < lists.length; i++) {
    const list = lists[i % lists.length] ?? []
    const at = next.get(list) ?? 0
    const one = list[at]
    next.set(list, at + 1)
    empty = one ? 0 : empty + 1
    if (one) found.push(one)
  }
  return found
}

/** About one a second: half a minute, and then it is another company's turn. */
const TURN_SIZE = 30
/** Longer than a turn of calls that all last as long as they may, with seven other companies in between. */
const LEASE_MS = 30 * 60_000
/** Answers that one commit, and one derivation of their months, holds. */
const AT_ONCE = 10
