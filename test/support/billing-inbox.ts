import { sql } from 'kysely'
import type { BillingWorld } from './billing-world.ts'

/** What the door and the monitor wrote down, in words that a test can compare. */

/** Alerts that are about no subscription, oldest first: `code severity`, with `resolved` where they settled by themselves. */
export async function platformAlerts({ product }: BillingWorld): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select concat_ws(' ', code, severity, case when resolved_at is not null then 'resolved' end) as line
    from billing_alerts where subscription_id is null order by created_at, id`.execute(product.deps.central)
  return rows.map(({ line }) => line)
}

/** Deliveries kept about a resource: `topic state reason`. */
export async function keptDeliveries({ product }: BillingWorld, resourceId: string): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select concat_ws(' ', topic, state, result->>'reason') as line
    from webhook_events where data_id = ${resourceId} order by received_at, id`.execute(product.deps.central)
  return rows.map(({ line }) => line)
}

/** Why deliveries were refused, and how many for each reason. */
export async function refusals({ product }: BillingWorld): Promise<Record<string, number>> {
  const { rows } = await sql<{ reason: string; n: number }>`
    select reason, count(*)::int as n from webhook_refusals group by 1 order by 1`.execute(product.deps.central)
  return Object.fromEntries(rows.map(({ reason, n }) => [reason, n]))
}

/** How often the product asked for something of MercadoPago, by a piece of its address. */
export const asked = ({ simulator }: BillingWorld, method: string, piece: string): number =>
  simulator.requests().filter((request) => request.method === method && request.path.includes(piece)).length
