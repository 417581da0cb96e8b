import { runExport } from '../../src/cfdi/exports/run-export.ts'
import { sweepExports } from '../../src/cfdi/exports/sweep-exports.ts'
import type { Handler } from '../handler.ts'
import { tenantHandler } from '../tenant-handler.ts'

/** Without a plan to ask: a blocked company may take its data out, and whoever asked was let in then. */
export const onCfdiExport = tenantHandler<'cfdi.export'>(
  async (deps, db, { exportId }, job) => ({ outcome: await runExport(deps, db, exportId, job) }),
  { swept: true },
)

export const onCfdiExportsSweep: Handler<'cfdi.exports-sweep'> = (deps, _payload, { log }) => sweepExports(deps, log)
