import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { crashpoint } from '../../crashpoint.ts'
import type { TenantDb } from '../../db/databases.ts'
import type { Faltante } from '../paquetes/faltantes-queries.ts'
import { packagePath } from '../paquetes/package-path.ts'
import { cotejarCorrida } from '../reconciliacion/cotejar.ts'
import { LOOK } from './limits.ts'
import { transition } from './machine.ts'
import { findLying } from './package-queries.ts'
import { cubiertoHasta, inicioDe, primeroDe } from './plan.ts'
import { COVERAGE_KEYS, coverage } from './plan-run.ts'
import { reconcile } from './reconcile.ts'
import { lockSettled, lookAgain } from './request-queries.ts'
import { endRun, findOpenRun, findOrden, lockOpenRun, lockOrden, type Orden, saveOrden } from './run-queries.ts'
import type { Empresa, SyncDeps } from './sync-deps.ts'
import { countRun } from './work-queries.ts'
import { writeOutcome } from './write-outcome.ts'

/** Ends the requests whose packages have all come to an end; those whose have not are looked at again soon. */
export async function settle(deps: SyncDeps, tenantId: string): Promise<number> {
  const { central, clock, log } = deps
  const now = clock.now()
  const settled = await central.transaction().execute(async (trx) => {
    const rows = await lockSettled(trx, tenantId)
    for (const { faltan, ilegibles, miembros, ...solicitud } of rows) {
      await writeOutcome(trx, deps, solicitud, transition(solicitud, { kind: 'paquetes', faltan, ilegibles }, now), now)
      const { numeroCfdis } = solicitud
      // Each is read all the same, and what is missing is found by the list.
      if (faltan + ilegibles === 0 && numeroCfdis !== null && numeroCfdis !== miembros)
        log.warn(
          { tenant_id: tenantId, solicitud: solicitud.id, said: numeroCfdis, came: miembros },
          'the SAT counted otherwise',
        )
    }
    return rows.length
  })
  crashpoint('sat.settled')
  await lookAgain(central, tenantId, now, new Date(now.getTime() + LOOK.waiting))
  return settled
}

/**
 * Ends the open run when all it asked for has come to an end: asks again for what lists name and did not come, and when
 * there is nothing of that, notes how it went and how far back everything is here. @returns whether it ended
 */
export async function finishRun(deps: SyncDeps, db: TenantDb, { empresa, xml }: { empresa: Empresa; xml: boolean }) {
  const { central, clock } = deps
  const run = await findOpenRun(central, empresa.id)
  const orden = await findOrden(central, empresa.id)
  if (!run || !orden || run.porPlanear || (await countRun(central, run.id)).abiertas > 0) return false
  await cotejarCorrida(deps, db, { jobId: run.id })
  const { pedido, cubierto } = await coveredUntil(deps, empresa, orden)
  // What is older would be refused, and spoil the run.
  const primero = primeroDe(clock.now())
  const asked = ({ servicio, direccion, fechaEmision }: Faltante) =>
    fechaEmision >= primero && fechaEmision <= (pedido[`${servicio}.${direccion}s`] ?? '')
  if (xml && (await reconcile(deps, db, { empresa, run, asked })) > 0) return false
  const ended = await central.transaction().execute(async (trx) => {
    await lockOrden(trx, empresa.id)
    const same = await lockOpenRun(trx, empresa.id)
    const { abiertas, conFallas } = await countRun(trx, run.id)
    // Another night, or somebody who tried one again, came meanwhile.
    if (same?.id !== run.id || same.porPlanear || abiertas > 0) return false
    const now = clock.now()
    await endRun(trx, run.id, conFallas > 0 ? 'con_fallas' : 'terminada', now)
    const success = conFallas === 0 && { lastSuccessAt: now }
    await saveOrden(trx, empresa.id, { coveredUntil: cubierto, ...success }, now)
    return true
  })
  crashpoint('sat.run.ended')
  if (ended) await tidyDisk(deps, empresa.id)
  return ended
}

/**
 * Up to which second, from where history begins, the XML of each kind was asked for without a hole; `cubierto` stops before
 * what could not be had.
 */
async function coveredUntil({ central, clock }: SyncDeps, empresa: Empresa, orden: Orden) {
  const now = clock.now()
  const inicio = inicioDe(orden.historiaDesde, now)
  const ranges = await central.transaction().execute((trx) => coverage(trx, empresa, orden, now))
  const until = (sinFallas: boolean): Record<string, string> => {
    const entries = COVERAGE_KEYS.flatMap((key) => {
      const [servicio, direccion] = key.split('.') as ['cfdi' | 'retenciones', 'emitidos' | 'recibidos']
      const hasta = cubiertoHasta(inicio, ranges(servicio, direccion, { sinFallas }))
      return hasta === undefined ? [] : [[key, hasta] as const]
    })
    return Object.fromEntries(entries)
  }
  return { pedido: until(false), cubierto: until(true) }
}

/** What lies here of no package that is still worked on: left by workers that died. */
async function tidyDisk({ central, config }: SyncDeps, tenantId: string): Promise<void> {
  const folder = path.join(config.filesPath, 'sat', tenantId)
  const names = await readdir(folder).catch(() => [] as string[])
  if (names.length === 0) return
  const lying = await findLying(central, tenantId)
  const kept = lying.map(({ id }) => path.basename(packagePath(config.filesPath, tenantId, id)))
  for (const name of names)
    if (!kept.some((own) => name.startsWith(own))) await rm(path.join(folder, name), { force: true })
}
