import type { Kysely, Transaction } from 'kysely'
import type { CentralTables, TenantTables } from './tables.ts'

/**
 * The two kinds of database, as types that do not unify: a query written for one does not compile on the other.
 *
 * A function that must run in a transaction asks for `CentralTx` or `TenantTx`; one that opens it asks for `CentralDb`
 * or `TenantDb`; one that works either way asks for `CentralSql` or `TenantSql`.
 */
export interface CentralSchema extends CentralTables {
  readonly [side]: 'central'
}
export interface TenantSchema extends TenantTables {
  readonly [side]: 'tenant'
}

export type CentralSql = Kysely<CentralSchema>
export type CentralTx = Transaction<CentralSchema>
export type CentralDb = Kysely<CentralSchema>

export type TenantSql = Kysely<TenantSchema>
export type TenantTx = Transaction<TenantSchema>
export interface TenantDb extends Kysely<TenantSchema> {
  readonly tenantId: string
}

// Keyed by a symbol, so that it is no table: it only keeps the schemas apart, whatever tables they come to share.
declare const side: unique symbol
