import { setTimeout as pause } from 'node:timers/promises'
import pino from 'pino'
import { type Config, loadConfig } from '../../src/config.ts'
import { openCentral } from '../../src/db/client.ts'
import type { CentralDb } from '../../src/db/databases.ts'
import { readClock } from '../../src/db/test-clock.ts'
import { normalizeRfc } from '../../src/fiscal/rfc.ts'
import { openQueue, type Queue } from '../../src/queue/queue.ts'
import { type Operation, stepStates } from '../../src/tenants/operations/operation.ts'
import { findOperation } from '../../src/tenants/operations/queries.ts'
import { runOperation } from '../../src/tenants/operations/run-operation.ts'
import type { OperationDeps } from '../../src/tenants/operations/saga.ts'
import { findTenant, findTenantsByRfc, type TenantRow } from '../../src/tenants/queries.ts'
import { createServers } from '../../src/tenants/servers/servers.ts'

/** What the operator's commands on companies work with. */
export interface Operator {
  deps: OperationDeps
  config: Config
}

export async function asOperator<T>(work: (operator: Operator) => Promise<T>): Promise<T> {
  const config = loadConfig(process.env, 'cli')
  const central: CentralDb = openCentral(config)
  const log = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' }, pino.destination(2))
  const queue: Queue = openQueue(central, log)
  try {
    const servers = createServers({ config, central })
    const clock = await readClock(config, central)
    return await work({ config, deps: { central, queue, log, clock, servers } })
  } finally {
    await queue.stop()
    await central.destroy()
  }
}

/** What the audit log says of deeds from here: nobody of the product's users did them. */
export const byOperator = { actor: null, ip: null, requestId: 'horux-cli' }

/**
 * The company a person means by an id or an RFC: of several that had the RFC, the one that fits, if it is only one.
 * @throws Error that says what to give instead
 */
export async function findMeant(
  { deps }: Operator,
  handle: string,
  fits: (tenant: TenantRow) => boolean,
): Promise<TenantRow> {
  if (UUID.test(handle)) {
    const tenant = await findTenant(deps.central, handle.toLowerCase())
    if (tenant) return tenant
  }
  const all = await findTenantsByRfc(deps.central, normalizeRfc(handle))
  const fitting = all.filter(fits)
  const [only] = fitting.length > 0 ? fitting : all
  if (!only) throw new Error(`No hay empresa ${handle}.`)
  if (fitting.length > 1)
    throw new Error(
      `Hay ${fitting.length} empresas con el RFC ${handle}: diga el id. ${fitting.map(({ id }) => id).join(', ')}`,
    )
  return only
}

/**
 * Sees an operation to its end: does it here when no worker has taken it, and tells of each step on stderr. A worker
 * that took it is waited for.
 */
export async function seeThrough({ deps }: Operator, operationId: string): Promise<Operation> {
  const told = new Set<string>()
  const tell = () => tellSteps(deps.central, operationId, told)
  const telling = setInterval(() => void tell().catch(() => undefined), 250)
  try {
    for (;;) {
      const failure = await runOperation(deps, operationId).then(
        () => undefined,
        (error: unknown) => error,
      )
      const operation = await tell()
      if (operation.finishedAt) return operation
      if (failure) console.error(`  ${failure instanceof Error ? failure.message : failure}; se intenta de nuevo`)
      await pause(1_000)
    }
  } finally {
    clearInterval(telling)
  }
}

async function tellSteps(central: CentralDb, operationId: string, told: Set<string>): Promise<Operation> {
  const operation = await findOperation(central, operationId)
  if (!operation) throw new Error(`la operación ${operationId} no existe`)
  for (const { paso, descripcion, estado } of stepStates(operation)) {
    if (estado !== 'hecho' || told.has(paso)) continue
    told.add(paso)
    console.error(`  hecho: ${descripcion}`)
  }
  return operation
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
