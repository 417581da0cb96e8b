import type { Clock } from '../../clock.ts'
import { writeAudit } from '../../db/audit.ts'
import type { CentralDb } from '../../db/databases.ts'
import type { By } from '../../tenants/register.ts'
import { alertNotFound, alertResolved } from './errors.ts'
import { lockAlert, setResolved } from './queries.ts'

/** A person looked at it and says what was done. @throws AppError `alerts.not_found`, `alerts.resolved` */
export async function resolveAlert(
  { central, clock }: { central: CentralDb; clock: Clock },
  id: string,
  note: string,
  by: By,
): Promise<void> {
  await central.transaction().execute(async (trx) => {
    const alert = await lockAlert(trx, id)
    if (!alert) throw alertNotFound()
    if (alert.isResolved) throw alertResolved()
    const at = clock.now()
    await setResolved(trx, id, { at, by: by.actor?.userId ?? null, note })
    const detail = { alert: id, code: alert.code, note }
    await writeAudit(trx, { at, action: 'alert.resolved', tenantId: alert.tenantId, detail, ...by })
  })
}
