import { cfdiNotFound } from '../../cfdi/errors.ts'
import type { Clock } from '../../clock.ts'
import type { TenantDb } from '../../db/databases.ts'
import type { EstadoSat } from './client.ts'
import { satSinConsulta } from './errors.ts'
import { expresionImpresa } from './expresion.ts'
import { findEstado } from './history-queries.ts'
import { recordEstados } from './record-estados.ts'
import { findConsultable } from './turn-queries.ts'

export type AskNow = (db: TenantDb, uuid: string) => Promise<void>

/**
 * Asks the SAT for one CFDI because somebody wants to know now, and writes down what it says. An answer of less than a
 * minute ago is good enough, and so is the one that somebody else is waiting for.
 */
export function createAskNow({ clock, estadoSat }: { clock: Clock; estadoSat: EstadoSat }): AskNow {
  const asking = new Map<string, Promise<void>>()

  async function ask(db: TenantDb, uuid: string): Promise<void> {
    const cfdi = await findConsultable(db, uuid)
    if (!cfdi) throw cfdiNotFound()
    if (cfdi.tipo === 'R') throw satSinConsulta()
    const { consulta } = (await findEstado(db, uuid)) ?? {}
    const age = consulta?.consultadoEn ? clock.now().getTime() - consulta.consultadoEn.getTime() : FRESH_MS
    if (age >= 0 && age < FRESH_MS) return
    const contestado = await estadoSat.ask(expresionImpresa(cfdi), { maxWaitMs: PATIENCE_MS })
    await recordEstados(db, [{ uuid, ...contestado }], clock.now())
  }

  return async (db, uuid) => {
    const key = `${db.tenantId}/${uuid}`
    const running = asking.get(key) ?? ask(db, uuid).finally(() => asking.delete(key))
    asking.set(key, running)
    await running
  }
}

const FRESH_MS = 60_000
/** With the call itself it must fit into what a request may take. */
const PATIENCE_MS = 5_000

/** For a process where somebody waits. */
export const ASK_NOW_DEADLINE_MS = 8_000
