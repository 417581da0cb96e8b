import type { Config } from '../../config.ts'
import { crashpoint } from '../../crashpoint.ts'
import { instantOf } from '../../fiscal/fecha.ts'
import type { SatDescarga } from '../descarga/client.ts'
import { admit } from './admit.ts'
import { siguienteNoche } from './plan.ts'
import { findPendientes, lockDueNights, orderNights } from './sweep-queries.ts'
import type { SyncDeps } from './sync-deps.ts'

export interface SweepDeps extends Pick<SyncDeps, 'central' | 'clock' | 'queue'> {
  satDescarga: Pick<SatDescarga, 'salud'>
  config: Pick<Config, 'satSync'>
}

/**
 * Orders the runs of all companies whose night has come, and leaves a turn for each company of which something is due. In
 * whole sets: five hundred companies are a few statements, and one that cannot be entered holds up none of the others.
 */
export async function sweep(deps: SweepDeps): Promise<{ noches: number; turnos: number }> {
  const { central, clock, queue, config, satDescarga } = deps
  const now = clock.now()
  const { windowMinutes } = config.satSync
  const noches = await central.transaction().execute(async (trx) => {
    const due = await lockDueNights(trx, now, AT_ONCE)
    const nights = due.map((tenantId) => ({ tenantId, next: siguienteNoche(tenantId, windowMinutes, now, threeOf) }))
    if (nights.length > 0) await orderNights(trx, nights, now)
    return nights.length
  })
  crashpoint('sat.sweep.ordered')
  const due = admit(await findPendientes(central, now), satDescarga.salud, now)
  await central.transaction().execute((trx) =>
    queue.enqueueAll(
      trx,
      'sat.sync',
      due.map((tenantId) => ({ tenantId })),
    ),
  )
  return { noches, turnos: due.length }
}

/** When it is three in the morning of a day in Mexico City. */
const threeOf = (dia: string): Date => instantOf(dia, 3)

const AT_ONCE = 5_000
