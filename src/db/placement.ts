import { AppError } from '../errors.ts'
import type { CentralSql } from './databases.ts'

/** Where a tenant's database is and as whom it is entered: its row of `tenant_databases` with that of its server. */
export interface Placement {
  tenantId: string
  serverId: number
  host: string
  port: number
  pooledPort: number | null
  tls: 'off' | 'prefer' | 'verify-full'
  databaseName: string
  roleName: string
  credentialGeneration: number
  /** Grows with every change that a cached pool must notice. */
  generation: number
  state: 'provisioning' | 'active' | 'suspended' | 'moving' | 'deleted' | 'purging' | 'purged' | 'failed'
  schemaVersion: number
}

/** One query: it is the only one that the central database sees when a pool is opened. */
export async function findPlacement(central: CentralSql, tenantId: string): Promise<Placement | undefined> {
  const row = await central
    .selectFrom('tenant_databases as d')
    .innerJoin('database_servers as s', 's.id', 'd.server_id')
    .where('d.tenant_id', '=', tenantId)
    .select(['d.tenant_id', 'd.server_id', 'd.database_name', 'd.role_name', 'd.credential_generation', 'd.generation'])
    .select(['d.state', 'd.schema_version', 's.host', 's.port', 's.pooled_port', 's.tls'])
    .executeTakeFirst()
  return (
    row && {
      tenantId: row.tenant_id,
      serverId: row.server_id,
      host: row.host,
      port: row.port,
      pooledPort: row.pooled_port,
      tls: row.tls,
      databaseName: row.database_name,
      roleName: row.role_name,
      credentialGeneration: row.credential_generation,
      generation: Number(row.generation),
      state: row.state,
      schemaVersion: row.schema_version,
    }
  )
}

/** The generation of each of these tenants; one that is missing has no placement any more. */
export async function findGenerations(central: CentralSql, tenantIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await central
    .selectFrom('tenant_databases')
    .where((eb) => eb('tenant_id', '=', eb.fn.any(eb.val([...tenantIds]))))
    .select(['tenant_id', 'generation'])
    .execute()
  return new Map(rows.map((row) => [row.tenant_id, Number(row.generation)]))
}

/** @throws AppError why the tenant's database is not to be entered; an active one passes. */
export function demandActive<P extends Pick<Placement, 'state'>>(placement: P | undefined): asserts placement is P {
  switch (placement?.state) {
    case 'active':
      return
    case 'provisioning':
      throw new AppError('unavailable', 'tenant.provisioning', PROVISIONING, { retryAfterS: 5 })
    case 'moving':
      throw new AppError('unavailable', 'tenant.moving', MOVING, { retryAfterS: 5 })
    case 'suspended':
      throw new AppError('forbidden', 'tenant.suspended', 'La empresa está suspendida. Escribe a soporte.')
    case 'deleted':
    case 'purging':
    case 'purged':
      throw new AppError('gone', 'tenant.deleted', 'La empresa fue dada de baja.')
    case 'failed':
    case undefined:
      throw new AppError('not_found', 'tenant.unknown', 'La empresa no existe.')
  }
}

export const tenantUpgrading = () => new AppError('unavailable', 'tenant.upgrading', UPGRADING, { retryAfterS: 5 })

export const appTooOld = () => new AppError('unavailable', 'tenant.app_too_old', TOO_OLD, { retryAfterS: 30 })

export const poolBusy = () => new AppError('unavailable', 'tenant.pool_busy', BUSY, { retryAfterS: 2 })

/** Never shown by a healthy installation: the wire of one tenant leads to the database of another. */
export const wrongDatabase = () => new AppError('unavailable', 'tenant.wrong_database', WRONG, { retryAfterS: 60 })

const PROVISIONING = 'La empresa se está creando. Intenta de nuevo en unos segundos.'
const MOVING = 'La empresa se está moviendo de servidor. Intenta de nuevo en unos segundos.'
const UPGRADING = 'La empresa se está actualizando. Intenta de nuevo en unos segundos.'
const TOO_OLD = 'Estamos terminando una actualización. Intenta de nuevo en un momento.'
const BUSY = 'Hay demasiadas empresas en uso al mismo tiempo. Intenta de nuevo en unos segundos.'
const WRONG = 'La empresa no está disponible. Ya avisamos al equipo de operación.'
