import type { TenantDb } from '../../db/databases.ts'
import { countFaltantes, type Faltan } from '../paquetes/faltantes-queries.ts'
import { type CuentaDeMes, countDiferencias, countSobrantes } from './diferencias-queries.ts'

/** How what is here and what the SAT lists differ, by month of issue. */
export interface Resumen {
  faltan: Faltan[]
  sobran: (CuentaDeMes & { confirmados: number })[]
  difieren: CuentaDeMes[]
}

export const resumirDiferencias = async (db: TenantDb): Promise<Resumen> => ({
  faltan: await countFaltantes(db),
  sobran: await countSobrantes(db),
  difieren: await countDiferencias(db),
})
