import { uuidv7 } from 'uuidv7'
import type { Clock } from '../../clock.ts'
import { writeAudit } from '../../db/audit.ts'
import type { CentralDb } from '../../db/databases.ts'
import { type Fecha, fechaOf } from '../../fiscal/fecha.ts'
import { tenantNotFound } from '../../tenants/errors.ts'
import { lockTenant } from '../../tenants/queries.ts'
import type { By } from '../../tenants/register.ts'
import { FLOOR_C } from '../prices.ts'
import { boundaries } from './answers.ts'
import { belowFloor, overrideEndsFirst, overrideInPast, overrideNotFound } from './errors.ts'
import type { Override, OverrideTerms } from './override.ts'
import { findOverride, insertOverride, type OverrideRecord, revokeOverrideRow } from './override-queries.ts'

export interface NewOverride {
  terms: OverrideTerms
  /** Today when undefined. */
  desde: Fecha | undefined
  /** The last day, included. */
  hasta: Fecha | null
  motivo: string
}

/**
 * Gives one company something beyond or below its plan. Of two about the same thing the one made last counts.
 * @throws AppError `tenants.not_found`, `overrides.in_past`, `overrides.ends_before_start`, `plans.below_floor`
 */
export async function addOverride(
  { central, clock }: { central: CentralDb; clock: Clock },
  tenantId: string,
  { terms, desde, hasta, motivo }: NewOverride,
  by: By,
): Promise<OverrideRecord> {
  const now = clock.now()
  const today = fechaOf(now)
  const from = desde ?? today
  if (from < today) throw overrideInPast(today)
  if (hasta !== null && hasta < from) throw overrideEndsFirst()
  requireFloor(terms)
  const override: Override = { id: uuidv7(), ...terms, ...boundaries(from, hasta) }
  return central.transaction().execute(async (trx) => {
    const tenant = await lockTenant(trx, tenantId)
    if (!tenant || tenant.state === 'purged') throw tenantNotFound()
    const row = { tenantId, override, reason: motivo, createdBy: by.actor?.userId ?? null, createdAt: now }
    await insertOverride(trx, row)
    const detail = { override: override.id, kind: terms.kind, key: terms.key, desde: from, hasta, motivo }
    await writeAudit(trx, { at: now, action: 'override.added', tenantId, detail, ...by })
    return (await findOverride(trx, tenantId, override.id)) as OverrideRecord
  })
}

/** Takes it back from now on. A repeat changes nothing. @throws AppError `overrides.not_found` */
export async function revokeOverride(
  { central, clock }: { central: CentralDb; clock: Clock },
  tenantId: string,
  id: string,
  by: By,
): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const at = clock.now()
    if (await revokeOverrideRow(trx, tenantId, id, at))
      await writeAudit(trx, { at, action: 'override.revoked', tenantId, detail: { override: id }, ...by })
    else if (!(await findOverride(trx, tenantId, id))) throw overrideNotFound()
  })
}

/** As written: the plan may come to have its IVA inside or outside, and then too the card is charged this at least. */
function requireFloor(terms: OverrideTerms): void {
  if (terms.kind !== 'price' || terms.key === 'extra_user' || terms.priceC === 0n) return
  if (terms.priceC < FLOOR_C) throw belowFloor('valor', terms.priceC)
}
