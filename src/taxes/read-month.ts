import type { TenantDb } from '../db/databases.ts'
import type { Periodo } from '../fiscal/periodo.ts'
import { arrastreHacia, ivaMensual, type MesIva, SIN_BASE } from './iva.ts'
import { findConfiguracion, findMonth, findMonthBefore } from './queries.ts'

/**
 * The IVA of a month. One without movements is worked out from what the last one before it left: it may have a balance,
 * or credit what was withheld from suppliers the month before.
 */
export async function readMonth(db: TenantDb, periodo: Periodo): Promise<MesIva & { calculadoEn: Date | null }> {
  const stored = await findMonth(db, periodo)
  if (stored) return stored
  const { apertura } = await findConfiguracion(db)
  const arrastre = arrastreHacia(periodo, await findMonthBefore(db, periodo), apertura)
  return { periodo, base: SIN_BASE, iva: ivaMensual(SIN_BASE, arrastre), calculadoEn: null }
}
