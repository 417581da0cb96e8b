import { importCarga } from '../../src/cfdi/bulk/import-carga.ts'
import { dropAll, dropFiles, tenantsWithFiles, tidyCargas } from '../../src/cfdi/bulk/tidy-cargas.ts'
import { applyKnownStates } from '../../src/sat/paquetes/apply-metadata.ts'
import { findTenant } from '../../src/tenants/queries.ts'
import type { Handler } from '../handler.ts'
import { isGone, tenantHandler } from '../tenant-handler.ts'

export const onCfdiImport = tenantHandler<'cfdi.import'>(
  async (deps, db, { tenantId, cargaId }, { signal, log }) => {
    const tenant = await findTenant(deps.central, tenantId)
    if (!tenant) return { cancelled: 'tenant.unknown' }
    const carga = await importCarga({ ...deps, log }, db, cargaId, { rfc: tenant.rfc, signal })
    if (!carga) return { cancelled: 'carga.unknown' }
    await dropFiles(deps, db, cargaId)
    // What came may have been cancelled long ago. Who dies here leaves it to the next turn of the state service.
    await applyKnownStates(db, deps.clock.now())
    const { estado, pausa, procesados, nuevos, repetidos, rechazados, cuarentena } = carga
    return { estado, pausa, procesados, nuevos, repetidos, rechazados, cuarentena }
  },
  { plan: { feature: 'cfdi_basic' }, swept: true },
)

const tidy = tenantHandler<'cfdi.import-tidy'>((deps, db) => tidyCargas(deps, db), { swept: true })

export const onCfdiImportTidy: Handler<'cfdi.import-tidy'> = async (deps, payload, job) => {
  const done = await tidy(deps, payload, job)
  // A company that was deleted may be restored for a while, and then goes on with its loads.
  if (!isGone(done)) return done
  const state = (await findTenant(deps.central, payload.tenantId))?.state ?? 'purged'
  if (state === 'purged') await dropAll(deps.config, payload.tenantId)
  return done
}

/** A job per company that has files on the disk: one that cannot be entered holds up none of the others. */
export const onCfdiImportSweep: Handler<'cfdi.import-sweep'> = async ({ config, central, queue }) => {
  const tenants = await tenantsWithFiles(config)
  await central.transaction().execute(async (trx) => {
    for (const tenantId of tenants) await queue.enqueue(trx, 'cfdi.import-tidy', { tenantId })
  })
  return { tenants: tenants.length }
}
