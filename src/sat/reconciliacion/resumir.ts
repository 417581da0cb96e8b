import type { TenantDb } from '../../db/databases.ts'
import { type CuentaDeMes, countDiferencias, countSobrantes } from './diferencias-queries.ts'
import { countFaltan, type Faltan, type Tramo } from './faltan-queries.ts'

/** How what is here and what the SAT lists differ, by month of issue. */
export interface Resumen {
  faltan: Faltan[]
  sobran: (CuentaDeMes & { confirmados: number })[]
  difieren: CuentaDeMes[]
}

/** @param porLlegar whose XML is still to come; asked for before, as what came meanwhile is not missing */
export const resumirDiferencias = async (db: TenantDb, porLlegar: readonly Tramo[]): Promise<Resumen> => ({
  faltan: await countFaltan(db, porLlegar),
  sobran: await countSobrantes(db),
  difieren: await countDiferencias(db),
})
