import type { CentralTx } from '../../db/databases.ts'
import { raiseAlert } from '../alerts/queries.ts'
import { type ApplyDeps, applyEvent } from '../apply/apply-event.ts'
import type { Cause } from '../apply/cause.ts'
import { findMandate, findMandateByPreapproval, findMandateByReference, type MandateRow } from '../apply/queries.ts'
import type { Preapproval } from '../mercadopago/gateway.ts'
import { mandateStatusOf } from '../mercadopago/normalize.ts'
import { lockSubscription } from '../subscription-queries.ts'
import { updateMandate, wasAmountAsked } from './queries.ts'

export interface MandateSeen {
  connectorId: string
  preapproval: Preapproval
  /** When it was asked for, before the request went out: what a sanction needs to be later than its deadline. */
  readAt: Date
}

export type MandateOutcome = 'orphan' | 'stale' | 'same' | 'changed' | 'unknown_status'

/**
 * Takes what MercadoPago says of a mandate, and gives its subscription the event when the status is another. Older news
 * than what we have change nothing.
 */
export async function recordMandate(
  trx: CentralTx,
  deps: ApplyDeps,
  seen: MandateSeen,
  cause: Cause,
  now: Date,
): Promise<MandateOutcome> {
  const { connectorId, preapproval, readAt } = seen
  const found = await findOurs(trx, connectorId, preapproval)
  if (!found) return orphan(trx, connectorId, preapproval, now)
  // The subscription first, as everywhere: two that lock in different orders wait for each other.
  const stored = await lockSubscription(trx, found.subscriptionId)
  const mandate = await findMandate(trx, found.id)
  if (!stored || !mandate) throw new Error(`mandate ${found.id} lost its subscription`)
  if (isOlder(preapproval, mandate)) return 'stale'

  const said = mandateStatusOf(preapproval.status)
  const status = said === 'unknown' ? mandate.status : said
  await noticeDrift(trx, mandate, preapproval, stored.tenantId, now)
  await updateMandate(trx, mandate.id, preapproval, { status, at: readAt, clock: now })
  if (said === 'unknown') {
    const about = { tenantId: stored.tenantId, subscriptionId: stored.id, mandateId: mandate.id }
    const detail = { rfc: stored.rfc, estado: preapproval.rawStatus, recurso: `preapproval:${preapproval.id}` }
    await raiseAlert(trx, {
      code: 'estado_desconocido',
      severity: 'critica',
      key: `preapproval:${preapproval.id}:${preapproval.rawStatus}`,
      at: now,
      ...about,
      detail,
    })
    return 'unknown_status'
  }
  if (status === mandate.status) return 'same'
  const event = EVENTS[status]
  if (event) await applyEvent(trx, deps, stored.id, { kind: event, mandateId: mandate.id }, cause, now)
  return 'changed'
}

const EVENTS: Partial<Record<MandateRow['status'], 'mandato_autorizado' | 'mandato_pausado' | 'mandato_cancelado'>> = {
  authorized: 'mandato_autorizado',
  paused: 'mandato_pausado',
  cancelled: 'mandato_cancelado',
}

/** By the id we were told, or by the reference that we gave it: the answer of our POST may have been lost. */
async function findOurs(
  trx: CentralTx,
  connectorId: string,
  preapproval: Preapproval,
): Promise<MandateRow | undefined> {
  const known = await findMandateByPreapproval(trx, connectorId, preapproval.id)
  if (known || !preapproval.externalReference) return known
  const byReference = await findMandateByReference(trx, connectorId, preapproval.externalReference)
  // A reference can be overwritten at MercadoPago: one that has its id already is not given another.
  return byReference?.preapprovalId === null ? byReference : undefined
}

/** The dangerous one: somebody is being charged and we do not know whom for. */
async function orphan(trx: CentralTx, connectorId: string, preapproval: Preapproval, now: Date): Promise<'orphan'> {
  if (preapproval.status !== 'authorized' && preapproval.status !== 'paused') return 'orphan'
  await raiseAlert(trx, {
    code: 'mandato_huerfano',
    severity: 'critica',
    key: `${connectorId}:${preapproval.id}`,
    at: now,
    detail: {
      preapproval: preapproval.id,
      referencia: preapproval.externalReference,
      estado: preapproval.rawStatus,
      importeC: String(preapproval.amountC ?? ''),
    },
  })
  return 'orphan'
}

/** By its version, or by when it was changed where there is none. */
function isOlder({ version, lastModified }: Preapproval, known: MandateRow): boolean {
  if (version !== null && known.version !== null) return version < Number(known.version)
  return lastModified !== null && known.lastModified !== null && lastModified < known.lastModified
}

/** Somebody changed the amount at MercadoPago, and it was not us. */
async function noticeDrift(
  trx: CentralTx,
  mandate: MandateRow,
  { amountC, id }: Preapproval,
  tenantId: string,
  now: Date,
): Promise<void> {
  const { amountAckedC } = mandate
  if (amountC === null || amountAckedC === null || amountC === amountAckedC) return
  if (await wasAmountAsked(trx, mandate.id, amountC)) return
  await raiseAlert(trx, {
    code: 'importe_cambiado',
    severity: 'advertencia',
    key: `${mandate.id}:${amountC}`,
    at: now,
    tenantId,
    subscriptionId: mandate.subscriptionId,
    mandateId: mandate.id,
    detail: { preapproval: id, nuestroC: String(amountAckedC), suyoC: String(amountC) },
  })
}
