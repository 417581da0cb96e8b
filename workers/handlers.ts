import type { JobName } from '../src/queue/jobs.ts'
import type { Handler } from './handler.ts'
import {
  onBillingCommand,
  onBillingFetch,
  onBillingMonitor,
  onBillingNightly,
  onBillingReconcile,
  onBillingSweep,
  onBillingSync,
} from './handlers/billing.ts'
import { onBillingSeats } from './handlers/billing-seats.ts'
import { onCfdiComplete } from './handlers/cfdi-complete.ts'
import { onCfdiExport, onCfdiExportsSweep } from './handlers/cfdi-export.ts'
import { onCfdiImport, onCfdiImportSweep, onCfdiImportTidy } from './handlers/cfdi-import.ts'
import { onCfdiLimit, onCfdiLimitSweep } from './handlers/cfdi-limit.ts'
import { onCleanupExpired } from './handlers/cleanup-expired.ts'
import { onFielFiles, onFielSweep } from './handlers/fiel.ts'
import { onMailSend, onMailSweep } from './handlers/mail.ts'
import { onOutboxPublish, onOutboxSweep } from './handlers/outbox.ts'
import { onSatEstado, onSatEstadoSweep } from './handlers/sat-estado.ts'
import { onSatLectura } from './handlers/sat-lectura.ts'
import { onSatSync, onSatSyncSweep } from './handlers/sat-sync.ts'
import { onTenantMigrate } from './handlers/tenant-migrate.ts'
import { onTenantOperation } from './handlers/tenant-operation.ts'
import { onTenantSweep } from './handlers/tenant-sweep.ts'

export type Handlers = { [N in JobName]: Handler<N> }

/** Who does each job. A job of `jobs.ts` without a handler does not compile. */
export const handlers: Handlers = {
  'tenant.operation': onTenantOperation,
  'tenant.sweep': onTenantSweep,
  'tenant.migrate': onTenantMigrate,
  'mail.send': onMailSend,
  'mail.sweep': onMailSweep,
  'outbox.publish': onOutboxPublish,
  'outbox.sweep': onOutboxSweep,
  'billing.seats': onBillingSeats,
  'billing.fetch': onBillingFetch,
  'billing.command': onBillingCommand,
  'billing.sync': onBillingSync,
  'billing.sweep': onBillingSweep,
  'billing.reconcile': onBillingReconcile,
  'billing.nightly': onBillingNightly,
  'billing.monitor': onBillingMonitor,
  'sat.estado': onSatEstado,
  'sat.estado.sweep': onSatEstadoSweep,
  'sat.sync': onSatSync,
  'sat.sync.sweep': onSatSyncSweep,
  'sat.lectura': onSatLectura,
  'fiel.files': onFielFiles,
  'fiel.sweep': onFielSweep,
  'cfdi.complete': onCfdiComplete,
  'cfdi.export': onCfdiExport,
  'cfdi.exports-sweep': onCfdiExportsSweep,
  'cfdi.import': onCfdiImport,
  'cfdi.import-sweep': onCfdiImportSweep,
  'cfdi.import-tidy': onCfdiImportTidy,
  'cfdi.limit': onCfdiLimit,
  'cfdi.limit-sweep': onCfdiLimitSweep,
  'cleanup.expired': onCleanupExpired,
}
