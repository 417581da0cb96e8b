import { sql } from 'kysely'
import { uuidv7 } from 'uuidv7'
import type { CentralSql } from '../../db/databases.ts'

export type Severity = 'aviso' | 'advertencia' | 'critica'

export interface Alert {
  code: string
  severity: Severity
  /** What it is about: the same thing is one alert, however often it is seen. */
  key: string
  at: Date
  tenantId?: string | null
  subscriptionId?: string | null
  paymentId?: string | null
  mandateId?: string | null
  detail?: object
}

/** Puts something before the people of the platform. Seen again it counts on; one that was resolved stays so. */
export async function raiseAlert(db: CentralSql, alert: Alert): Promise<void> {
  await db
    .insertInto('billing_alerts')
    .values({
      id: uuidv7(),
      code: alert.code,
      severity: alert.severity,
      dedupe_key: `${alert.code}:${alert.key}`,
      tenant_id: alert.tenantId ?? null,
      subscription_id: alert.subscriptionId ?? null,
      payment_id: alert.paymentId ?? null,
      mandate_id: alert.mandateId ?? null,
      detail: alert.detail ?? {},
      created_at: alert.at,
      last_seen_at: alert.at,
    })
    .onConflict((oc) =>
      oc.column('dedupe_key').doUpdateSet({
        last_seen_at: alert.at,
        times: sql<number>`billing_alerts.times + 1`,
        detail: alert.detail ?? {},
      }),
    )
    .execute()
}

/** What the monitor raised and no longer sees. @returns whether there was one */
export async function settleAlert(db: CentralSql, dedupeKey: string, at: Date, resolution: string): Promise<boolean> {
  const row = await db
    .updateTable('billing_alerts')
    .set({ resolved_at: at, resolution })
    .where('dedupe_key', '=', dedupeKey)
    .where('resolved_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
