import type { Config } from '../config.ts'
import { sessionSettings } from './client.ts'
import type { Target } from './connection.ts'
import { refused, sqlState, toAppError } from './failures.ts'
import { appTooOld, type Placement, wrongDatabase } from './placement.ts'
import { createPool, type Pool } from './pool.ts'
import { tenantPasswords } from './tenant-credentials.ts'

export type TenantPoolConfig = Pick<Config, 'tenantKeys' | 'tenantPool' | 'statementTimeoutMs' | 'processRole'>

/** A pool on a tenant's database, as its own role. Opens nothing yet. */
export function createTenantPool(placement: Placement, config: TenantPoolConfig, connectTimeoutMs: number): Pool {
  // The pooler is for the many short requests of the API; a job may need its session settings.
  const pooledPort = config.processRole === 'api' ? placement.pooledPort : null
  const target: Target = {
    host: placement.host,
    port: pooledPort ?? placement.port,
    database: placement.databaseName,
    user: placement.roleName,
    passwords: tenantPasswords(config.tenantKeys, placement.tenantId, placement.credentialGeneration),
    tls: placement.tls,
    applicationName: `horux-${config.processRole}`,
    settings: pooledPort ? {} : settingsOf(config),
    prepare: pooledPort === null,
  }
  return createPool(target, { max: config.tenantPool.max, connectTimeoutMs })
}

export interface Proof {
  placement: Placement
  /** The newest version of the tenant schema that this build knows. */
  knownSchema: number
  deadlineMs: number
}

/**
 * Asks the database itself whose it is, and whether this build may still work with it.
 * @throws AppError `tenant.wrong_database`, `tenant.app_too_old`, `database.*`.
 */
export async function proveTenantPool(pool: Pool, { placement, knownSchema, deadlineMs }: Proof): Promise<void> {
  const connection = await pool.acquire()
  try {
    const { rows } = await connection.query('select id from _tenant', [], deadlineMs)
    if (rows.length !== 1 || rows[0]?.['id'] !== placement.tenantId) throw wrongDatabase()
    if (placement.schemaVersion <= knownSchema) return
    const contracts = await connection.query(NEWER_CONTRACTS, [knownSchema], deadlineMs)
    if (contracts.rows.length > 0) throw appTooOld()
  } catch (error) {
    // Not even the table: this is no database of a tenant at all.
    throw sqlState(error) === '42P01' ? wrongDatabase() : toAppError(refused(error))
  } finally {
    pool.release(connection)
  }
}

/** The role waits two seconds for a lock, as a person would; a job has more time. */
function settingsOf({ statementTimeoutMs, processRole }: TenantPoolConfig): Record<string, number> {
  const settings = sessionSettings(statementTimeoutMs)
  return processRole === 'api' ? settings : { ...settings, lock_timeout: 10_000 }
}

const NEWER_CONTRACTS = `select version from schema_migrations where version > $1 and phase = 'contract' limit 1`
