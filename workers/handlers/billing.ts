import { byMercadoPago } from '../../src/billing/apply/cause.ts'
import { runCommand } from '../../src/billing/commands/run-command.ts'
import { monitorBilling } from '../../src/billing/monitor/monitor.ts'
import { fetchResource } from '../../src/billing/pipeline/fetch-resource.ts'
import { compareAll } from '../../src/billing/reconcile/nightly.ts'
import { reconcile } from '../../src/billing/reconcile/reconcile.ts'
import { syncSubscription } from '../../src/billing/reconcile/sync-subscription.ts'
import { sweepBilling } from '../../src/billing/sweep/sweep.ts'
import type { Handler } from '../handler.ts'

export const onBillingFetch: Handler<'billing.fetch'> = (deps, resource, { log }) =>
  fetchResource({ ...deps, log }, resource)

export const onBillingCommand: Handler<'billing.command'> = async (deps, { commandId }, { log }) => ({
  outcome: await runCommand({ ...deps, log }, commandId),
})

export const onBillingSync: Handler<'billing.sync'> = (deps, { subscriptionId }, { log }) =>
  syncSubscription({ ...deps, log }, subscriptionId, byMercadoPago)

export const onBillingSweep: Handler<'billing.sweep'> = (deps, _payload, { signal, log }) =>
  sweepBilling({ ...deps, log }, signal)

export const onBillingReconcile: Handler<'billing.reconcile'> = (deps, _payload, { signal, log }) =>
  reconcile({ ...deps, log }, signal)

export const onBillingNightly: Handler<'billing.nightly'> = (deps, _payload, { log }) => compareAll({ ...deps, log })

export const onBillingMonitor: Handler<'billing.monitor'> = (deps, _payload, { log }) =>
  monitorBilling({ ...deps, log })
