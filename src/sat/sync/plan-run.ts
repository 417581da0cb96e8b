import { mexicoCityTime } from '../../clock.ts'
import { crashpoint } from '../../crashpoint.ts'
import type { CentralSql } from '../../db/databases.ts'
import type { Servicio } from '../descarga/consulta.ts'
import { type Direccion, inicioDe, plan, type Rango } from './plan.ts'
import { insertSolicitudes } from './request-queries.ts'
import { retryHoles } from './retry-holes.ts'
import { lockOpenRun, lockOrden, markPlanned, type Orden, saveOrden } from './run-queries.ts'
import type { Empresa, SyncDeps } from './sync-deps.ts'
import { findCovered, findOpenMetadata } from './work-queries.ts'

/**
 * Writes down what the open run has to ask, in one commit, when that is still to be done. @returns how many requests, or
 * undefined when there was nothing to plan
 */
export async function planRun({ central, clock }: Pick<SyncDeps, 'central' | 'clock'>, empresa: Empresa) {
  const planned = await central.transaction().execute(async (trx) => {
    const orden = await lockOrden(trx, empresa.id)
    const run = await lockOpenRun(trx, empresa.id)
    if (!run?.porPlanear || !orden) return undefined
    const now = clock.now()
    // A night that joins a first run that is still open needs no more than any night.
    const primera = run.kind === 'inicial' && orden.weeklyAt === null
    const kind = primera ? 'inicial' : run.kind === 'manual' ? 'manual' : 'nocturna'
    const semanal = primera || isWeekOver(orden.weeklyAt, now)
    const cubierto = await coverage(trx, empresa, orden, now)
    const planeadas = plan({ kind, historiaDesde: orden.historiaDesde, semanal, cubierto }, now)
    // A list that is still to come tells what another of the same month would.
    const abiertas = new Set((await findOpenMetadata(trx, empresa.id)).map(keyOf))
    const nuevas = planeadas.filter(({ consulta }) => consulta.tipo === 'CFDI' || !abiertas.has(keyOf(consulta)))
    const written = await insertSolicitudes(trx, { tenantId: empresa.id, jobId: run.id, rfc: empresa.rfc }, nuevas, now)
    const inicio = inicioDe(orden.historiaDesde, now)
    const otraVez = await retryHoles(trx, empresa, { jobId: run.id, inicio, now })
    await markPlanned(trx, run.id, now)
    await saveOrden(trx, empresa.id, { lastRunAt: now, ...(semanal && { weeklyAt: now }) }, now)
    return written + otraVez
  })
  crashpoint('sat.run.planned')
  return planned
}

/** By service and direction, of which ranges the XML was asked for. What was asked under a clock of the future is not believed. */
export async function coverage(db: CentralSql, empresa: Empresa, orden: Orden, now: Date) {
  const inicio = inicioDe(orden.historiaDesde, now)
  const believed = (key: string) => {
    const until = orden.coveredUntil[key]
    return until !== undefined && until >= inicio && until <= mexicoCityTime(now) ? until : undefined
  }
  const from = COVERAGE_KEYS.map((key) => believed(key) ?? inicio).sort()[0] ?? inicio
  const rows = await findCovered(db, { tenantId: empresa.id, rfc: empresa.rfc }, { from, now })
  /** `sinFallas`: without those that a person must look at. `sinAbiertas`: without those under way. */
  return (servicio: Servicio, direccion: Direccion, { sinFallas = false, sinAbiertas = false } = {}): Rango[] => {
    const asked = rows.filter(
      (row) =>
        row.servicio === servicio &&
        row.direccion === direccion &&
        !(sinFallas && row.conFalla) &&
        !(sinAbiertas && row.abierta),
    )
    const until = believed(`${servicio}.${direccion}`)
    return [...(until === undefined ? [] : [{ desde: inicio, hasta: until }]), ...asked]
  }
}

export const COVERAGE_KEYS = [
  'cfdi.emitidos',
  'cfdi.recibidos',
  'retenciones.emitidos',
  'retenciones.recibidos',
] as const

const keyOf = (range: { servicio: string; direccion: string; desde: string }) =>
  `${range.servicio} ${range.direccion} ${range.desde}`

/** Half a day less than a week, so that it stays in the same night although turns are not to the second. */
const isWeekOver = (at: Date | null, now: Date) => at === null || at > now || now.getTime() - at.getTime() >= WEEK_MS
const WEEK_MS = 6.5 * 86_400_000
