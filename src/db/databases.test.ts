import { test } from 'node:test'
import type { CentralDb, CentralSql, CentralTx, TenantDb, TenantSql, TenantTx } from './databases.ts'

type Fits<A, B> = A extends B ? true : false

test('a query on the wrong side does not compile', () => {
  const proofs: [
    Fits<CentralDb, TenantSql>,
    Fits<CentralTx, TenantSql>,
    Fits<TenantDb, CentralSql>,
    Fits<TenantTx, CentralSql>,
    Fits<CentralTx, TenantTx>,
    Fits<TenantTx, CentralTx>,
  ] = [false, false, false, false, false, false]
  return void proofs
})

test('what must run in a transaction does not compile outside of one, and the other way it does', () => {
  const proofs: [Fits<CentralDb, CentralTx>, Fits<TenantDb, TenantTx>, Fits<CentralTx, CentralSql>] = [
    false,
    false,
    true,
  ]
  return void proofs
})
