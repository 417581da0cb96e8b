import { sql } from 'kysely'
import { MINUTE_MS } from './limits.ts'

/**
 * The time of a request has come; or a clock that went ahead and was put back gave it: it was written later than now, or it
 * lies farther ahead than any that is given. What is being sent is left to whoever sends it for as long as that may take.
 * `of` is its alias.
 */
export const isDue = (now: Date, of = 'sat_solicitudes') =>
  due(now, of, { taken: 'enviando', written: 'actualizada_en' })

/** The same of a package. */
export const isPackageDue = (now: Date, of: string) => due(now, of, { taken: 'descargando', written: 'actualizado_en' })

/** Of the times that rows say, those since `since`: one later than now was written under a clock that went wrong. */
export const isSince = (column: 'enviada_en' | 'creada_en', since: Date, now: Date) =>
  sql<boolean>`${sql.ref(column)} between ${since} and ${new Date(now.getTime() + AHEAD_MS)}`

function due(now: Date, of: string, { taken, written }: { taken: string; written: string }) {
  const column = (name: string) => sql.ref(`${of}.${name}`)
  const ahead = (ms: number) => new Date(now.getTime() + ms)
  const at = column('siguiente_en')
  return sql<boolean>`(${at} is not null and (${at} <= ${now} or ${at} > ${ahead(FARTHEST_MS)}
    or case when ${column('estado')} = ${sql.lit(taken)} then ${at} > ${ahead(LONGEST_LEASE_MS)}
      else ${column(written)} > ${ahead(AHEAD_MS)} end))`
}

const FARTHEST_MS = 4 * 24 * 60 * MINUTE_MS
/** Twice the longest. */
const LONGEST_LEASE_MS = 60 * MINUTE_MS
/** Clocks of two machines differ by less. */
const AHEAD_MS = 5 * MINUTE_MS
