import type { CentralTx } from '../../db/databases.ts'
import { instantOf } from '../../fiscal/fecha.ts'
import { laterCivil } from './civil.ts'
import { countRetried, lockHolesToRetry } from './hole-queries.ts'
import { alargada } from './machine.ts'
import { hoyDe, prioridadDe } from './plan.ts'
import { FARTHEST_RETRY_MS, MOST_RETRIED } from './reintentos.ts'
import { insertSolicitudes, saveSolicitud } from './request-queries.ts'
import type { Empresa } from './sync-deps.ts'

/**
 * Asks again for ranges that came to nothing and whose time has come, a few each day. Their parameters are spent, so others
 * take their place with the end a second later; what the SAT gives no more, being six years old, is left off. In the commit
 * that plans a run. @returns how many requests were written
 */
export async function retryHoles(
  trx: CentralTx,
  empresa: Empresa,
  { jobId, inicio, now }: { jobId: string; inicio: string; now: Date },
): Promise<number> {
  const farthest = new Date(now.getTime() + FARTHEST_RETRY_MS)
  const which = { desde: inicio, now, farthest, limit: MOST_RETRIED }
  const holes = await lockHolesToRetry(trx, { tenantId: empresa.id, rfc: empresa.rfc }, which)
  if (holes.length === 0) return 0
  const today = await countRetried(trx, empresa.id, instantOf(hoyDe(now)), now)
  let written = 0
  for (const hole of holes.slice(0, Math.max(0, MOST_RETRIED - today))) {
    if (hole.consulta.direccion === 'folio') continue
    const rango = { ...hole.consulta, desde: laterCivil(hole.consulta.desde, inicio) }
    const consulta = alargada(rango)
    const nueva = { consulta, prioridad: prioridadDe(consulta), padreId: hole.id, reintentos: hole.reintentos + 1 }
    if (!(await saveSolicitud(trx, hole, { estado: 'sustituida', siguienteEn: null }, now))) continue
    written += await insertSolicitudes(trx, { tenantId: empresa.id, jobId, rfc: empresa.rfc }, [nueva], now)
  }
  return written
}
