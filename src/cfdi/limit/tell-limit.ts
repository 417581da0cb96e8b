import { raiseAlertas, resolveAlertas } from '../../alerts/raise-alert.ts'
import type { TenantTx } from '../../db/databases.ts'
import { lockLine } from '../store/insert-queries.ts'
import type { CfdiLimit } from './cfdi-limit.ts'
import { alertaDeLimite } from './limit-alert.ts'
import { findEnEspera } from './queries.ts'

/**
 * Brings what is told of a company's plan in line with what is so now, in the commit of what changed it. It takes the
 * company's line: of two who change something at once the later one decides, by what both did.
 */
export async function tellLimit(trx: TenantTx, limit: CfdiLimit, now: Date): Promise<void> {
  const { cfdis } = await lockLine(trx)
  await tellLimitOf(trx, { limit, stored: cfdis }, now)
}

/** The same for who holds the line and knows how many there are. */
export async function tellLimitOf(
  trx: TenantTx,
  { limit, stored }: { limit: CfdiLimit; stored: number },
  now: Date,
): Promise<void> {
  const alerta = alertaDeLimite({ limit, stored, espera: await findEnEspera(trx) })
  if (alerta) await raiseAlertas(trx, [alerta], now)
  else await resolveAlertas(trx, 'CFDI_LIMITE_PLAN', now)
}
