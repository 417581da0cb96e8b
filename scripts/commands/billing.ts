import { Command } from 'commander'
import { monitorBilling } from '../../src/billing/monitor/monitor.ts'
import { type Resource, resourceKinds } from '../../src/billing/pipeline/queries.ts'
import { compareAll } from '../../src/billing/reconcile/nightly.ts'
import { findLiveMandates } from '../../src/billing/reconcile/queries.ts'
import { findNamedResource } from '../../src/billing/replay/find-resource.ts'
import { findResourceOfEvent } from '../../src/billing/replay/queries.ts'
import { type Replayed, replayResource } from '../../src/billing/replay/replay.ts'
import { findSubscriptionById, findSubscriptionIdOfTenant } from '../../src/billing/subscription-queries.ts'
import { sweepBilling } from '../../src/billing/sweep/sweep.ts'
import { asBillingOperator, type BillingOperator } from '../billing/operator.ts'
import { EXIT } from '../exit-codes.ts'
import { findMeant } from '../tenants/operator.ts'

export const command = new Command('billing')
  .description('suscripciones y cobros: reprocesar avisos, comparar con MercadoPago, ver qué anda mal')
  .addCommand(
    new Command('replay')
      .description('vuelve a leer de MercadoPago y a aplicar; sin --yes sólo dice qué cambiaría')
      .option('--event <id>', 'un aviso recibido')
      .option('--resource <tipo:id>', `un recurso: ${resourceKinds.join(', ')}`)
      .option('--subscription <empresa>', 'todo lo de una empresa: RFC, id de empresa o de suscripción')
      .option('--since <instante>', 'todos los pagos y permisos cambiados desde un instante ISO; pide --yes')
      .option('--yes', 'lo aplica', false)
      .option('--dry-run', 'sólo dice qué cambiaría', false)
      .option('--json', 'un objeto JSON por recurso', false)
      .action((options: ReplayOptions) => asBillingOperator((operator) => replay(operator, options))),
  )
  .addCommand(
    new Command('sweep')
      .description('hace ahora lo que el trabajador hace cada 5 minutos: lo que venció')
      .option('--json', 'un objeto JSON', false)
      .action(({ json }: { json: boolean }) => asBillingOperator((operator) => sweep(operator, json))),
  )
  .addCommand(
    new Command('compare')
      .description('compara todo con MercadoPago, como cada noche: huérfanos, fantasmas, importes, duplicados')
      .option('--since <instante>', 'pagos desde un instante ISO, en lugar de 72 horas')
      .option('--json', 'un objeto JSON', false)
      .action((options: { since?: string; json: boolean }) =>
        asBillingOperator((operator) => compare(operator, options)),
      ),
  )
  .addCommand(
    new Command('monitor')
      .description('qué anda mal en los cobros; termina con 3 si hay algo')
      .option('--json', 'un objeto JSON', false)
      .action(({ json }: { json: boolean }) => asBillingOperator((operator) => monitor(operator, json))),
  )

interface ReplayOptions {
  event?: string
  resource?: string
  subscription?: string
  since?: string
  yes: boolean
  dryRun: boolean
  json: boolean
}

async function replay(operator: BillingOperator, options: ReplayOptions): Promise<void> {
  const { deps, gateways } = operator
  const apply = options.yes && !options.dryRun
  const asked = [options.event, options.resource, options.subscription, options.since].filter(Boolean)
  if (asked.length !== 1) return refuse('Di exactamente una cosa: --event, --resource, --subscription o --since.')
  if (options.since !== undefined) {
    if (!apply) return refuse('Con --since se aplica todo lo encontrado: falta --yes.')
    return compare(operator, { since: options.since, json: options.json })
  }
  const resources = await resourcesOf(operator, options)
  if (resources.length === 0) return refuse('No hay nada que volver a leer.')
  let changes = 0
  for (const resource of resources) {
    const replayed = await replayResource({ ...deps, gateways }, resource, { apply, cause: { origin: 'staff' } })
    changes += replayed.diff.length
    tell(replayed, options.json)
  }
  if (!apply) console.error(changes > 0 ? 'No se tocó nada: falta --yes.' : 'Nada cambiaría.')
  if (!apply && changes > 0) process.exitCode = EXIT.partial
}

