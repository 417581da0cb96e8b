import { giveBackTry, reserveTry } from '../auth/login-tries.ts'
import type { Rule } from '../auth/throttle.ts'
import type { CentralDb } from '../db/databases.ts'
import { demasiadosIntentos } from './errors.ts'

interface Uploader {
  tenantId: string
  userId: string
}

/**
 * Does `check` on an e.firma, unless too many came within an hour: what is in a file decides how long it takes to open, up to
 * some tenths of a second in which this process does nothing else, and whoever has many files may try many passwords. Counted
 * in the database and before it is opened, so that neither more processes nor many at once let more through.
 * @throws AppError too_many `fiel.demasiados_intentos`, and then nothing was opened; whatever `check` throws
 */
export async function countedUpload<T>(central: CentralDb, who: Uploader, now: Date, check: () => T): Promise<T> {
  const tried = await reserveTry(central, countersOf(who), now, demasiadosIntentos)
  const checked = check()
  const failures = [...tried].filter(([, { rule }]) => rule === RULES.empresaFallida || rule === RULES.personaFallida)
  await giveBackTry(central, new Map(failures), true, now)
  return checked
}

const countersOf = ({ tenantId, userId }: Uploader) =>
  new Map<string, Rule>([
    [`efirma:${tenantId}`, RULES.empresa],
    [`efirma-mala:${tenantId}`, RULES.empresaFallida],
    [`efirma-de:${userId}`, RULES.persona],
    [`efirma-mala-de:${userId}`, RULES.personaFallida],
  ])

const HOUR = { longestS: 3_600, forgetS: 3_600, window: true } as const

/** A company has one e.firma; an accountant may bring those of all their clients on the first day. */
const RULES = {
  empresa: { from: 20, ...HOUR },
  empresaFallida: { from: 10, ...HOUR },
  persona: { from: 120, ...HOUR },
  personaFallida: { from: 30, ...HOUR },
} as const satisfies Record<string, Rule>
