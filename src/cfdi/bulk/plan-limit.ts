import { raiseAlertas, resolveAlertas } from '../../alerts/raise-alert.ts'
import type { TenantDb, TenantTx } from '../../db/databases.ts'
import type { CfdiLimit } from '../store/store-cfdis.ts'
import { type CargaRow, countStored, isAnyPaused, setPausa } from './queries.ts'
import type { ReadFile } from './results.ts'

/** Whether the plan lets a company with so many CFDI have one more. */
export const hasPlace = ({ max, mode }: CfdiLimit, stored: number): boolean =>
  max < 0 || mode === 'soft' || stored < max

/**
 * Whether a load that waits for a place in the plan would find none: asked before its archive is opened, because the
 * sweep lets it try every ten minutes for as long as it takes.
 */
export async function stillWaits(db: TenantDb, { pausa }: CargaRow, limit: CfdiLimit): Promise<boolean> {
  return pausa === 'limit_reached' && !hasPlace(limit, await countStored(db))
}

/** What a package of the SAT stores of a batch: all files before the first one that the plan has no place for, in order. */
export function filesThatFit(files: readonly ReadFile[], beyond: readonly string[]): readonly ReadFile[] {
  const left = new Set(beyond)
  const first = files.findIndex(({ document }) => document && left.has(document.uuid))
  return first < 0 ? files : files.slice(0, first)
}

/** A load stops here, and says so to whoever can change the plan. In the commit of what it still stored. */
export async function pauseAtLimit(
  trx: TenantTx,
  carga: CargaRow,
  { left, stored, max, now }: { left: number; stored: number; max: number; now: Date },
): Promise<void> {
  await setPausa(trx, carga.id, 'limit_reached')
  const [have, may] = [stored, max].map((n) => n.toLocaleString('es-MX'))
  const alerta = {
    codigo: 'CFDI_LIMITE_PLAN',
    clave: 'CFDI_LIMITE_PLAN',
    severidad: 'aviso',
    titulo: 'Tu plan ya no tiene lugar para más CFDI',
    mensaje: `Tu empresa tiene ${have} CFDI y tu plan incluye ${may}. Lo que el SAT nos entregó y no cabe está guardado y espera: nada se pierde, pero esos CFDI todavía no cuentan en tus meses.`,
    accion: 'Cambia de plan. Los CFDI que esperan entran solos en unos minutos.',
    detalle: { cargaId: carga.id, faltanPorLeer: left, tienes: stored, incluye: max },
  } as const
  await raiseAlertas(trx, [alerta], now)
}

/** A load goes on that waited, or will not any more: the alert ends with the last one. */
export async function unpause(trx: TenantTx, now: Date): Promise<void> {
  if (!(await isAnyPaused(trx, 'limit_reached'))) await resolveAlertas(trx, 'CFDI_LIMITE_PLAN', now)
}
