import { Command } from 'commander'
import { toAprovisionamiento, toEmpresa } from '../../src/tenants/answers.ts'
import { estadoOf } from '../../src/tenants/estados.ts'
import { deleteTenant, purgeTenant, restoreTenant, retryOperation } from '../../src/tenants/lifecycle.ts'
import { findLatestOperation } from '../../src/tenants/operations/queries.ts'
import { findSite, listTenants, type PlacementState, type TenantRow } from '../../src/tenants/queries.ts'
import { EXIT } from '../exit-codes.ts'
import { asOperator, byOperator, findMeant, type Operator, seeThrough } from '../tenants/operator.ts'

export const command = new Command('tenant')
  .description('empresas: verlas, darlas de baja, restaurarlas, purgarlas')
  .addCommand(
    new Command('list')
      .description('lista las empresas, una por línea')
      .option('--all', 'también las dadas de baja y las purgadas', false)
      .option('--json', 'un objeto JSON por línea', false)
      .action(list),
  )
  .addCommand(
    new Command('show')
      .description('una empresa y su última operación')
      .argument('<empresa>', 'RFC o id')
      .option('--json', 'un objeto JSON', false)
      .action(show),
  )
  .addCommand(change('delete', 'da de baja una empresa; se puede restaurar durante 30 días'))
  .addCommand(change('restore', 'restaura una empresa dada de baja'))
  .addCommand(change('retry', 'reintenta la última operación, si falló'))
  .addCommand(
    change('purge', 'borra para siempre la base de datos de una empresa dada de baja')
      .option('--without-backup', 'acepta que no queda respaldo de esta empresa')
      .option('--rfc <rfc>', 'el RFC de la empresa, tecleado otra vez'),
  )

type Change = 'delete' | 'restore' | 'retry' | 'purge'

interface ChangeOptions {
  json: boolean
  dryRun: boolean
  yes: boolean
  withoutBackup?: boolean
  rfc?: string
}

function change(name: Change, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<empresa>', 'RFC o id')
    .option('--yes', 'lo hace; sin esto sólo dice qué haría', false)
    .option('--dry-run', 'sólo dice qué haría', false)
    .option('--json', 'el resultado como objeto JSON', false)
    .action((handle: string, options: ChangeOptions) =>
      asOperator((operator) => perform(operator, name, handle, options)),
    )
}

async function list({ all, json }: { all: boolean; json: boolean }): Promise<void> {
  await asOperator(async ({ deps }) => {
    let before: string | undefined
    for (;;) {
      const rows = await listTenants(deps.central, { before, limit: PAGE })
      for (const row of rows) if (all || !row.deletedAt) console.log(json ? JSON.stringify(toEmpresa(row)) : line(row))
      if (rows.length < PAGE) return
      before = rows.at(-1)?.id
    }
  })
}

async function show(handle: string, { json }: { json: boolean }): Promise<void> {
  await asOperator(async (operator) => {
    const tenant = await findMeant(operator, handle, ({ deletedAt }) => deletedAt === null)
    const operation = await findLatestOperation(operator.deps.central, tenant.id)
    const answer = { ...toEmpresa(tenant), operacion: operation && toAprovisionamiento(operation) }
    if (json) return console.log(JSON.stringify(answer))
    const { operacion, ...fields } = answer
    for (const [name, value] of Object.entries(fields)) console.log(`${name}: ${text(value)}`)
    if (!operacion) return
    console.log(`operación: ${operacion.tipo}, ${operacion.estado}, ${operacion.intentos} intentos`)
    for (const { estado, descripcion } of operacion.pasos) console.log(`  ${estado.padEnd(9)} ${descripcion}`)
    if (operacion.error) console.log(`  ${operacion.error.paso}: ${operacion.error.mensaje} (${operacion.error.code})`)
  })
}

async function perform(operator: Operator, name: Change, handle: string, options: ChangeOptions): Promise<void> {
  const tenant = await findMeant(operator, handle, ({ state }) => FITS[name].includes(state ?? 'provisioning'))
  const site = await findSite(operator.deps.central, tenant.id)
  const where = site ? `${site.databaseName} en ${site.server.host}:${site.server.port}` : 'sin base de datos'
  console.error(`${name} ${tenant.rfc} ${tenant.nombre} (${tenant.id}), ${estadoOf(tenant.state)}: ${where}`)
  const refusal = name === 'purge' ? refusePurge(tenant, options) : undefined
  if (refusal) {
    console.error(refusal)
    process.exitCode = EXIT.refused
    return
  }
  if (options.dryRun || !options.yes) {
    console.error(options.dryRun ? 'No se tocó nada.' : 'No se tocó nada: falta --yes.')
    process.exitCode = options.dryRun ? EXIT.partial : EXIT.refused
    return
  }
  const operationId = await start(operator, name, tenant.id, options)
  const operation = operationId === null ? undefined : await seeThrough(operator, operationId)
  const failed = operation !== undefined && operation.state !== 'succeeded'
  if (options.json) console.log(JSON.stringify(operation ? toAprovisionamiento(operation) : { tenantId: tenant.id }))
  if (failed) console.error(`${operation.error?.step}: ${operation.error?.message} (${operation.error?.code})`)
  else console.error('Hecho.')
  if (failed) process.exitCode = EXIT.failed
}

/** Until there are archives of a company, its purge is the end of its data. */
function refusePurge(tenant: TenantRow, { withoutBackup, rfc }: ChangeOptions): string | undefined {
  if (!withoutBackup) return 'No hay respaldo verificado de esta empresa: sólo se purga con --without-backup.'
  if (rfc !== tenant.rfc) return `Teclee el RFC: --rfc ${tenant.rfc}`
  return undefined
}

function start({ deps }: Operator, name: Change, id: string, { rfc = '' }: ChangeOptions): Promise<string | null> {
  switch (name) {
    case 'delete':
      return deleteTenant(deps, id, byOperator)
    case 'restore':
      return restoreTenant(deps, id, byOperator)
    case 'retry':
      return retryOperation(deps, id, byOperator)
    case 'purge':
      return purgeTenant(deps, id, rfc, byOperator)
  }
}

/** Which of several companies with one RFC a person means. */
const FITS: Record<Change, readonly PlacementState[]> = {
  delete: ['provisioning', 'active', 'suspended', 'moving', 'failed'],
  restore: ['deleted'],
  purge: ['deleted', 'purging'],
  retry: ['provisioning', 'active', 'suspended', 'moving', 'failed', 'deleted', 'purging'],
}

const PAGE = 200

const line = (row: TenantRow) =>
  [row.id, row.rfc, estadoOf(row.state), row.planCode ?? '-', row.databaseName ?? '-', row.nombre].join('\t')

const text = (value: unknown) => (value instanceof Date ? value.toISOString() : value === null ? '-' : String(value))
