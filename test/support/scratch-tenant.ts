import type { Kysely } from 'kysely'
import { openAs, openCentral } from '../../src/db/client.ts'
import type { TenantDb, TenantSchema } from '../../src/db/databases.ts'
import { startPreparedCluster } from './prepared-cluster.ts'

/** Tenant databases without the product around them, for tests of a slice's SQL. */
export interface ScratchTenants {
  /** An empty database of its own, reached with the rights of a tenant's role at `url`. */
  create(): Promise<TenantDb & { readonly url: string }>
  /** Where a superuser enters one of them. */
  ownerUrl(db: TenantDb): string
  close(): Promise<void>
}

export async function scratchTenants(
  options: Parameters<typeof startPreparedCluster>[0] = {},
): Promise<ScratchTenants> {
  const cluster = await startPreparedCluster(options)
  const { host } = new URL(cluster.adminUrl)
  const admin = await openAs(cluster.adminUrl)
  const [template] = await admin.query<{ name: string }>(
    `select datname as name from pg_database where datname ~ '^horux_tpl_[0-9a-f]{12}$'`,
  )
  await admin.query(`create role hxt_scratch login password 'prueba' in role horux_tenant`)
  const opened: Kysely<TenantSchema>[] = []
  return {
    async create() {
      const name = `scratch_${opened.length}`
      await admin.query(`create database ${name} template ${template?.name} strategy file_copy`)
      const url = `postgres://hxt_scratch:prueba@${host}/${name}`
      const db = openTenant(url)
      opened.push(db)
      return Object.assign(db, { tenantId: name, url })
    },
    ownerUrl(db) {
      const url = new URL(cluster.adminUrl)
      url.pathname = db.tenantId
      return url.href
    },
    async close() {
      for (const db of opened) await db.destroy()
      await admin.end()
      await cluster.stop()
    },
  }
}

/** The product opens tenants through TenantDatabases only, which wants a placement. What a pool does is the same. */
export function openTenant(url: string): Kysely<TenantSchema> {
  const config = { central: { url, poolMax: 8 }, processRole: 'api', statementTimeoutMs: 20_000 } as const
  return openCentral(config) as unknown as Kysely<TenantSchema>
}
