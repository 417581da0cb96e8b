import type { CentralSql } from '../../db/databases.ts'
import { findPending, type Pending } from './queries.ts'

export interface Idleness {
  ocioso: boolean
  siguiente: Date | null
  pendientes: {
    trabajos: Record<string, Cuenta>
    correos: Cuenta
    recursos: Cuenta
    comandos: Cuenta
    suscripciones: Cuenta
  }
}

interface Cuenta {
  listos: number
  enEspera: number
}

/**
 * Whether everything was done that can be done at `now`, and when there will be more. A subscription whose time has come
 * does not count: the sweep has looked at it, and it may wait for news of MercadoPago (billing.md 3.6).
 */
export async function findIdleness(db: CentralSql, now: Date): Promise<Idleness> {
  const pending = await findPending(db, now)
  const [correos, recursos, comandos, suscripciones] = ONE_OF_EACH.map((kind) =>
    cuenta(pending.find((row) => row.kind === kind)),
  ) as [Cuenta, Cuenta, Cuenta, Cuenta]
  const jobs = pending.filter(({ kind }) => kind === 'trabajos')
  const trabajos = Object.fromEntries(jobs.map((row) => [row.name, cuenta(row)]))
  const next = pending.flatMap((row) => (row.next ? [row.next.getTime()] : []))
  return {
    ocioso: pending.every(({ kind, ready }) => ready === 0 || kind === 'suscripciones'),
    siguiente: next.length > 0 ? new Date(Math.min(...next)) : null,
    pendientes: { trabajos, correos, recursos, comandos, suscripciones },
  }
}

/**
 * Something is to be done and no job is there that would: between two moves the clock goes on as the real one does, and
 * what came due by that comes after the sweep that the move asked for.
 */
export const isForgotten = ({ ocioso, pendientes }: Idleness): boolean =>
  !ocioso && Object.values(pendientes.trabajos).every(({ listos }) => listos === 0)

const ONE_OF_EACH = ['correos', 'recursos', 'comandos', 'suscripciones'] as const

const cuenta = (row: Pending | undefined): Cuenta => ({ listos: row?.ready ?? 0, enEspera: row?.waiting ?? 0 })