async function resourcesOf(operator: BillingOperator, options: ReplayOptions): Promise<Resource[]> {
  const { central } = operator.deps
  if (options.event) {
    const resource = await findResourceOfEvent(central, options.event)
    return resource ? [resource] : []
  }
  if (options.resource) {
    const resource = await findNamedResource(central, operator.gateways, options.resource)
    return resource ? [resource] : []
  }
  const handle = options.subscription ?? ''
  const own = UUID.test(handle) ? await findSubscriptionById(central, handle) : undefined
  const id = own?.id ?? (await findSubscriptionIdOfTenant(central, (await findMeant(operator, handle, isLiving)).id))
  if (!id) return []
  const mandates = await findLiveMandates(central, id)
  const resources: Resource[] = []
  for (const { connectorId, preapprovalId } of mandates) {
    if (!preapprovalId) continue
    resources.push({ connectorId, kind: 'preapproval', resourceId: preapprovalId })
    const { gateway } = await operator.gateways.of(connectorId)
    const { items } = await gateway.searchAuthorizedPayments({ preapprovalId })
    for (const { id: instalment } of items)
      resources.push({ connectorId, kind: 'authorized_payment', resourceId: instalment })
  }
  return resources
}

const isLiving = ({ deletedAt }: { deletedAt: Date | null }) => deletedAt === null

function tell({ resource, outcomes, diff }: Replayed, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ ...resource, ...outcomes, cambios: diff }))
    return
  }
  const said = [...outcomes.mandatos, ...outcomes.pagos].join(', ')
  console.log(`${resource.kind}:${resource.resourceId}  ${said || 'nada'}`)
  for (const { que, antes, despues } of diff) {
    if (antes !== null) console.log(`  - ${que}: ${antes}`)
    if (despues !== null) console.log(`  + ${que}: ${despues}`)
  }
}

async function sweep({ deps }: BillingOperator, json: boolean): Promise<void> {
  const swept = await sweepBilling(deps)
  console.log(
    json
      ? JSON.stringify(swept)
      : `${swept.subscriptions} suscripciones revisadas, ${swept.steps} pasos, ${swept.failed} fallidas`,
  )
  if (swept.failed > 0) process.exitCode = EXIT.partial
}

async function compare({ deps, gateways }: BillingOperator, { since, json }: { since?: string; json: boolean }) {
  const from = since === undefined ? undefined : new Date(since)
  if (from && Number.isNaN(from.getTime()))
    return refuse('--since: se esperaba un instante ISO, como 2026-11-01T00:00:00Z.')
  const kind = from ? 'reproceso' : 'nocturna'
  const found = await compareAll({ ...deps, gateways }, { kind, ...(from && { since: from }) })
  if (json) console.log(JSON.stringify(found))
  else {
    console.log(`${found.payments} pagos vistos, ${found.news} novedades aplicadas`)
    for (const [name, list] of [
      ['permisos huérfanos (cobran y no son nuestros)', found.orphans],
      ['permisos fantasma (vivos aquí, no allá)', found.ghosts],
      ['importes distintos', found.drift],
      ['suscripciones con dos permisos', found.duplicates],
      ['ilegibles', found.unreadable],
    ] as const)
      if (list.length > 0) console.log(`${name}: ${list.join(', ')}`)
    if (found.truncated) console.log('incompleto: MercadoPago no se pudo leer entero')
  }
  if (found.truncated || found.orphans.length + found.ghosts.length + found.duplicates.length > 0)
    process.exitCode = EXIT.partial
}

async function monitor({ deps, gateways }: BillingOperator, json: boolean): Promise<void> {
  const { findings } = await monitorBilling({ ...deps, gateways })
  console.log(json ? JSON.stringify({ hallazgos: findings }) : findings.join('\n') || 'todo en orden')
  if (findings.length > 0) process.exitCode = EXIT.partial
}

function refuse(words: string): void {
  console.error(words)
  process.exitCode = EXIT.refused
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
